/** Another region that may have vouched for a log: its witness keys, and the cosignatures that it publishes. */
import { isProtocolError } from '../../protocol/fault.ts';
import { NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { witnessName } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { readPublishedFile } from '../region/files.ts';
import { cosignaturePath } from '../region/layout.ts';
import { readPublicRegion } from '../region/public-region.ts';
import { KeyBook } from './attest-key.ts';

export interface WitnessRegion {
  readonly region: string;
  readonly network: string;
  readonly keys: KeyBook;
  /** Its own lines on this text of a checkpoint, as it publishes them. Nothing of them is proven. */
  readonly linesOn?: (origin: string, text: string) => Promise<readonly NoteSignature[]>;
}

/** The region that publishes at `path`. Rejects as `readPublicRegion`. */
export async function readWitnessRegion(path: string, modules: TrustModules): Promise<WitnessRegion> {
  const { region, network, state } = await readPublicRegion(path, {}, modules);
  const keys = new KeyBook();
  keys.learn(state);
  const linesOn = async (origin: string, text: string) => {
    const bytes = await readPublishedFile(cosignaturePath(path, origin), NOTE_BYTES_MAX);
    return bytes === undefined ? [] : linesBy(witnessName(region, network), text, bytes);
  };
  return { region, network, keys, linesOn };
}

function linesBy(witness: string, text: string, bytes: Uint8Array): readonly NoteSignature[] {
  try {
    const note = parseNote(bytes);
    return note.text === text ? note.signatures.filter(({ name }) => name === witness) : [];
  } catch (error) {
    if (isProtocolError(error)) return [];
    throw error;
  }
}
