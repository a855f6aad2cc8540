/** What somebody can sign who has the checkpoint key of a region directory: another story of its trust log. */
import { join } from 'node:path';
import { openKeyFile, keyNamesIn } from '../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout, trustLogPath } from '../../node/region/layout.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { type KeyFileModules } from '../../node/region/key-file.ts';
import { type Evidence } from '../../protocol/evidence/evidence.ts';
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';

export class Forger {
  readonly origin: string;
  /** The trust log as it is published. */
  readonly true: ReferenceTree;
  readonly #key: VerifierKey;
  readonly #sign: (message: Uint8Array) => Uint8Array;

  private constructor(
    { origin, entries }: { readonly origin: string; readonly entries: readonly Uint8Array[] },
    key: { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array },
  ) {
    this.origin = origin;
    this.true = new ReferenceTree(entries);
    this.#key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey: key.publicKey });
    this.#sign = (message) => key.sign(message);
  }

  static async of(directory: string, modules: KeyFileModules): Promise<Forger> {
    const { region, network } = await readRegionConfig(new RegionLayout(directory));
    const keys = join(directory, 'keys');
    const name = (await keyNamesIn(keys)).find(({ role }) => role === 'checkpoint');
    if (name === undefined) throw new RangeError(`no checkpoint key in ${keys}`);
    const files = new LogFiles(trustLogPath(join(directory, 'public')));
    const entries: Uint8Array[] = [];
    for await (const entry of files.entries(0, await files.claimedSize())) entries.push(entry.slice());
    const key = await openKeyFile(keys, { region, network, ...name }, modules);
    return new Forger({ origin: trustLogOrigin(region, network), entries }, key);
  }

  /** The log with another last entry, and others behind it. */
  other(...last: readonly Uint8Array[]): ReferenceTree {
    return new ReferenceTree([...this.true.entries.slice(0, -1), ...last]);
  }

  noteOn(tree: ReferenceTree, size = tree.entries.length): Uint8Array {
    const checkpoint = { origin: this.origin, size, root: tree.root(size) };
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
