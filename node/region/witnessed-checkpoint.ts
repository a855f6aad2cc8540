/** The checkpoints of a region's trust log that lie published, its own newest one and those that its peers cosigned last. */
import { join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX, LOG_LINES_MAX, NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Cosignature, verifyCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote, type Note, parseNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { COSIGNATURE, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type Cosigned } from '../../protocol/verdict/knowledge.ts';
import { isUnreadable, readPublishedFile } from './files.ts';
import { isNodeError } from '../node-error.ts';
import { copyPath, cosignaturePath } from './layout.ts';
import { type ReadModules } from './modules.ts';
import { checkpointKeys, type PublicRegion } from './public-region.ts';

export interface WitnessedCheckpoint extends Checkpoint {
  /** With good lines only: the log's, its region's own witness's, and those of its peers. */
  readonly note: Uint8Array;
  /** The same with those of the region itself alone: for which nobody else vouches. */
  readonly ownNote: Uint8Array;
  /** The other regions that vouch for it, at a time that can be true. */
  readonly vouching: readonly string[];
  /** Their cosignatures, and those of witnesses outside. */
  readonly cosigned: readonly Cosigned[];
}

export interface WitnessedBy {
  /** The regions that may vouch, without the one whose checkpoints these are. */
  readonly witnesses: readonly PublicRegion[];
  /** The region for which this is read. */
  readonly reader: PublicRegion;
  /** Keys of witnesses that are no region. */
  readonly outside?: readonly VerifierKey[] | undefined;
}

/**
 * Of what a region and its peers have published: the region's newest checkpoint, then older ones that a peer cosigned last. Each
 * peer vouches for what its own files say and for nothing else, whatever lines of others they hold: or else one of them could
 * publish an old checkpoint with all the cosignatures that it once had. Only the reader's own copy counts with all its lines. What
 * is no checkpoint of the region's tree is passed over.
 */
export async function witnessedCheckpoints(
  of: PublicRegion,
  { witnesses: peers, reader, outside = [] }: WitnessedBy,
  modules: ReadModules,
): Promise<readonly WitnessedCheckpoint[]> {
  const { origin } = of.checkpoint;
  const found = new Map<string, Found>();
  const add = (text: string, checkpoint: Checkpoint, lines: readonly GoodLine[]) => {
    const before = found.get(text)?.lines ?? [];
    found.set(text, { checkpoint, lines: [...before, ...lines] });
  };
  // Who signs a checkpoint may show who vouches for it; it is the newest anyway.
  add(of.note.text, of.checkpoint, goodLines(of.note, { of, peers, outside }, modules));
  for (const peer of peers) {
    for (const note of await notesOf(peer, of)) {
      const checkpoint = found.get(note.text)?.checkpoint ?? checkpointOn(of, note.text);
      const keys = peer === reader ? { peers, outside } : { peers: [peer], outside: [] };
      const lines = goodLines(note, { of, ...keys }, modules);
      if (checkpoint !== undefined && lines.some(({ region }) => region !== of.region))
        add(note.text, checkpoint, lines);
    }
  }
  return [...found].flatMap(([text, { checkpoint, lines }]) => {
    if (!lines.some(({ name }) => name === origin)) return [];
    const { size, root } = checkpoint;
    const own = lines.filter(({ region }) => region === of.region);
    const byOthers = lines.filter((line) => line.region !== of.region && isTimely(line, size, of, modules));
    const vouching = new Set(byOthers.flatMap(({ region }) => region ?? []));
    const noteOf = (some: readonly GoodLine[]) => encodeNote({ text, signatures: newestOfEach(some) });
    return {
      ...{ origin, size, root },
      vouching: [...vouching],
      cosigned: byOthers.flatMap(({ region, timestampS, publicKey }) => {
        return publicKey === undefined
          ? []
          : [{ region, timestampS, keyId: keyIdOf(modules.sha256, publicKey) }];
      }),
      note: noteOf([...own, ...byOthers]),
      ownNote: noteOf(own),
    };
  });
}

/**
 * The newest time that what a region has published proves by itself, in seconds: when its own witness cosigned the checkpoint, or its trust-log key signed
 * a statement last. What is of a time that has not come proves nothing; 0 where nothing is proven.
 */
export function saidAtS(of: PublicRegion, modules: ReadModules): number {
  const { note, state } = of;
  const cosigned = note.signatures.map((line) => wordOf(of, note.text, line, modules)?.timestampS ?? 0);
  const latestS = modules.nowS() + CLOCK_AHEAD_S_MAX;
  return Math.max(0, ...[state.lastAtS, ...cosigned].filter((atS) => atS <= latestS));
}

/**
 * Whether somebody can have seen the checkpoint then: not before its newest statement was made, and not later than now. Who says
 * otherwise would let the region seem old, or have no quorum, with a checkpoint that others could do without.
 */
function isTimely(
  { timestampS }: GoodLine,
  size: number,
  { state, checkpoint, entries }: PublicRegion,
  { nowS }: ReadModules,
): boolean {
  const last = entries.at(-1);
  // A root that was dated ahead, by a clock that was, is no reason to doubt those who vouched for it since.
  const times = [state.lastAtS, (last && atOf(last)) ?? 0].filter((atS) => atS <= nowS() + CLOCK_AHEAD_S_MAX);
  const madeAtS = size === checkpoint.size ? Math.max(0, ...times) : 0;
  return timestampS >= madeAtS - CLOCK_AHEAD_S_MAX && timestampS <= nowS() + CLOCK_AHEAD_S_MAX;
}

/** The `at` of an entry, whoever signed it; undefined for what is no statement. */
function atOf(entry: Uint8Array): number | undefined {
  return unlessFaulty(() => parseEntry(entry).statement.at);
}

interface Found {
  readonly checkpoint: Checkpoint;
  readonly lines: readonly GoodLine[];
}

interface GoodLine extends NoteSignature {
  /** Whose key signed; undefined of a witness outside. */
  readonly region: string | undefined;
  readonly timestampS: number;
  /** Of a witness. */
  readonly publicKey?: Uint8Array;
}

/** Every line is checked, since one bad line by a known key would make the whole note bad for its readers. */
function goodLines(
  { text, signatures }: Note,
  {
    of,
    peers,
    outside,
  }: {
    readonly of: PublicRegion;
    readonly peers: readonly PublicRegion[];
    readonly outside: readonly VerifierKey[];
  },
  modules: ReadModules,
): GoodLine[] {
  return signatures.flatMap((line) => {
    const { region } = of;
    if (isByLog(of, text, line, modules)) return { ...line, region, timestampS: 0 };
    for (const witness of [of, ...peers]) {
      const word = wordOf(witness, text, line, modules);
      if (word !== undefined) return { ...line, region: witness.region, ...word };
    }
    for (const key of outside) {
      const word = unlessFaulty(() => verifyCosignature(key, text, line, modules.verifySignature));
      if (word !== undefined)
        return { ...line, region: undefined, timestampS: word.timestampS, publicKey: key.publicKey };
    }
    return [];
  });
}

/** The newest line of each witness, as quorums count, and few of the log, those that were found last: a region with many keys fills no note. */
function newestOfEach(lines: readonly GoodLine[]): NoteSignature[] {
  const own = new Map<string, GoodLine>();
  const newest = new Map<string, GoodLine>();
  for (const line of lines)
    if (line.timestampS === 0) own.set(`${line.name} ${line.keyId}`, line);
    else if (line.timestampS >= (newest.get(line.name)?.timestampS ?? 0)) newest.set(line.name, line);
  return [...[...own.values()].slice(-LOG_LINES_MAX), ...newest.values()];
}

/** What a region has published about another's log: what its witness said last, and its copy. What is no note is passed over. */
async function notesOf(
  { path }: PublicRegion,
  { checkpoint: { origin }, fingerprint }: PublicRegion,
): Promise<readonly Note[]> {
  if (path === undefined) return [];
  const notes: Note[] = [];
  for (const file of [
    cosignaturePath(path, origin),
    join(copyPath(path, origin, fingerprint), 'checkpoint'),
  ]) {
    try {
      const bytes = await readPublishedFile(file, NOTE_BYTES_MAX);
      const note = bytes && unlessFaulty(() => parseNote(bytes));
      if (note !== undefined) notes.push(note);
    } catch (error) {
      if (!isNodeError(error) && !isUnreadable(error)) throw error;
    }
  }
  return notes;
}

/** The checkpoint that a text says, if the region's log has passed through it. */
function checkpointOn(of: PublicRegion, text: string): Checkpoint | undefined {
  const checkpoint = unlessFaulty(() => parseCheckpoint(text));
  if (checkpoint?.origin !== of.checkpoint.origin || checkpoint.size >= of.checkpoint.size) return undefined;
  return equalBytes(of.roots.at(checkpoint.size), checkpoint.root) ? checkpoint : undefined;
}

function isByLog(of: PublicRegion, text: string, line: NoteSignature, modules: ReadModules): boolean {
  const { origin } = of.checkpoint;
  if (line.name !== origin) return false;
  const keys = checkpointKeys(modules.sha256, of.state, origin);
  const bytes = encodeNote({ text, signatures: [line] });
  return unlessFaulty(() => openCheckpoint(bytes, keys, modules.verifySignature)) !== undefined;
}

/** When a region's witness cosigned by this line, with which key that may; undefined if it did not. */
function wordOf(
  { state }: PublicRegion,
  text: string,
  line: NoteSignature,
  { sha256, verifySignature }: ReadModules,
): Pick<Cosignature, 'timestampS' | 'publicKey'> | undefined {
  const name = witnessName(state.region, state.network);
  if (line.name !== name) return undefined;
  for (const { publicKey, fromS, untilS, compromise } of state.keysWithRole('witness')) {
    if (compromise !== undefined) continue;
    const key = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
    const cosigned = unlessFaulty(() => verifyCosignature(key, text, line, verifySignature));
    if (cosigned === undefined) continue;
    const { timestampS } = cosigned;
    return timestampS >= fromS && timestampS < untilS ? { timestampS, publicKey } : undefined;
  }
  return undefined;
}

function unlessFaulty<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
