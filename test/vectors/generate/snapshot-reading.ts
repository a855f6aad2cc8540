/** Plays a reader of snapshots. Each step says itself what becomes of every part; the reader is only held against that. */
import assert from 'node:assert/strict';
import { type FaultCode } from '../../../protocol/fault.ts';
import { type Holdings, type PartEffect, type SnapshotReader } from '../../../protocol/snapshot/apply.ts';
import { type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { REASONS } from '../../../protocol/verdict/reasons.ts';
import { type RegionFixture } from '../../support/region-fixture.ts';
import { Federation, HOME, modules, NETWORK, noteOf, NOW_S, type Vouched, type Witness } from '../../support/snapshot-fixture.ts';
import { type HeldVector, playStep, type StepInput, type StepResult } from '../../support/snapshot-vectors.ts';

/** Three witnesses for each log, of which two are needed. */
export const FOUR = [HOME, 'CN-33', 'FR', 'IT'] as const;

/** One effect for each of FOUR, but for those that are named. */
export function all(effect: PartEffect, others: Record<string, PartEffect | FaultCode> = {}) {
  return { ...Object.fromEntries(FOUR.map((region) => [region, effect])), ...others };
}

export type Step = Omit<StepInput, 'texts'> & StepResult;

/** What a step is to come to: the fault of the whole, or for each part its effect, a fault code standing for `faulty`. */
export type Expected = FaultCode | Readonly<Record<string, PartEffect | FaultCode>>;

export interface StepOptions {
  readonly nowS?: number;
  readonly network?: string;
  /** What is then known of a region, as far as it matters; undefined if nothing is held. */
  readonly known?: Readonly<Record<string, Partial<HeldVector> | undefined>>;
  /** Texts of codes, each with the verdict and those of its reasons that are no notes. */
  readonly codes?: Readonly<Record<string, string>>;
}

export interface PartOptions extends Vouched {
  /** Where the part goes on from. */
  readonly delta?: number;
  /** Who cosigns, all regions by default. */
  readonly witnesses?: readonly Witness[];
  /** Begins with the newest `state` entry, not with index 0. */
  readonly based?: boolean;
}

export interface ReadingOptions {
  readonly regions?: readonly string[];
  readonly pin?: Uint8Array;
}

export class Reading {
  readonly federation: Federation;
  readonly reader: SnapshotReader;
  readonly steps: Step[] = [];
  readonly #names: readonly string[];
  #held: Holdings | undefined;

  constructor({ regions = FOUR, pin }: ReadingOptions = {}) {
    this.#names = regions;
    this.federation = new Federation(...regions);
    this.reader = { home: HOME, network: NETWORK, pin: pin ?? this.region(HOME).fingerprint };
  }

  region(name: string): RegionFixture {
    return this.federation.region(name);
  }

  /** The same regions as they were at first, to sign other logs. */
  twin(name: string): RegionFixture {
    return new Federation(...this.#names).region(name);
  }

  /** The part of a region as it is now; full and from index 0 unless `options` say otherwise. */
  part(region: string | RegionFixture, options: PartOptions = {}): SnapshotPart {
    const fixture = typeof region === 'string' ? this.region(region) : region;
    return partOf(fixture, { witnesses: [...this.federation.regions.values()], ...options });
  }

  /** Full parts of all regions, but of those that `instead` is of. */
  parts(...instead: readonly SnapshotPart[]): SnapshotPart[] {
    return this.partsWith({}, ...instead);
  }

  partsWith(options: PartOptions, ...instead: readonly SnapshotPart[]): SnapshotPart[] {
    const given = new Set(instead.map(({ region }) => region));
    const others = this.#names.filter((name) => !given.has(name)).map((name) => this.part(name, options));
    return [...others, ...instead].sort((a, b) => (a.region < b.region ? -1 : 1));
  }

  /** Reads a snapshot of `parts`. */
  step(expected: Expected, parts: readonly SnapshotPart[], options: StepOptions = {}): this {
    const { nowS: now = NOW_S, network = NETWORK, known = {}, codes = {} } = options;
    const input = { now, network, parts };
    const { result, held } = playStep(modules, this.reader, { ...input, texts: Object.keys(codes) }, this.#held);
    assert.deepEqual(saidOf(result), expected);
    for (const [region, facts] of Object.entries(known)) {
      const found = result.holds.find((one) => one.region === region);
      assert.deepEqual(found, facts && { ...found, ...facts });
    }
    const verdicts = result.codes.map(({ text, outcome, reasons }) => {
      const told = reasons.filter((reason) => REASONS[reason as keyof typeof REASONS].outcome !== 'note');
      return [text, [outcome, ...told].join(' ')];
    });
    assert.deepEqual(Object.fromEntries(verdicts), codes);
    this.#held = held;
    this.steps.push({ ...input, ...result });
    return this;
  }
}

function saidOf({ fault, outcomes = [] }: StepResult): Expected {
  if (fault !== undefined) return fault;
  return Object.fromEntries(
    outcomes.map(({ region, effect, fault }) => [region, effect === 'faulty' && fault ? fault : effect]),
  );
}

function partOf(region: RegionFixture, options: PartOptions & { readonly witnesses: readonly Witness[] }): SnapshotPart {
  const { delta, based = false, witnesses, ...vouched } = options;
  const part = { region: region.region, checkpoint: noteOf(region, witnesses, vouched) };
  if (delta !== undefined) return { ...part, from: delta, entries: region.entries.slice(delta) };
  if (!based) return { ...part, from: 0, entries: [...region.entries], base: { frontier: [], items: [] } };
  const base = region.fold.newestBase();
  assert(base, 'no state entry to begin with');
  const { index, frontier, items } = base;
  return { ...part, from: index, entries: region.entries.slice(index), base: { frontier, items } };
}
