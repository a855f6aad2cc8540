/**
 * Where a peer holds another tree of a trust log than this node, looks whether a witness has cosigned both, and makes evidence of that. Asks
 * before it believes: of either tree the log's own key has to have signed it, and it has to begin with the root that is followed here. Spec:
 * SPEC.md 14.6, 18.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { encodeEvidenceIfTaken, type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { isDisowned, verifyEvidence } from '../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type ReadNote, readNote } from '../../protocol/log/checkpoint.ts';
import { encodeNote, type Note } from '../../protocol/log/note.ts';
import { parseOrigin, witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { RecentMap } from '../../protocol/recent-map.ts';
import { continuesRoots } from '../../protocol/trust/branch.ts';
import { readNaming } from '../../protocol/trust/naming.ts';
import { type TrustKey, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { LogView } from '../log/log-view.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type SyncClient } from '../sync/sync-client.ts';
import { groundStatements, type GroundStatements } from '../trust/ground-statements.ts';
import { type HeldState } from '../trust/held-state.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type EvidenceBook } from './evidence-book.ts';
import { givenUpLast, goodLineOf, type LineKeys } from './good-line.ts';

export interface WitnessWatchModules extends TrustModules {
  readonly clock: Clock;
  readonly client: Pick<SyncClient, 'ask'>;
  readonly keepers: () => ReadonlyMap<string, TrustKeeper>;
  readonly evidence: Pick<EvidenceBook, 'take' | 'accusations' | 'hasRoomFor'>;
  /** Told of errors of our own disk. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
}

type Side = EvidenceOf<'cosignatures'>['sides'][0];

/** When the next look may be, and how many witnesses those before it have come to. */
interface Look {
  readonly untilMs: number;
  readonly witnesses: number;
  /** When it may be where there is more to see: how many had cosigned what is held here, -1 where the look broke off, and how many such looks there were. */
  readonly againMs: number;
  readonly cosigners: number;
  readonly early: number;
}

/** A witness whose lines stand on both notes. */
interface InBoth {
  readonly witness: TrustKeeper;
  readonly held: HeldState;
}

/** Milliseconds between two looks at what one peer holds of one log, and looks that are remembered: 64 logs shown by 64 peers. */
const PAUSE_MS = 60_000;
/** Milliseconds until a look that broke off is made again, or one after which others have cosigned what is held here; and how often one peer may have that. */
const AGAIN_MS = 5_000;
const EARLY_MAX = 8;
const NO_LOOK: Look = { untilMs: 0, witnesses: 0, againMs: 0, cosigners: -1, early: 0 };
const LOOKS_REMEMBERED = 4_096;
/** Witnesses that are looked at together, and others the next time: each costs reading two trust logs. */
const AT_ONCE_MAX = 4;

export class WitnessWatch {
  readonly #modules: WitnessWatchModules;
  /** By log and peer. */
  readonly #looks = new RecentMap<Look>(LOOKS_REMEMBERED);

  constructor(modules: WitnessWatchModules) {
    this.#modules = modules;
  }

  /** A peer holds another tree of this log, if it is a trust log, than is held here. Never rejects. */
  async look(peer: string, origin: string): Promise<void> {
    const { clock, keepers, onTrouble } = this.#modules;
    const { kind, region } = parseOrigin(origin);
    const keeper = keepers().get(region);
    const name = `${origin} ${peer}`;
    const nowMs = clock.runMs();
    if (kind !== 'trust' || keeper === undefined) return;
    const before = this.#looks.get(name) ?? NO_LOOK;
    const cosigners = cosignersOf(keeper);
    const isEarly = nowMs < before.untilMs;
    const hasMore = nowMs >= before.againMs && cosigners > before.cosigners && before.early < EARLY_MAX;
    if (isEarly && !hasMore) return;
    const look: Look = {
      untilMs: nowMs + PAUSE_MS,
      witnesses: before.witnesses + AT_ONCE_MAX,
      againMs: nowMs + AGAIN_MS,
      cosigners,
      early: before.early + Number(isEarly),
    };
    this.#looks.set(name, look);
    try {
      await this.#compare(peer, keeper, before.witnesses);
    } catch (error) {
      if (isNodeError(error, 'PEER_UNREACHABLE'))
        this.#looks.set(name, { ...look, witnesses: before.witnesses, cosigners: -1 });
      // What a peer says may prove nothing; and of a log that begins later here nobody can be told how it begins.
      const isNothing =
        isProtocolError(error) ||
        ['PEER_UNREACHABLE', 'NOT_FOUND', 'LOG_PRUNED'].some((code) =>
          isNodeError(error, code as 'NOT_FOUND'),
        );
      if (!isNothing) onTrouble(error);
    }
  }

  /** Begins behind so many of the witnesses, in a circle, that whoever stands behind others has his turn too. */
  async #compare(peer: string, keeper: TrustKeeper, behind: number): Promise<void> {
    const { client, keepers } = this.#modules;
    const { origin } = keeper;
    const proven = this.#provenOn(origin);
    const { note, path: firstPath } = await client.ask(peer, { kind: 'claim', origin, size: 1 });
    const theirs = readNote(note);
    const names = new Set(theirs.note.signatures.map(({ name }) => name));
    const inBoth = [...keepers().values()].flatMap((witness): InBoth[] => {
      if (proven.has(witness.region)) return [];
      const held = cosignedBy(witness.region, keeper);
      return held !== undefined && names.has(nameOf(witness)) ? [{ witness, held }] : [];
    });
    const first = behind % Math.max(inBoth.length, 1);
    const inTurn = [...inBoth.slice(first), ...inBoth.slice(0, first)];
    for (const one of inTurn.slice(0, AT_ONCE_MAX)) {
      try {
        await this.#examine(peer, keeper, one, { theirs, firstPath });
      } catch (error) {
        // A line that is not good, or of another time, says nothing of the next witness.
        if (!isProtocolError(error)) throw error;
      }
    }
  }

  async #examine(
    peer: string,
    keeper: TrustKeeper,
    { witness, held }: InBoth,
    { theirs, firstPath }: { readonly theirs: ReadNote } & Pick<Side, 'firstPath'>,
  ): Promise<void> {
    const { origin } = keeper;
    const size = Math.min(held.checkpoint.size, theirs.checkpoint.size);
    // Where there is no room now, there is once what takes it is disowned: then it is looked at again.
    const { evidence } = this.#modules;
    if (!evidence.hasRoomFor({ kind: 'cosignatures', region: witness.region, origin, at: size })) return;
    const ours = await this.#sideHere(keeper, held, size, nameOf(witness));
    const claim = await this.#modules.client.ask(peer, { kind: 'claim', origin, size });
    if (readNote(claim.note).note.text !== theirs.note.text || equalBytes(claim.root, ours.root)) return;
    const side = { note: encodeNote(theirs.note), root: claim.root, path: claim.path, firstPath };
    await this.#prove(keeper, witness, { peer, size, sides: [ours, side] });
  }

  async #sideHere(
    { tree }: TrustKeeper,
    { checkpoint, pool }: HeldState,
    oldSize: number,
    witness: string,
  ): Promise<Side> {
    const view = new LogView(tree, this.#modules);
    const { size: newSize } = checkpoint;
    return {
      note: pool.note((name) => name === witness),
      root: await tree.reader.rootAt(oldSize),
      path: await view.consistencyProof({ oldSize, newSize }),
      firstPath: await view.inclusionProof({ index: 0, size: newSize }),
    };
  }

  async #prove(
    keeper: TrustKeeper,
    witness: TrustKeeper,
    { peer, size, sides }: { readonly peer: string; readonly size: number; readonly sides: [Side, Side] },
  ): Promise<void> {
    const { keepers, evidence } = this.#modules;
    const notes = sides.map(({ note }) => readNote(note).note);
    const named = new Map<TrustKeeper, GroundStatements>();
    for (const one of [keeper, witness].sort((a, b) => (a.region < b.region ? -1 : 1)))
      named.set(one, await this.#namedBy(one, keeper.origin, notes));
    const roles: LineKeys[] = [
      { name: keeper.origin, algorithm: ED25519, keys: keysOf(keeper, named, 'checkpoint') },
      { name: nameOf(witness), algorithm: COSIGNATURE, keys: keysOf(witness, named, 'witness') },
    ];
    const lines = notes.map((note) => roles.map((role) => goodLineOf(note, role, this.#modules)));
    const good = lines.flat().filter((one) => one !== undefined);
    if (good.length < roles.length * notes.length) return;
    const isOne = (publicKey: Uint8Array) => good.some(({ key }) => equalBytes(key.publicKey, publicKey));
    const grounds = [];
    for (const [{ region, state }, { statements }] of named) {
      const of = { region, network: state.network };
      grounds.push((await groundStatements(of, statements, isOne, this.#modules)).statements);
    }
    const signed = sides.map((side, i) => {
      const signatures = (lines[i] ?? []).flatMap((one) => one?.line ?? []);
      return { ...side, note: encodeNote({ text: notes[i]?.text ?? '', signatures }) };
    }) as [Side, Side];
    const made: EvidenceOf<'cosignatures'> = {
      kind: 'cosignatures',
      grounds,
      witness: witness.region,
      size,
      sides: signed,
    };
    const proven = verifyEvidence(made, () => true, this.#modules);
    // A witness leaves the tree of a thief rightly.
    if (isDisowned(proven, (region) => keepers().get(region)?.state)) return;
    const there = await this.#namedAt(peer, keeper);
    if (isDisowned(proven, (region) => (region === keeper.region ? there : undefined))) return;
    const file = encodeEvidenceIfTaken(made);
    if (file !== undefined) await evidence.take(file);
  }

  /** What the root says of branches of a log as the peer holds it, by which a witness may have left the one that is held here; undefined where it is not that root. */
  async #namedAt(peer: string, { origin, state }: TrustKeeper): Promise<TrustState | undefined> {
    try {
      const { statements } = await this.#modules.client.ask(peer, { kind: 'naming', origin });
      const there = readNaming(state, statements, this.#modules);
      return continuesRoots(there, state) ? there : undefined;
    } catch (error) {
      // Who has none to show, or shows what is none, lets nobody off.
      if (isProtocolError(error) || isNodeError(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** Against whom a proof about this log is kept that is not disowned: one is enough. */
  #provenOn(log: string): Set<string> {
    const standing = this.#modules.evidence.accusations.filter(
      ({ kind, origin, isDisowned: isOver }) => kind === 'cosignatures' && origin === log && !isOver,
    );
    return new Set(standing.map(({ region }) => region));
  }

  /** With what names the keys by which a region has signed as a log or as a witness, as lines of these notes say. */
  #namedBy(
    { region, tree, state: { network } }: TrustKeeper,
    origin: string,
    notes: readonly Note[],
  ): Promise<GroundStatements> {
    const { sha256 } = this.#modules;
    const said = new Set(
      notes.flatMap(({ signatures }) => signatures.map(({ name, keyId }) => `${name} ${keyId}`)),
    );
    const roles = [
      { name: origin, algorithm: ED25519 },
      { name: witnessName(region, network), algorithm: COSIGNATURE },
    ] as const;
    const hasSigned = (publicKey: Uint8Array): boolean =>
      roles.some(({ name, algorithm }) => {
        const { keyId } = makeVerifierKey(sha256, { name, algorithm, publicKey });
        return said.has(`${name} ${keyId}`);
      });
    const entries = tree.reader.entries(tree.head.minimum, tree.size);
    return groundStatements({ region, network }, entries, hasSigned, this.#modules);
  }
}

function keysOf(
  keeper: TrustKeeper,
  named: ReadonlyMap<TrustKeeper, GroundStatements>,
  role: 'checkpoint' | 'witness',
): TrustKey[] {
  return givenUpLast(named.get(keeper)?.state.keysWithRole(role) ?? [], keeper.state);
}

/** The newest of what is held of a log that a witness has cosigned. */
function cosignedBy(witness: string, keeper: TrustKeeper): HeldState | undefined {
  return heldOf(keeper).findLast(({ pool }) => pool.cosignatures.some(({ region }) => region === witness));
}

/** How many regions have cosigned any of it. */
function cosignersOf(keeper: TrustKeeper): number {
  const regions = heldOf(keeper).flatMap(({ pool }) =>
    pool.cosignatures.flatMap(({ region }) => region ?? []),
  );
  return new Set(regions).size;
}

function heldOf({ published, pending }: TrustKeeper): readonly HeldState[] {
  return published === undefined ? pending : [published, ...pending];
}

function nameOf({ region, state: { network } }: TrustKeeper): string {
  return witnessName(region, network);
}
