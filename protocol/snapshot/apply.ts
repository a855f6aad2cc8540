/** Taking a snapshot from somebody who need not be trusted: a fault of the home refuses all, one of another region that region's part. Spec: SPEC.md 10. */
import { equalBytes } from '../bytes.ts';
import { type Fault, ProtocolError } from '../fault.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { aheadFault } from '../trust/vouching.ts';
import { type TrustModules } from '../trust/verify-statement.ts';
import { assess } from '../verdict/ages.ts';
import { CheckpointReader } from '../verdict/checkpoint-reader.ts';
import { lastHeard, newestByKey, type RegionKnowledge, Trust } from '../verdict/knowledge.ts';
import { type WitnessPolicy } from '../verdict/witness-policy.ts';
import { besideTaken, besideWith, type UnheldRegion } from './beside.ts';
import { lossOver } from './contradiction.ts';
import { type HeldLog, type OfferedLog, offeredLog } from './held-log.ts';
import { attempt, incomplete, named, NOTHING, pinMismatch } from './part-fault.ts';
import { parseSnapshot, type SnapshotPart } from './snapshot.ts';

/** All that a reader has to be told by somebody it trusts. */
export interface SnapshotReader {
  readonly home: string;
  readonly network: string;
  /** The fingerprint of the home's first root statement, 32 bytes. */
  readonly pin: Uint8Array;
  /** By whose vouching it goes, if not by the table. It is the reader's own: no snapshot carries one. */
  readonly policy?: WitnessPolicy | undefined;
}

/** What a reader holds. An immutable value; `trust` and `logs` have the same regions, `unheld` has others that the home recognises. */
export interface Holdings {
  readonly trust: Trust;
  readonly logs: ReadonlyMap<string, HeldLog>;
  readonly unheld: ReadonlyMap<string, UnheldRegion>;
}

/**
 * What a part did. `taken`: the region's state is that of the part. `confirmed`: it was already; cosignatures may be newer.
 * `beside`: the part lacks its quorum, so that of it only the revocations count. `left-out`: the home does not recognise
 * the region; or it lacks its quorum and nothing was held: what it revokes counts beside the first that is taken. `faulty`: it breaks a rule; what was held of the region stays as it was.
 * `forked`: it proves that the region signed two logs; what was held stays, marked so, and what both revoke counts.
 */
export type PartEffect = 'taken' | 'confirmed' | 'beside' | 'left-out' | 'faulty' | 'forked';

export interface PartOutcome {
  readonly region: string;
  readonly effect: PartEffect;
  /** Entries that were held, 0 if none, and entries up to the part's checkpoint. */
  readonly heldSize: number;
  readonly size: number;
  /** What is wrong with a part that is `faulty` or `forked`. */
  readonly fault?: Fault;
}

export interface AppliedSnapshot {
  readonly holdings: Holdings;
  /** One for each part, in their order. */
  readonly outcomes: readonly PartOutcome[];
}

/** A log and what is known by it. */
interface KnownLog<Log extends HeldLog = HeldLog> {
  readonly log: Log;
  readonly knowledge: RegionKnowledge;
}

/** A region that the home recognises, or the home: what was held of it and what is offered, if anything. */
interface Candidate {
  readonly region: string;
  readonly held: KnownLog | undefined;
  readonly unheld: UnheldRegion | undefined;
  readonly offered: KnownLog<OfferedLog> | undefined;
  /** Of what was offered: then `offered` is undefined. */
  readonly fault?: Fault | undefined;
}

/**
 * Gives what the reader holds after this snapshot; `previous` stays as it is. Byte strings in the result are views of `bytes`,
 * which must not change afterwards.
 * @throws {ProtocolError} if all is refused: TOO_LARGE, SNAPSHOT_MALFORMED; PIN_MISMATCH for another network; and with the home as
 * `region` PIN_MISMATCH for another root than is pinned; STATE_AHEAD; FORK; SNAPSHOT_INCOMPLETE also without its part, if it lacks its
 * quorum, and for a gap that no quorum vouches for; what `offeredLog` and `CheckpointReader` throw.
 * @throws {TypeError} if `previous` is of another reader.
 */
export function applySnapshot(
  modules: TrustModules,
  bytes: Uint8Array,
  reader: SnapshotReader,
  previous: Holdings | undefined,
  nowS: number,
): AppliedSnapshot {
  const { home, network, policy } = reader;
  if (previous && (previous.trust.home !== home || previous.trust.network !== network)) {
    throw new TypeError('the holdings are of another reader');
  }
  const snapshot = parseSnapshot(bytes);
  if (snapshot.network !== network) throw pinMismatch('a snapshot of this network');

  const trustOf = (logs: readonly (KnownLog | undefined)[]) =>
    new Trust({ home, network, policy, regions: logs.flatMap((log) => log?.knowledge ?? []) }, modules);
  const settled = settleAll(
    candidatesOf(snapshot.parts, reader, previous, modules, nowS),
    home,
    trustOf,
    previous?.trust,
    nowS,
  );
  const results = new Map(settled.map((result) => [result.region, result]));
  const known = settled.map((result) => result.known).filter((result) => result !== undefined);
  return {
    holdings: {
      trust: trustOf(known),
      logs: new Map(known.map(({ log, knowledge }) => [knowledge.state.region, log])),
      unheld: new Map(settled.flatMap(({ region, unheld }) => (unheld ? [[region, unheld]] : []))),
    },
    outcomes: snapshot.parts.map(({ region, from, entries }) => {
      const { effect = 'left-out', fault } = results.get(region) ?? {};
      const heldSize = previous?.logs.get(region)?.fold.size ?? 0;
      return { region, effect, heldSize, size: from + entries.length, ...(fault && { fault }) };
    }),
  };
}

/** Rules 1 to 4: folds what is offered of the home and of each region that it recognises, pins it and opens its checkpoint. */
function candidatesOf(
  parts: readonly SnapshotPart[],
  { home, network, pin, policy }: SnapshotReader,
  previous: Holdings | undefined,
  modules: TrustModules,
  nowS: number,
): Candidate[] {
  const partOf = new Map(parts.map((part) => [part.region, part]));
  const foldOf = (region: string, fingerprint: Uint8Array) => {
    const held = heldOf(previous, region, fingerprint);
    const unheld = unheldOf(previous, region, fingerprint);
    const part = partOf.get(region);
    if (part === undefined) return { region, held, unheld, part, ...NOTHING };
    const tried = attempt(region, home, () => {
      const log = offeredLog(part, network, held?.log, modules);
      if (!isUnder(log.fold.state, fingerprint)) throw pinMismatch(`the pinned root of ${region}`);
      requireDue(log.fold.state, nowS);
      return log;
    });
    return { region, held, unheld, part, ...tried };
  };

  const homeLog = foldOf(home, pin);
  const homeState = (homeLog.value ?? homeLog.held?.log)?.fold.state;
  if (homeState === undefined) throw incomplete('a part of the home', { region: home });
  const folded = [homeLog];
  for (const recognition of homeState.recognitions()) {
    if (recognition.standing === 'withdrawn') continue;
    folded.push(foldOf(recognition.region, recognition.fingerprint));
  }

  // Which of the two states of a region decides about its keys is known only once its part is taken or not.
  const states = folded.flatMap(({ held, value }) =>
    [value, held?.log].flatMap((log) => log?.fold.state ?? []),
  );
  const reader = new CheckpointReader(states, modules, policy?.outside);
  return folded.map(({ region, held, unheld, part, value: log, fault }) => {
    if (part === undefined || log === undefined) return { region, held, unheld, offered: undefined, fault };
    const opened = attempt(region, home, () => reader.knowledgeOf(log.fold.state, part.checkpoint));
    const { value: knowledge } = opened;
    return { region, held, unheld, offered: knowledge && { log, knowledge }, fault: opened.fault };
  });
}

function requireDue(state: TrustState, nowS: number): void {
  const fault = aheadFault(state, nowS);
  if (fault !== undefined) throw fault;
}

/** What is held of a region under this root; what is held under another one does not bind the reader. */
function heldOf(
  previous: Holdings | undefined,
  region: string,
  fingerprint: Uint8Array,
): KnownLog | undefined {
  const log = previous?.logs.get(region);
  const knowledge = previous?.trust.regions.get(region);
  if (log === undefined || knowledge === undefined || !isUnder(knowledge.state, fingerprint))
    return undefined;
  return { log, knowledge };
}

/** What is revoked beside nothing, likewise. */
function unheldOf(
  previous: Holdings | undefined,
  region: string,
  fingerprint: Uint8Array,
): UnheldRegion | undefined {
  const unheld = previous?.unheld.get(region);
  return unheld && equalBytes(unheld.fingerprint, fingerprint) ? unheld : undefined;
}

function isUnder(state: TrustState, fingerprint: Uint8Array): boolean {
  return state.fingerprint !== undefined && equalBytes(state.fingerprint, fingerprint);
}

/** What a part offers beside what is held. */
interface Offer {
  readonly held: KnownLog | undefined;
  readonly unheld: UnheldRegion | undefined;
  readonly offered: KnownLog<OfferedLog>;
}

interface Settled {
  readonly region: string;
  readonly effect: PartEffect | undefined;
  readonly known: KnownLog | undefined;
  /** Only where nothing is known. */
  readonly unheld?: UnheldRegion | undefined;
  readonly fault?: Fault | undefined;
  /** As long as witnesses have a say in it. */
  readonly offer?: Offer;
}

/**
 * What becomes of the candidates. The witness keys of a part count for the others only if that part is taken: or else a key that
 * is known to be stolen could vouch once more, by a part without quorum that keeps silent about the theft. And for the home only
 * what the others leave counts, so that no part which is not taken costs it its quorum.
 */
function settleAll(
  candidates: readonly Candidate[],
  home: string,
  trustOf: (logs: readonly (KnownLog | undefined)[]) => Trust,
  heldTrust: Trust | undefined,
  nowS: number,
): Settled[] {
  let settled = candidates.map((candidate) => compared(candidate, home, nowS));
  for (;;) {
    const proposed = trustOf(settled.map(({ known }) => known));
    const votesOf = (offer: Offer) => votesFor(offer, proposed, heldTrust, nowS);
    // What is not taken stays so: parts only ever drop out, so this comes to an end.
    const next = settled.map((result): Settled => {
      const { region, effect, offer } = result;
      if (effect !== 'taken' || region === home || offer === undefined || votesOf(offer).suffice)
        return result;
      const { held, unheld, offered } = offer;
      if (held === undefined)
        return { region, effect: 'left-out', known: undefined, unheld: withUnheld(unheld, offered) };
      return { region, effect: 'beside', known: withRevocationsOf(held, offered) };
    });
    if (next.every((result, i) => result === settled[i])) {
      return settled.map((result) => decided(result, home, votesOf));
    }
    settled = next;
  }
}

/** Rule 5: what becomes of a candidate by what was held of its region, as far as that needs no witness. */
function compared(candidate: Candidate, home: string, nowS: number): Settled {
  const { region, held, unheld, offered, fault } = candidate;
  const rest = held === undefined && unheld !== undefined ? { unheld } : {};
  if (fault !== undefined) return { region, effect: 'faulty', known: held, ...rest, fault };
  if (offered === undefined) return { region, effect: undefined, known: held, ...rest };
  const offer = { held, unheld, offered };
  if (held === undefined) {
    const { log, knowledge } = offered;
    return {
      region,
      effect: 'taken',
      known: { log, knowledge: besideTaken(knowledge, unheld ?? {}) },
      offer,
    };
  }
  const fork = forkOf(held, offered);
  if (fork === undefined) {
    const isSame = held.log.fold.size === offered.log.fold.size;
    if (isSame) return { region, effect: 'confirmed', known: confirmed(held, offered, nowS) };
    return { region, effect: 'taken', known: continued(held, offered, nowS), offer };
  }
  const error = named(fork, region);
  if (region === home) throw error;
  // One side by disowned keys alone proves no more than that they were stolen.
  const isMarked = !isDisowned(held, offered) && !isDisowned(offered, held);
  return {
    region,
    known: held,
    fault: error.fault,
    ...(isMarked ? { effect: 'forked', offer } : { effect: 'faulty' }),
  };
}

/** Rule 6, once it is settled what else is taken: the home has to be, and what a fork proves is weighed. */
function decided(result: Settled, home: string, votesOf: (offer: Offer) => Votes): Settled {
  const { region, effect, offer } = result;
  if (offer === undefined) return result;
  const { held, offered } = offer;
  if (effect === 'forked' && held !== undefined) {
    const isQuarantined = votesOf(offer).suffice || held.knowledge.standing === 'quarantined';
    const { log, knowledge } = withRevocationsOf(held, offered);
    const standing = isQuarantined ? 'quarantined' : 'forked';
    return { ...result, known: { log, knowledge: { ...knowledge, standing } } };
  }
  if (effect === 'taken' && region === home) {
    const { counted, needed, suffice } = votesOf(offer);
    if (!suffice && needed > 0) throw named(incomplete('a quorum for the home', { counted, needed }), region);
    if (!suffice) throw named(unseen(held, offered), region);
  }
  return result;
}

interface Votes {
  readonly counted: number;
  readonly needed: number;
  /** Also false where none are needed, but a gap is to be bridged. */
  readonly suffice: boolean;
}

/** The witnesses of what is offered, if everything proposed is what it says. */
function votesFor(
  { held, offered }: Offer,
  proposed: Trust,
  heldTrust: Trust | undefined,
  nowS: number,
): Votes {
  const { counted, needed: neededNow } = assess(proposed, offered.knowledge, nowS).witnesses;
  const isGap = held !== undefined && offered.log.rootAtHeldSize === undefined;
  // Over a gap the reader cannot see why fewer should be needed than before: a base that keeps silent would say so too. What a policy needs no state says.
  const isByState = isGap && proposed.policy === undefined;
  const neededBefore = isByState && heldTrust ? assess(heldTrust, held.knowledge, nowS).witnesses.needed : 0;
  const needed = Math.max(neededNow, neededBefore);
  return { counted, needed, suffice: counted >= needed && !(isGap && needed === 0) };
}

/** The fault of two trees that cannot both be true. Over a gap only a revocation that is lost tells that. */
function forkOf(
  { log: held, knowledge: { state } }: KnownLog,
  { log: { fold, rootAtHeldSize }, knowledge: offered }: KnownLog<OfferedLog>,
): ProtocolError | undefined {
  if (rootAtHeldSize === undefined) return lossOver(state, offered.state);
  if (equalBytes(rootAtHeldSize, held.fold.root)) return undefined;
  const details = { held: held.fold.size, offered: fold.size };
  return new ProtocolError('FORK', `at size ${details.held} its root is not the one that is held`, details);
}

function unseen(held: KnownLog | undefined, offered: KnownLog): ProtocolError {
  return incomplete('entries from the size that is held on, since no witness vouches for a gap', {
    held: held?.log.fold.size ?? 0,
    offered: offered.log.fold.size,
  });
}

/** Whether all keys that signed the checkpoint of `one` are compromised by what `other` says. */
function isDisowned({ knowledge }: KnownLog, other: KnownLog): boolean {
  const { state } = other.knowledge;
  return knowledge.logKeyIds.every((keyId) => state.key(keyId)?.compromise !== undefined);
}

/** The same checkpoint once more: all that vouch for it count, each key by its newest time that is not ahead. */
function confirmed(held: KnownLog, { knowledge }: KnownLog, nowS: number): KnownLog {
  const cosignatures = newestByKey([...held.knowledge.cosignatures, ...knowledge.cosignatures], nowS);
  const logKeyIds = [...new Set([...held.knowledge.logKeyIds, ...knowledge.logKeyIds])];
  const { note } = knowledge;
  return { ...held, knowledge: { ...held.knowledge, note, logKeyIds, cosignatures } };
}

/**
 * What is offered, and of what was held: when the region was last heard of; what is revoked beside by a log that is longer than the
 * one offered; and evidence against it, which outlives what it was held beside, and with it what the other side revokes.
 */
function continued({ knowledge: before }: KnownLog, { log, knowledge }: KnownLog, nowS: number): KnownLog {
  const after = { ...knowledge, ownBefore: lastHeard(knowledge.state, [before], nowS) };
  const { standing, revokedBeside, besideSize } = before;
  if (standing === 'good') return { log, knowledge: besideTaken(after, before) };
  return { log, knowledge: { ...after, standing, revokedBeside, besideSize } };
}

/** What is held, and beside it what the state offered revokes: a revocation counts at once, witnessed or not. */
function withRevocationsOf(held: KnownLog, offered: KnownLog): KnownLog {
  return {
    ...held,
    knowledge: { ...held.knowledge, ...besideWith(held.knowledge, offered.knowledge.state) },
  };
}

/** The same where nothing is held: it counts as soon as something is. */
function withUnheld(unheld: UnheldRegion | undefined, { knowledge: { state } }: KnownLog): UnheldRegion {
  const { fingerprint } = state;
  if (fingerprint === undefined) throw new TypeError('a part that was read has a root');
  return { ...besideWith(unheld ?? {}, state), fingerprint };
}
