/** All that vouches for one checkpoint: the log's own signatures, and the newest cosignature by each witness key. */
import { concatBytes } from '../../protocol/bytes.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX, NOTE_SIGNATURES_MAX } from '../../protocol/limits.ts';
import { type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { encodeSignatureLine, type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type Cosigned } from '../../protocol/verdict/knowledge.ts';
import { type WitnessKey, type WitnessKeys } from './witness-keys.ts';

interface Vouched {
  readonly line: NoteSignature;
  readonly cosigned: Cosigned;
  /** Made when it is first told: most are followed by a newer one before. */
  encoded: EncodedLine | undefined;
}

/** A line as notes carry it: it is encoded once, and told again and again. */
interface EncodedLine {
  readonly text: string;
  readonly bytes: Uint8Array;
}

export class CosignaturePool {
  readonly text: string;
  readonly #primitives: Primitives;
  /** The log's own lines as notes carry them, by the id of the key. */
  readonly #own = new Map<string, EncodedLine>();
  /** The newest of each key, in the order of their names: of some dozens, so that a search costs less than the making of keys. */
  readonly #vouched: Vouched[] = [];
  #cosignatures: readonly Cosigned[] | undefined;
  /** The note up to the first line of a witness, and with all lines, until there are others. */
  #ownNote: Uint8Array | undefined;
  #whole: Uint8Array | undefined;
  /** By which the lines were looked at last. */
  #keys: WitnessKeys | undefined;

  constructor({ text }: Pick<OpenedCheckpoint, 'text'>, primitives: Primitives) {
    this.text = text;
    this.#primitives = primitives;
  }

  /** Takes the log's own lines of a checkpoint with this text that was opened with the log's keys. */
  takeOwn({ signers }: OpenedCheckpoint, lines: readonly NoteSignature[]): void {
    for (const key of signers) {
      const line = lines.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
      if (line === undefined) continue;
      this.#own.set(keyIdOf(this.#primitives.sha256, key.publicKey), encodeLine(line));
    }
    this.#ownNote = undefined;
    this.#whole = undefined;
  }

  /**
   * Takes what is newer among lines from anybody, and gives how many are. What is known already is not verified again, so that repeating a
   * line costs its sender more than the reader; times further ahead than any honest clock is are passed over, and so are lines that are not
   * good: two keys can have one key id, and who passes a line on may know the one and not the other. What a key signed that was given up
   * since is left out from then on.
   */
  take(lines: readonly NoteSignature[], keys: WitnessKeys, nowS: number): number {
    this.#leaveGivenUp(keys);
    let fresh = 0;
    for (const line of lines) {
      const place = this.#placeOf(line);
      if (!this.#isNewer(line, this.#vouched[place], nowS)) continue;
      const candidates = keys.of(line);
      const isFull = place < 0 && this.#vouched.length + 1 >= NOTE_SIGNATURES_MAX;
      if (isFull || candidates.every(({ isGivenUp }) => isGivenUp)) continue;
      const vouched = this.#verify(line, candidates);
      if (vouched === undefined) continue;
      this.#vouched[place < 0 ? this.#vouched.length : place] = vouched;
      this.#whole = undefined;
      this.#cosignatures = undefined;
      fresh++;
    }
    return fresh;
  }

  #leaveGivenUp(keys: WitnessKeys): void {
    if (keys === this.#keys) return;
    this.#keys = keys;
    const kept = this.#vouched.filter(({ line, cosigned }) => {
      return !keys.of(line).some(({ keyId, isGivenUp }) => isGivenUp && keyId === cosigned.keyId);
    });
    if (kept.length === this.#vouched.length) return;
    this.#vouched.splice(0, Infinity, ...kept);
    this.#whole = undefined;
    this.#cosignatures = undefined;
  }

  get cosignatures(): readonly Cosigned[] {
    return (this.#cosignatures ??= this.#vouched.map(({ cosigned }) => cosigned));
  }

  /** Ids of the log's keys that signed. */
  get logKeyIds(): string[] {
    return [...this.#own.keys()];
  }

  /** The note with the log's own lines alone. Not to be written to. */
  get ownNote(): Uint8Array {
    this.#ownNote ??= concatBytes(utf8Bytes(`${this.text}\n`), ...inOrder([...this.#own.values()]));
    return this.#ownNote;
  }

  /**
   * The note with all lines, or with the log's own and those whose names pass. Not to be written to. The log's own lines come first,
   * and both kinds in the order of their text: who knows the same lines has the same note.
   */
  note(isWanted?: (name: string) => boolean): Uint8Array {
    if (isWanted === undefined) return (this.#whole ??= this.#encode(() => true));
    return this.#encode(isWanted);
  }

  #encode(isWanted: (name: string) => boolean): Uint8Array {
    const vouched: EncodedLine[] = [];
    for (const one of this.#vouched) {
      if (isWanted(one.line.name)) vouched.push((one.encoded ??= encodeLine(one.line)));
    }
    return concatBytes(this.ownNote, ...inOrder(vouched));
  }

  #isNewer(line: NoteSignature, known: Vouched | undefined, nowS: number): boolean {
    const atS = claimedTimeOf(line);
    if (atS > nowS + CLOCK_AHEAD_S_MAX) return false;
    return known === undefined || atS > known.cosigned.timestampS;
  }

  /** -1 if its key has said nothing yet. */
  #placeOf({ name, keyId }: NoteSignature): number {
    return this.#vouched.findIndex(({ line }) => line.keyId === keyId && line.name === name);
  }

  /** Undefined where no key that counts made the line. */
  #verify(line: NoteSignature, candidates: readonly WitnessKey[]): Vouched | undefined {
    for (const { region, keyId, verifier, isGivenUp } of candidates) {
      try {
        const { timestampS } = verifyCosignature(verifier, this.text, line, this.#primitives.verifySignature);
        if (isGivenUp) return undefined;
        return {
          line: { ...line, bytes: line.bytes.slice() },
          cosigned: { region, keyId, timestampS },
          encoded: undefined,
        };
      } catch (error) {
        if (!isProtocolError(error)) throw error;
      }
    }
    return undefined;
  }
}

function encodeLine(line: NoteSignature): EncodedLine {
  const text = encodeSignatureLine(line);
  return { text, bytes: utf8Bytes(text) };
}

function inOrder(lines: EncodedLine[]): Uint8Array[] {
  return lines.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ bytes }) => bytes);
}

/** The time that a cosignature's line claims, before anything is verified; 0 for a line that is too short for one. */
export function claimedTimeOf({ bytes }: NoteSignature): number {
  if (bytes.length < 8) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
}
