/** A note as far as anybody can read it: nothing of it is proven. */
import { type Checkpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { type Note, parseNote } from '../../protocol/log/note.ts';

export interface ReadNote {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

/** @throws {ProtocolError} as `parseNote` and `parseCheckpoint`. */
export function readNote(bytes: Uint8Array): ReadNote {
  const note = parseNote(bytes);
  return { note, checkpoint: parseCheckpoint(note.text) };
}
