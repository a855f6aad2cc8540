/**
 * All that vouches for one checkpoint: the log's own signatures, and the newest cosignature by each witness key, of few keys of each region. No region
 * keeps out the lines of others, whatever it signs with: a note that is passed on has no more lines than readers take.
 */
import { concatBytes } from '../../protocol/bytes.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { CLOCK_AHEAD_S_MAX, LOG_LINES_MAX, NOTE_SIGNATURES_MAX } from '../../protocol/limits.ts';
import { parseCheckpoint, type OpenedCheckpoint } from '../../protocol/log/checkpoint.ts';
import { verifyCosignature } from '../../protocol/log/cosignature.ts';
import { parseOrigin, witnessName, witnessRegion } from '../../protocol/log/origin.ts';
import { witnessRank } from '../../protocol/log/quorum.ts';
import { encodeSignatureLine, type NoteSignature } from '../../protocol/log/signature-line.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type Cosigned } from '../../protocol/verdict/knowledge.ts';
import { claimedTimeOf, newestFirst, placeFor } from './line-places.ts';
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
  /** The log's own lines as notes carry them, by the id of the key, those that came last behind: all that one note can have, of which few are passed on. */
  readonly #own = new Map<string, EncodedLine>();
  /** The newest of each key, in the order of their names: of some dozens, so that a search costs less than the making of keys. */
  readonly #vouched: Vouched[] = [];
  #cosignatures: readonly Cosigned[] | undefined;
  /** The note with all own lines, and with all that are passed on, until there are others. */
  #ownNote: Uint8Array | undefined;
  #whole: Uint8Array | undefined;
  /** By which the lines were looked at last. */
  #keys: WitnessKeys | undefined;
  /** The name of the witness of this node. */
  #ours: string | undefined;

  constructor({ text }: Pick<OpenedCheckpoint, 'text'>, primitives: Primitives) {
    this.text = text;
    this.#primitives = primitives;
  }

  /** Takes the log's own lines of a checkpoint with this text that was opened with the log's keys. */
  takeOwn({ signers, lines }: Pick<OpenedCheckpoint, 'signers' | 'lines'>): void {
    for (const [i, line] of lines.entries()) {
      const { publicKey } = signers[i] as VerifierKey;
      const keyId = keyIdOf(this.#primitives.sha256, publicKey);
      this.#own.delete(keyId);
      this.#own.set(keyId, encodeLine(line));
    }
    for (const keyId of [...this.#own.keys()].slice(0, -NOTE_SIGNATURES_MAX)) this.#own.delete(keyId);
    this.#ownNote = undefined;
    this.#whole = undefined;
  }

  /**
   * Takes what is newer among lines from anybody, and gives how many are. What is known already is not verified again, so that repeating a
   * line costs its sender more than the reader; times further ahead than any honest clock is are passed over, and so are lines that are not
   * good: two keys can have one key id, and who passes a line on may know the one and not the other. So are lines by keys that were not in force
   * then, which never count. What a key signed that was given up since is left out from then on. Of one region the newest lines stay.
   */
  take(lines: readonly NoteSignature[], keys: WitnessKeys, nowS: number): number {
    this.leaveGivenUp(keys);
    let fresh = 0;
    for (const line of newestFirst(lines)) {
      const known = this.#placeOf(line);
      const atS = claimedTimeOf(line);
      if (atS > nowS + CLOCK_AHEAD_S_MAX) continue;
      if (atS <= (this.#vouched[known]?.cosigned.timestampS ?? -1)) continue;
      const candidates = keys.of(line).filter(({ fromS, untilS }) => fromS <= atS && atS < untilS);
      if (candidates.every(({ isGivenUp }) => isGivenUp)) continue;
      const place = known < 0 ? placeFor(line, this.#lines, (name) => this.#rankOf(name)) : known;
      const vouched = place === undefined ? undefined : this.#verify(line, candidates);
      if (place === undefined || vouched === undefined) continue;
      this.#vouched[place] = vouched;
      this.#whole = undefined;
      this.#cosignatures = undefined;
      fresh++;
    }
    return fresh;
  }

  /** As `take`, with a line of this node's own witness, which has a place among any others. */
  vouch(line: NoteSignature, keys: WitnessKeys, nowS: number): number {
    this.#ours = line.name;
    return this.take([line], keys, nowS);
  }

  /** Leaves out what keys signed that were given up since, whenever they did. */
  leaveGivenUp(keys: WitnessKeys): void {
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

  /** Ids of those of the log's keys whose lines are passed on. */
  get logKeyIds(): string[] {
    return [...this.#own.keys()].slice(-LOG_LINES_MAX);
  }

  /** The note with the log's own lines alone, all of them: who judges by it is to know everybody who signed. Not to be written to. */
  get ownNote(): Uint8Array {
    return (this.#ownNote ??= this.#noteWith([...this.#own.values()]));
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
    return this.#noteWith([...this.#own.values()].slice(-LOG_LINES_MAX), vouched);
  }

  #noteWith(own: EncodedLine[], vouched: EncodedLine[] = []): Uint8Array {
    return concatBytes(utf8Bytes(`${this.text}\n`), ...inOrder(own), ...inOrder(vouched));
  }

  get #lines(): NoteSignature[] {
    return this.#vouched.map(({ line }) => line);
  }

  /** -1 if its key has said nothing yet. */
  #placeOf({ name, keyId }: NoteSignature): number {
    return this.#vouched.findIndex(({ line }) => line.keyId === keyId && line.name === name);
  }

  /** The own witness, that of the log's region, which says when it was heard of, and those whom the own policy asks for come before all others. */
  #rankOf(name: string): Uint8Array {
    const { origin } = parseCheckpoint(this.text);
    const { region, network } = parseOrigin(origin);
    const isFirst = name === this.#ours || name === witnessName(region, network);
    if (isFirst || this.#keys?.isAsked(name) === true) return new Uint8Array();
    return witnessRank(this.#primitives.sha256, origin, witnessRegion(name, network) ?? name);
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
