/** What somebody can sign who has the online keys of a region directory: another story of its trust log. */
import { join } from 'node:path';
import { type KeyedSigner } from '../../node/log/trust-log-work.ts';
import { keyNamesIn, type KeyFileModules, openKeyFile } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout, trustLogPath } from '../../node/region/layout.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { type Evidence } from '../../protocol/evidence/evidence.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sign } from '../../protocol/log/signature-line.ts';
import {
  encodeStatement,
  parseEntry,
  signStatement,
  type StatementSigner,
} from '../../protocol/trust/statement.ts';
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

  private constructor(
    { origin, entries }: { readonly origin: string; readonly entries: readonly Uint8Array[] },
    keys: { readonly checkpoint: KeyedSigner; readonly trustLog: KeyedSigner },
  ) {
    this.origin = origin;
    this.true = new ReferenceTree(entries);
    const { publicKey, keyId } = keys.checkpoint;
    this.checkpointKeyId = keyId;
    this.#key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    this.#sign = (message) => keys.checkpoint.sign(message);
    this.#trustLog = { keyId: keys.trustLog.keyId, sign: (message) => keys.trustLog.sign(message) };
  }

  static async of(directory: string, modules: KeyFileModules): Promise<Forger> {
    const { region, network } = await readRegionConfig(new RegionLayout(directory));
    const keys = join(directory, 'keys');
    const keyOf = async (role: KeyRole): Promise<KeyedSigner> => {
      const name = (await keyNamesIn(keys)).find((one) => one.role === role);
      if (name === undefined) throw new RangeError(`no ${role} key in ${keys}`);
      return { ...(await openKeyFile(keys, { region, network, ...name }, modules)), keyId: name.keyId };
    };
    const files = new LogFiles(trustLogPath(join(directory, 'public')));
    const entries: Uint8Array[] = [];
    for await (const entry of files.entries(0, await files.claimedSize())) entries.push(entry.slice());
    const origin = trustLogOrigin(region, network);
    return new Forger(
      { origin, entries },
      { checkpoint: await keyOf('checkpoint'), trustLog: await keyOf('trust-log') },
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
