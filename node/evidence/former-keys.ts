/**
 * The keys that signed the logs of regions and that their states have forgotten since: they are over, and what they signed is the word of the region
 * all the same. So it does not matter when a proof of a fork comes. Spec: SPEC.md 18.2.
 */
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type Note } from '../../protocol/log/note.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { isNodeError } from '../node-error.ts';
import { type Clock } from '../ports.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Turns } from '../turns.ts';
import { type NamedStatements } from './named-statements.ts';

type Log = Pick<TrustKeeper, 'region' | 'state' | 'tree' | 'left'>;

export interface FormerKeysModules extends Primitives {
  readonly clock: Pick<Clock, 'wait'>;
  readonly keeper: (region: string) => Log | undefined;
  readonly named: Pick<NamedStatements, 'have'>;
}

/** A key of the role `checkpoint` that an entry names, whether with effect or not. */
interface Naming {
  readonly index: number;
  readonly publicKey: Uint8Array;
  readonly keyId: string;
}

/** What the first `size` entries of a log name. */
interface Read {
  readonly log: Log;
  /** How many branches it had left then. */
  readonly left: number;
  readonly naming: Naming[];
  size: number;
}

/** Entries that are read before others have their turn. */
const STEP = 512;

export class FormerKeys {
  readonly #modules: FormerKeysModules;
  readonly #turns = new Turns();
  /** By region, of those that are held: each entry is read once. */
  readonly #read = new Map<string, Read>();

  constructor(modules: FormerKeysModules) {
    this.#modules = modules;
  }

  /**
   * The keys that the state of a log's region does not name as such, that an entry with effect has named, and that have signed one of the two notes. What an
   * entry had for effect is looked at last: a fold may be needed for it. None where the log is not held from its first entry on, or cannot be read.
   * @throws {ProtocolError} as `readNote`.
   */
  async of(origin: string, { sides }: Pick<ForkEvidence, 'sides'>): Promise<VerifierKey[]> {
    const { region } = parseOrigin(origin);
    const notes = sides.map(({ note }) => readNote(note).note);
    try {
      return await this.#turns.take(region, () => this.#signersOf(notes, origin, region));
    } catch (error) {
      // Known keys may have signed all the same.
      if (isNodeError(error)) return [];
      throw error;
    }
  }

  async #signersOf(notes: readonly Note[], origin: string, region: string): Promise<VerifierKey[]> {
    const log = this.#modules.keeper(region);
    if (log === undefined || log.tree.head.minimum > 0) return [];
    const { naming } = await this.#readOn(log);
    const former = naming.filter(({ keyId }) => log.state.key(keyId)?.role !== 'checkpoint');
    const found: VerifierKey[] = [];
    for (const { index, publicKey } of former) {
      const key = makeVerifierKey(this.#modules.sha256, { name: origin, algorithm: ED25519, publicKey });
      const hasSigned = notes.some((note) => this.#isSignedBy(note, key));
      if (hasSigned && (await this.#hasEffect(log, index))) found.push(key);
    }
    return found;
  }

  async #readOn(log: Log): Promise<Read> {
    const read = this.#readOf(log) ?? { log, left: log.left.count, naming: [], size: 0 };
    for (const region of this.#read.keys())
      if (this.#modules.keeper(region) === undefined) this.#read.delete(region);
    this.#read.set(log.region, read);
    for await (const bytes of log.tree.reader.entries(read.size, log.tree.size)) {
      read.naming.push(...this.#namingIn(bytes, read.size++));
      if (read.size % STEP === 0) await this.#modules.clock.wait(0);
    }
    // Another branch may have taken its place meanwhile.
    return this.#readOf(log) ?? this.#readOn(log);
  }

  #readOf(log: Log): Read | undefined {
    const read = this.#read.get(log.region);
    const goesOn = read?.log === log && read.left === log.left.count && read.size <= log.tree.size;
    return goesOn ? read : undefined;
  }

  #namingIn(bytes: Uint8Array, index: number): Naming[] {
    try {
      const { statement } = parseEntry(bytes.slice());
      if (statement.kind !== 'keys') return [];
      return statement.keys
        .filter(({ role }) => role === 'checkpoint')
        .map(({ key }) => ({ index, publicKey: key, keyId: keyIdOf(this.#modules.sha256, key) }));
    } catch (error) {
      if (isProtocolError(error)) return [];
      throw error;
    }
  }

  #isSignedBy({ text, signatures }: Note, { name, keyId, publicKey }: VerifierKey): boolean {
    return signatures.some(
      (line) =>
        line.name === name &&
        line.keyId === keyId &&
        this.#modules.verifySignature({ publicKey, message: utf8Bytes(text), signature: line.bytes }),
    );
  }

  async #hasEffect(log: Log, index: number): Promise<boolean> {
    const entries: Uint8Array[] = [];
    for await (const entry of log.tree.reader.entries(index, index + 1)) entries.push(entry.slice());
    return this.#modules.named.have(log.region, entries);
  }
}
