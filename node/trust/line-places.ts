/** Which lines of witnesses have a place under a checkpoint, where there are more than a note takes. Spec: SPEC.md 9. */
import { compareBytes } from '../../protocol/bytes.ts';
import { LOG_LINES_MAX, NOTE_SIGNATURES_MAX, WITNESS_LINES_MAX } from '../../protocol/limits.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';

/** What the lines of the log leave of a note. */
const PLACES = NOTE_SIGNATURES_MAX - LOG_LINES_MAX;

/**
 * The index at which a line goes that is by none of the keys of the `held` ones: a new one, or that of a line which gives way; undefined if it has no
 * place. Of the same region the oldest gives way. Where all places are taken, it is the older one of a region that has two, the oldest of these, so that
 * each has one, its newest; and where none has two, that of the region which comes last among the witnesses of the log: `rankOf` is by the name of the
 * witness, the lowest first.
 */
export function placeFor(
  line: NoteSignature,
  held: readonly NoteSignature[],
  rankOf: (name: string) => Uint8Array,
): number | undefined {
  const ofSame = held.filter(({ name }) => name === line.name);
  if (ofSame.length < WITNESS_LINES_MAX && held.length < PLACES) return held.length;
  const all = ofSame.length < WITNESS_LINES_MAX ? [...held, line] : [...ofSame, line];
  const [gone] = olderOfEach(all);
  if (gone !== undefined) return gone === line ? undefined : held.indexOf(gone);
  const [last] = held
    .map(({ name }, index) => ({ index, rank: rankOf(name) }))
    .sort((a, b) => compareBytes(b.rank, a.rank));
  return last !== undefined && compareBytes(rankOf(line.name), last.rank) < 0 ? last.index : undefined;
}

/** Those that are not the newest of their region, the oldest first. */
function olderOfEach(lines: readonly NoteSignature[]): NoteSignature[] {
  const newest = new Map<string, NoteSignature>();
  for (const line of lines) {
    const known = newest.get(line.name);
    if (known === undefined || compareTimes(line, known) > 0) newest.set(line.name, line);
  }
  return lines
    .filter((line) => newest.get(line.name) !== line)
    .sort((a, b) => compareTimes(a, b) || (a.name < b.name ? -1 : 1));
}

/** By the times that they claim: of many lines of one region those that stay are looked at first. */
export function newestFirst(lines: readonly NoteSignature[]): readonly NoteSignature[] {
  return lines.length < 2 ? lines : [...lines].sort((a, b) => compareTimes(b, a));
}

/** The time that a cosignature's line claims, before anything is verified; 0 for a line that is too short for one. */
export function claimedTimeOf({ bytes }: NoteSignature): number {
  if (bytes.length < 8) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}

/** Of equal times by the ids of their keys, so that who knows the same lines keeps the same. */
function compareTimes(a: NoteSignature, b: NoteSignature): number {
  return claimedTimeOf(a) - claimedTimeOf(b) || a.keyId - b.keyId;
}
