/** Several regions that recognise each other, with real logs, checkpoints and cosignatures, and snapshots of them. */
import assert from 'node:assert/strict';
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { encodeSnapshot, parseSnapshot, type SnapshotPart } from '../../protocol/snapshot/snapshot.ts';
import { type LeafProof } from '../../protocol/verdict/cut-off.ts';
import { verify } from '../../protocol/verdict/verify.ts';
import { type Checkpoint, signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import {
  type AppliedSnapshot,
  applySnapshot,
  type Holdings,
  type SnapshotReader,
} from '../../protocol/snapshot/apply.ts';
import { makeSnapshot, type SnapshotSource } from '../../protocol/snapshot/make.ts';
import { type IssuedCode, issueCode, type IssueOptions } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { DAY_S, HOUR_S, RegionFixture, START_S, type TestKey, trustModules } from './region-fixture.ts';
import { admittingOnce } from './snapshot-vectors.ts';

export const NETWORK = 'test';
/** Within the windows of all keys, with room for days before and after. */
export const NOW_S = START_S + 10 * DAY_S;

export const modules = admittingOnce(trustModules);

/** Who vouches for what, and when. */
export interface Vouched {
  /** All regions of the federation, without it. */
  readonly by?: readonly string[];
  /** `NOW_S` without it. */
  readonly atS?: number;
  /** Other than that of the log as it is. */
  readonly checkpoint?: Partial<Checkpoint>;
  readonly checkpointKey?: TestKey;
}

export class Federation {
  readonly regions: ReadonlyMap<string, RegionFixture>;

  /** Each region recognises each other one directly. */
  constructor(...names: readonly string[]) {
    this.regions = new Map(
      names.map((region) => [region, new RegionFixture({ region, network: NETWORK, modules })]),
    );
    for (const region of this.regions.values()) {
      for (const peer of this.regions.values()) if (peer !== region) region.recognise(peer);
    }
  }

  region(name: string): RegionFixture {
    return this.regions.get(name) ?? assert.fail(`no region ${name}`);
  }

  /** The region's log as it is now, under a checkpoint that all vouch for. */
  source(name: string, vouched: Vouched = {}): SnapshotSource {
    const region = this.region(name);
    return sourceOf(region, noteOf(region, [...this.regions.values()], vouched));
  }

  sources(vouched: Vouched = {}): SnapshotSource[] {
    return [...this.regions.keys()].map((name) => this.source(name, vouched));
  }

  /** Of all regions as they are now: deltas from what `held` has, full parts without it. */
  snapshot(vouched: Vouched = {}, held?: Holdings): Promise<Uint8Array> {
    const sizes = new Map([...(held?.logs ?? [])].map(([region, { fold }]) => [region, fold.size]));
    return makeSnapshot(NETWORK, this.sources(vouched), sizes);
  }

  snapshotOf(...sources: readonly SnapshotSource[]): Promise<Uint8Array> {
    return makeSnapshot(NETWORK, sources);
  }

  reader(home: string): SnapshotReader {
    return { home, network: NETWORK, pin: this.region(home).fingerprint };
  }

  apply(home: string, bytes: Uint8Array, previous?: Holdings, nowS = NOW_S): AppliedSnapshot {
    return applySnapshot(modules, bytes, this.reader(home), previous, nowS);
  }

  issue(name: string, index: number, changes: Partial<IssueOptions> = {}): IssuedCode {
    const key = this.region(name).keys.attest;
    const issuedAtS = NOW_S - 6 * HOUR_S;
    return issueCode({ region: name, network: NETWORK, key, index, issuedAtS, ...changes });
  }
}

export function sourceOf(region: RegionFixture, note: Uint8Array): SnapshotSource {
  const { region: name, fold } = region;
  const base = fold.newestBase();
  const entries = [...region.entries];
  return {
    region: name,
    size: entries.length,
    note,
    newestBase: () => base,
    entries: (from, to) => entries.slice(from, to),
  };
}

/** Who can cosign. */
export interface Witness {
  readonly region: string;
  readonly keys: { readonly witness: TestKey };
}

/** A checkpoint of `region` with cosignatures of those of `witnesses` that `vouched.by` names. */
export function noteOf(
  region: RegionFixture,
  witnesses: readonly Witness[],
  vouched: Vouched = {},
): Uint8Array {
  const { origin, fold, keys } = region;
  const {
    by = witnesses.map((witness) => witness.region),
    atS = NOW_S,
    checkpointKey = keys.checkpoint,
  } = vouched;
  const checkpoint = { origin, size: fold.size, root: fold.root, ...vouched.checkpoint };
  const { publicKey } = checkpointKey;
  const own = makeVerifierKey(sha256, { name: checkpoint.origin, algorithm: ED25519, publicKey });
  const { text, signatures } = signCheckpoint(checkpoint, own, checkpointKey.sign);
  const cosignatures = witnesses
    .filter((witness) => by.includes(witness.region))
    .map(({ region: name, keys: { witness } }) => {
      const { publicKey } = witness;
      const key = { name: witnessName(name, NETWORK), algorithm: COSIGNATURE, publicKey } as const;
      return signCosignature(makeVerifierKey(sha256, key), text, atS, witness.sign);
    });
  return encodeNote({ text, signatures: [...signatures, ...cosignatures] });
}

/** What the state of a region commits to, for comparison. */
export function stateRootOf({ logs }: Holdings, region: string, atS = NOW_S): string {
  const log = logs.get(region) ?? assert.fail(`holds no log of ${region}`);
  return Buffer.from(log.fold.commitmentAt(atS).root).toString('hex');
}

export const HOME = 'DE';
export const PLACE = { risk: 'low', kind: 'gate', gradeNeeded: 'static' } as const;

/** DE, FR, IT, ES and CN-33: four witnesses for each log, of which three are needed. */
export const five = () => new Federation(HOME, 'FR', 'IT', 'ES', 'CN-33');

/** The outcome of an offline check with the reasons for it, notes left out. */
export function outcomeOf(
  holdings: Holdings,
  text: string,
  nowS = NOW_S,
  proofs: readonly LeafProof[] = [],
): string {
  const verdict = verify(trustModules, text, holdings.trust, { place: PLACE, mode: 'offline', proofs }, nowS);
  const reasons = verdict.reasons.filter(({ outcome }) => outcome !== 'note').map(({ code }) => code);
  return [verdict.outcome, ...reasons].join(' ');
}

/** The fault that `action` throws. */
export function faultOf(action: () => unknown): ProtocolError['fault'] {
  try {
    action();
  } catch (error) {
    if (isProtocolError(error)) return error.fault;
    throw error;
  }
  return assert.fail('expected a fault');
}

/** The fault of the part of a region. */
export function faultIn({ outcomes }: AppliedSnapshot, region: string): ProtocolError['fault'] {
  const { effect, fault } = outcomes.find((outcome) => outcome.region === region) ?? assert.fail();
  assert.ok(effect === 'faulty' || effect === 'forked', effect);
  return fault ?? assert.fail('expected a fault');
}

/** The snapshot with one part changed. */
export function withPart(
  bytes: Uint8Array,
  region: string,
  change: (part: SnapshotPart) => SnapshotPart,
): Uint8Array {
  const { network, parts } = parseSnapshot(bytes);
  return encodeSnapshot({
    network,
    parts: parts.map((part) => (part.region === region ? change(part) : part)),
  });
}

/** What each part did. */
export const effectsOf = (applied: ReturnType<Federation['apply']>) =>
  Object.fromEntries(applied.outcomes.map(({ region, effect }) => [region, effect]));
