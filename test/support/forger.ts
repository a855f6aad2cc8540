/** What somebody can sign who has the online keys of a region directory: another story of its trust log. */
import { join } from 'node:path';
import { type KeyedSigner } from '../../node/log/trust-log-work.ts';
import { keyNamesIn, type KeyFileModules, openKeyFile } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout, trustLogPath } from '../../node/region/layout.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { type Evidence } from '../../protocol/evidence/evidence.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { parseOrigin, trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sign } from '../../protocol/log/signature-line.ts';
import {
  encodeStatement,
  parseEntry,
  signStatement,
  type StatementSigner,
} from '../../protocol/trust/statement.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { type KeyRole } from '../../protocol/trust/trust-state.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';

export class Forger {
  readonly origin: string;
  /** The trust log as it is published. */
  readonly true: ReferenceTree;
  /** Of the checkpoint key that it signs with: any of those that the region has. */
  readonly checkpointKeyId: string;
  readonly #key: VerifierKey;
  readonly #sign: Sign;
  readonly #trustLog: StatementSigner;
  readonly #witness: VerifierKey;
  readonly #signAsWitness: Sign;

  private constructor(
    { origin, entries }: { readonly origin: string; readonly entries: readonly Uint8Array[] },
    keys: { readonly checkpoint: KeyedSigner; readonly trustLog: KeyedSigner; readonly witness: KeyedSigner },
  ) {
    const { region, network } = parseOrigin(origin);
    this.origin = origin;
    this.true = new ReferenceTree(entries);
    const { publicKey, keyId } = keys.checkpoint;
    this.checkpointKeyId = keyId;
    this.#key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    this.#sign = (message) => keys.checkpoint.sign(message);
    this.#trustLog = { keyId: keys.trustLog.keyId, sign: (message) => keys.trustLog.sign(message) };
    const name = witnessName(region, network);
    this.#witness = makeVerifierKey(sha256, {
      name,
      algorithm: COSIGNATURE,
      publicKey: keys.witness.publicKey,
    });
    this.#signAsWitness = (message) => keys.witness.sign(message);
  }

  static async of(directory: string, modules: KeyFileModules): Promise<Forger> {
    const { region, network } = await readRegionConfig(new RegionLayout(directory));
    const keys = join(directory, 'keys');
    const files = new LogFiles(trustLogPath(join(directory, 'public')));
    const entries: Uint8Array[] = [];
    for await (const entry of files.entries(0, await files.claimedSize())) entries.push(entry.slice());
    const inForce = keysInForce(entries, Math.floor(Date.now() / 1_000));
    const keyOf = async (
      role: KeyRole,
      isWanted: (keyId: string) => boolean = () => true,
    ): Promise<KeyedSigner> => {
      const names = (await keyNamesIn(keys)).filter((one) => one.role === role);
      const name = names.find(({ keyId }) => isWanted(keyId)) ?? names[0];
      if (name === undefined) throw new RangeError(`no ${role} key in ${keys}`);
      return { ...(await openKeyFile(keys, { region, network, ...name }, modules)), keyId: name.keyId };
    };
    const origin = trustLogOrigin(region, network);
    return new Forger(
      { origin, entries },
      {
        checkpoint: await keyOf('checkpoint'),
        trustLog: await keyOf('trust-log'),
        // A line by a key of another time counts nowhere.
        witness: await keyOf('witness', (keyId) => inForce.has(keyId)),
      },
    );
  }

  /** The log with a statement of the trust-log key behind it. */
  grown(statement: Parameters<typeof encodeStatement>[0]): ReferenceTree {
    const { keyId, sign } = this.#trustLog;
    const entry = signStatement(this.origin, encodeStatement(statement), [{ keyId, sign }]);
    return new ReferenceTree([...this.true.entries, entry]);
  }

  /** The log with another last entry, and others behind it. */
  other(...last: readonly Uint8Array[]): ReferenceTree {
    return new ReferenceTree([...this.true.entries.slice(0, -1), ...last]);
  }

  noteOn(tree: ReferenceTree, size = tree.entries.length): Uint8Array {
    const checkpoint = { origin: this.origin, size, root: tree.root(size) };
    return encodeNote(signCheckpoint(checkpoint, this.#key, this.#sign));
  }

  /** On a tree that there is not. */
  noteAhead(size: number): Uint8Array {
    const checkpoint = { origin: this.origin, size, root: sha256(new Uint8Array(1)) };
    return encodeNote(signCheckpoint(checkpoint, this.#key, this.#sign));
  }

  /** Says of a tree of anybody, as the witness of its region, that it is the largest consistent one that it saw; of two trees as well. */
  cosigned(note: Uint8Array, atS: number): Uint8Array {
    const { text, signatures } = parseNote(note);
    const line = signCosignature(this.#witness, text, atS, this.#signAsWitness);
    return encodeNote({ text, signatures: [...signatures, line] });
  }

  /** Two trees of one size. */
  fork(other = this.other(Uint8Array.of(0))): ForkEvidence {
    const size = this.true.entries.length;
    const side = (tree: ReferenceTree) => ({
      note: this.noteOn(tree, size),
      root: tree.root(size),
      path: [],
    });
    return { size, sides: [side(this.true), side(other)] };
  }

  evidence({ size, sides }: ForkEvidence = this.fork()): Evidence {
    const grounds = this.true.entries.filter((entry) => {
      const { kind } = parseEntry(entry).statement;
      return kind === 'root' || kind === 'keys';
    });
    return { kind: 'fork', grounds: [grounds], size, sides: [...sides] };
  }
}

/** The ids of the keys that statements in these entries name for a time. */
function keysInForce(entries: readonly Uint8Array[], atS: number): ReadonlySet<string> {
  const keyIds = entries.flatMap((entry) => {
    const { statement } = parseEntry(entry);
    if (statement.kind !== 'keys') return [];
    const valid = statement.keys.filter(({ from, until }) => from <= atS && atS < until);
    return valid.map(({ key }) => keyIdOf(sha256, key));
  });
  return new Set(keyIds);
}
