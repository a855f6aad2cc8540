/** Readings of snapshots as they stand in vectors, and what the library makes of them. Runs in a browser, too. */
import { hexBytes, hexOf } from '../../protocol/bytes.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Fault, type FaultCode, isProtocolError } from '../../protocol/fault.ts';
import {
  type AppliedSnapshot,
  applySnapshot,
  type Holdings,
  type PartEffect,
  type SnapshotReader,
} from '../../protocol/snapshot/apply.ts';
import { parseSnapshot, type SnapshotPart } from '../../protocol/snapshot/snapshot.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { reportOf } from '../../protocol/verdict/ages.ts';
import { ANY_PLACE } from '../../protocol/verdict/verdict.ts';
import { verify } from '../../protocol/verdict/verify.ts';

/** A part as SPEC.md 10 has it, each of its byte strings by its number among those that are shared. */
export interface PartVector {
  readonly region: string;
  readonly checkpoint: number;
  readonly from: number;
  readonly entries: readonly number[];
  readonly base?: { readonly frontier: readonly number[]; readonly items: readonly number[] };
}

/** What many readings have in common. */
export interface SharedVectors {
  readonly byteStrings: readonly string[];
  readonly parts: Readonly<Record<string, PartVector>>;
}

export interface ContainerVector {
  readonly name: string;
  readonly bytes: string;
  readonly fault?: FaultCode;
}

/** What is wrong; of a rollback also both sizes. */
export interface FaultVector {
  readonly fault: FaultCode;
  readonly held?: number;
  readonly offered?: number;
}

export interface OutcomeVector extends Partial<FaultVector> {
  readonly region: string;
  readonly effect: PartEffect;
}

/** What the reader holds of a region after a step. */
export interface HeldVector {
  readonly region: string;
  readonly size: number;
  readonly root: string;
  readonly items: number;
  readonly state: string;
  readonly standing: 'good' | 'forked' | 'quarantined';
  readonly witnesses: readonly [counted: number, needed: number, of: number];
  readonly age: number | null;
  readonly silence: number | null;
  readonly keyFit?: boolean;
  readonly beside: Readonly<Record<string, readonly number[]>>;
}

export interface CodeVector {
  readonly text: string;
  readonly outcome: string;
  readonly reasons: readonly string[];
}

/** What a step comes to: `fault` if the whole is refused, otherwise `outcomes`. */
export interface StepResult extends Partial<FaultVector> {
  readonly outcomes?: readonly OutcomeVector[];
  readonly holds: readonly HeldVector[];
  readonly codes: readonly CodeVector[];
}

export interface StepInput {
  readonly now: number;
  readonly network: string;
  readonly parts: readonly SnapshotPart[];
  /** Texts of codes to judge afterwards. */
  readonly texts: readonly string[];
}

export interface StepVector extends Pick<StepInput, 'now' | 'network'>, StepResult {
  /** Names of shared ones. */
  readonly parts: readonly string[];
}

export interface ReadingVector {
  readonly name: string;
  readonly home: string;
  readonly network: string;
  readonly pin: string;
  readonly steps: readonly StepVector[];
}

export interface SnapshotVectors {
  readonly containers: readonly ContainerVector[];
  readonly shared: SharedVectors;
  readonly readings: readonly ReadingVector[];
}

/** The same vectors with what the library finds in place of what they expect. */
export function replaySnapshots(
  modules: TrustModules,
  { containers, shared, readings }: SnapshotVectors,
): SnapshotVectors {
  return {
    containers: containers.map(replayContainer),
    shared,
    readings: readings.map((reading) => replayReading(modules, reading, shared)),
  };
}

export function replayContainer({ name, bytes }: ContainerVector): ContainerVector {
  const read = faultOr(() => parseSnapshot(hexBytes(bytes)));
  return { name, bytes, ...('code' in read && { fault: read.code }) };
}

export function replayReading(
  modules: TrustModules,
  reading: ReadingVector,
  shared: SharedVectors,
): ReadingVector {
  const reader = { home: reading.home, network: reading.network, pin: hexBytes(reading.pin) };
  let held: Holdings | undefined;
  const steps = reading.steps.map(({ now, network, parts, codes }) => {
    const input = { now, network, parts: parts.map((name) => partNamed(name, shared)) };
    const texts = codes.map(({ text }) => text);
    const played = playStep(modules, reader, { ...input, texts }, held);
    held = played.held;
    return { now, network, parts, ...played.result };
  });
  return { ...reading, steps };
}

/** Reads one snapshot. A reader that refuses it holds what it held. */
export function playStep(
  modules: TrustModules,
  reader: SnapshotReader,
  { now, network, parts, texts }: StepInput,
  before: Holdings | undefined,
): { readonly result: StepResult; readonly held: Holdings | undefined } {
  const bytes = snapshotBytes(network, parts);
  const applied = faultOr(() => applySnapshot(modules, bytes, reader, before, now));
  const held = 'code' in applied ? before : applied.holdings;
  const result = {
    ...('code' in applied ? faultVector(applied) : { outcomes: outcomeVectors(applied) }),
    holds: held === undefined ? [] : heldVectors(held, now),
    codes: held === undefined ? [] : texts.map((text) => codeVector(modules, held, text, now)),
  };
  return { result, held };
}

/** A key that was good once is good again; the check takes longer than all else in a small snapshot. */
export function admittingOnce(modules: Required<TrustModules>): TrustModules {
  const admitted = new Set<string>();
  return {
    ...modules,
    admitPublicKey: (publicKey) => {
      const name = hexOf(publicKey);
      if (!admitted.has(name)) modules.admitPublicKey(publicKey);
      admitted.add(name);
    },
  };
}

/** The bytes of SPEC.md 10, whatever a reader will say of them. */
export function snapshotBytes(network: string, parts: readonly SnapshotPart[]): Uint8Array {
  return encodeCbor({
    format: 1,
    network,
    parts: parts.map(({ region, checkpoint, from, entries, base }) => ({
      region,
      checkpoint,
      from,
      entries,
      ...(base && { base: { frontier: base.frontier, items: base.items } }),
    })),
  });
}

/** A part in the words of the vectors; `numberOf` gives each byte string its number. */
export function partVector(
  { region, checkpoint, from, entries, base }: SnapshotPart,
  numberOf: (bytes: Uint8Array) => number,
): PartVector {
  return {
    region,
    checkpoint: numberOf(checkpoint),
    from,
    entries: entries.map(numberOf),
    ...(base && { base: { frontier: base.frontier.map(numberOf), items: base.items.map(numberOf) } }),
  };
}

/** The reverse of `partVector`, by its name. */
export function partNamed(name: string, { byteStrings, parts }: SharedVectors): SnapshotPart {
  const part = parts[name];
  if (part === undefined) throw new RangeError(`no part ${name}`);
  const bytesOf = (number: number) => hexBytes(byteStrings[number] ?? '?');
  const { region, checkpoint, from, entries, base } = part;
  return {
    region,
    checkpoint: bytesOf(checkpoint),
    from,
    entries: entries.map(bytesOf),
    ...(base && { base: { frontier: base.frontier.map(bytesOf), items: base.items.map(bytesOf) } }),
  };
}

function faultOr<T extends object>(read: () => T): T | Fault {
  try {
    return read();
  } catch (error) {
    if (isProtocolError(error)) return error.fault;
    throw error;
  }
}

function faultVector({ code, details: { held, offered } }: Fault): FaultVector {
  if (code !== 'ROLLBACK' || typeof held !== 'number' || typeof offered !== 'number') return { fault: code };
  return { fault: code, held, offered };
}

function outcomeVectors({ outcomes }: AppliedSnapshot): OutcomeVector[] {
  return outcomes.map(({ region, effect, fault }) => ({ region, effect, ...(fault && faultVector(fault)) }));
}

function heldVectors({ trust, logs }: Holdings, nowS: number): HeldVector[] {
  const regions = [...logs].sort(([a], [b]) => (a < b ? -1 : 1));
  return regions.flatMap(([region, { fold }]) => {
    const assessment = trust.assess(region, nowS);
    if (assessment === undefined) return [];
    const { ageS: age = null, silenceS: silence = null, witnesses } = reportOf(assessment, nowS);
    const { checkpoint, standing, revokedBeside } = assessment.knowledge;
    const { items, root } = fold.commitmentAt(nowS);
    return {
      region,
      size: checkpoint.size,
      root: hexOf(checkpoint.root),
      items: items.length,
      state: hexOf(root),
      standing,
      witnesses: [witnesses.counted, witnesses.needed, witnesses.of],
      age,
      silence,
      ...(age !== null && { keyFit: assessment.isCheckpointKeyFit }),
      beside: Object.fromEntries([...(revokedBeside ?? [])].map(([log, set]) => [log, [...set]])),
    };
  });
}

function codeVector(modules: TrustModules, { trust }: Holdings, text: string, nowS: number): CodeVector {
  const context = { place: ANY_PLACE, mode: 'offline' } as const;
  const { outcome, reasons } = verify(modules, text, trust, context, nowS);
  return { text, outcome, reasons: [...new Set(reasons.map(({ code }) => code))].sort() };
}
