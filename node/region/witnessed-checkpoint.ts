/** The checkpoints of a region's trust log that lie published, its own newest one and those that its peers cosigned last. */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { encodeNote, type Note, parseNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { COSIGNATURE, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { readFileIfPresent } from './files.ts';
import { cosignaturePath } from './layout.ts';
import { type ReadModules } from './modules.ts';
import { checkpointKeys, type PublicRegion } from './public-region.ts';

export interface WitnessedCheckpoint extends Checkpoint {
  /** With good lines only: the log's, its region's own witness's, and those of its peers. */
  readonly note: Uint8Array;
  /** How many other regions vouch for it. */
  readonly vouching: number;
}

/**
 * Of what a region and its peers have published: the region's newest checkpoint, then older ones that a peer cosigned last. Peers
 * are those of `regions`; what they publish of another tree than the region's is passed over.
 */
export async function witnessedCheckpoints(
  of: PublicRegion,
  regions: readonly PublicRegion[],
  modules: ReadModules,
): Promise<readonly WitnessedCheckpoint[]> {
  const notes = new Map([[of.note.text, [...of.note.signatures]]]);
  for (const peer of regions) {
    const note = peer === of ? undefined : await cosignedBy(peer, of.checkpoint.origin);
    if (note === undefined) continue;
    notes.set(note.text, [...(notes.get(note.text) ?? []), ...note.signatures]);
  }
  return [...notes].flatMap(([text, signatures]) => {
    const checkpoint = text === of.note.text ? of.checkpoint : checkpointOn(of, text, modules);
    return (checkpoint && witnessed(of, { text, signatures }, checkpoint, regions, modules)) ?? [];
  });
}

/**
 * Every line is checked, since one bad line by a known key would make the whole note bad for its readers; of a key the newest is
 * kept, so that nobody fills the note.
 */
function witnessed(
  of: PublicRegion,
  { text, signatures }: Note,
  { origin, size, root }: Checkpoint,
  regions: readonly PublicRegion[],
  modules: ReadModules,
): WitnessedCheckpoint | undefined {
  const lines = new Map<string, NoteSignature>();
  for (const line of signatures) if (isByLog(of, text, line, modules)) lines.set(keyOf(line), line);
  if (lines.size === 0) return undefined;
  let vouching = 0;
  for (const witness of regions) {
    const cosigned = signatures
      .map((line) => ({ line, timestampS: timeOf(witness, text, line, modules) }))
      .filter(({ timestampS }) => timestampS !== undefined)
      .sort((a, b) => (a.timestampS ?? 0) - (b.timestampS ?? 0));
    for (const { line } of cosigned) lines.set(keyOf(line), line);
    if (witness !== of && cosigned.length > 0) vouching++;
  }
  return { origin, size, root, note: encodeNote({ text, signatures: [...lines.values()] }), vouching };
}

function keyOf({ name, keyId }: NoteSignature): string {
  return `${name} ${keyId}`;
}

/** What a region has published about another's log. */
async function cosignedBy(peer: PublicRegion, origin: string): Promise<Note | undefined> {
  const bytes = await readFileIfPresent(cosignaturePath(peer.path, origin), NOTE_BYTES_MAX);
  return bytes && unlessFaulty(() => parseNote(bytes));
}

/** The checkpoint that a text says, if the region's log has passed through it. */
function checkpointOn(of: PublicRegion, text: string, { sha256 }: ReadModules): Checkpoint | undefined {
  const checkpoint = unlessFaulty(() => parseCheckpoint(text));
  if (checkpoint?.origin !== of.checkpoint.origin || checkpoint.size >= of.checkpoint.size) return undefined;
  const tree = Frontier.empty(sha256);
  for (const entry of of.entries.slice(0, checkpoint.size)) tree.append(leafHash(sha256, entry));
  return equalBytes(tree.root(), checkpoint.root) ? checkpoint : undefined;
}

function isByLog(of: PublicRegion, text: string, line: NoteSignature, modules: ReadModules): boolean {
  const { origin } = of.checkpoint;
  if (line.name !== origin) return false;
  const keys = checkpointKeys(modules.sha256, of.state, origin);
  const bytes = encodeNote({ text, signatures: [line] });
  return unlessFaulty(() => openCheckpoint(bytes, keys, modules.verifySignature)) !== undefined;
}

/** When a region's witness cosigned by this line; undefined if it did not. */
function timeOf(
  { state }: PublicRegion,
  text: string,
  line: NoteSignature,
  { sha256, verifySignature }: ReadModules,
): number | undefined {
  const name = witnessName(state.region, state.network);
  if (line.name !== name) return undefined;
  for (const { publicKey } of state.keysWithRole('witness')) {
    const key = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
    const cosigned = unlessFaulty(() => verifyCosignature(key, text, line, verifySignature));
    if (cosigned !== undefined) return cosigned.timestampS;
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
