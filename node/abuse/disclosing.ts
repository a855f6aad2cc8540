/** Making a disclosure: what opens a stretch of the own log, encrypted to one auditor. Spec: SPEC.md 22. */
import { Encrypter } from 'age-encryption';
import { pathOf } from '../../protocol/code/commitment.ts';
import {
  type DisclosedLeaf,
  type Disclosure,
  encodeDisclosure,
  isNobodys,
} from '../../protocol/disclosure/disclosure.ts';
import { DISCLOSURE_LEAVES_MAX } from '../../protocol/limits.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type LogTree } from '../log/log-tree.ts';
import { NodeError } from '../node-error.ts';
import { type Told } from '../operators/acting.ts';
import { type Clock } from '../ports.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';

export interface DisclosureOrder {
  readonly log: string;
  readonly from: number;
  readonly until: number;
  /** The auditor's public key, an X25519 recipient of age: `age1...`. */
  readonly auditor: string;
}

export interface Disclosed {
  /** A file of age. */
  readonly bytes: Uint8Array;
  /** Leaves that are opened in it. */
  readonly opened: number;
  /** Leaves of which it shows that they are nobody's. */
  readonly nobodys: number;
}

export interface DisclosingModules {
  readonly registry: () => Registry;
  readonly sha256: Sha256;
  readonly clock: Clock;
  /** Entries of each own attestation log, by its id. */
  readonly sizes: () => Readonly<Record<string, number>>;
  /** An own log that is open. */
  readonly log: (origin: string) => Pick<LogTree, 'head' | 'reader'> | undefined;
}

/** How the trail tells of it: who can read what. */
export function toldOfDisclosure({ log, from, until, auditor }: DisclosureOrder): Told {
  return { count: Math.max(0, until - from), about: `${log} from ${from} for ${auditor}` };
}

/** Of age: the key that a person passes on. */
export const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

export class Disclosing {
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: DisclosingModules;

  constructor(names: { readonly region: string; readonly network: string }, modules: DisclosingModules) {
    this.#names = names;
    this.#modules = modules;
  }

  /** @throws {NodeError} NOT_FOUND for leaves that there are not, REFUSED for too many or a key that is none. Rejects as the registry. */
  async disclose({ log, from, until, auditor }: DisclosureOrder): Promise<Disclosed> {
    const { registry, sha256, clock, sizes } = this.#modules;
    const size = sizes()[log] ?? 0;
    if (from >= until || until > size)
      throw new NodeError(
        'NOT_FOUND',
        `the log ${log} has ${size} leaves, ${from} to ${until} were asked for`,
        {
          hint: 'Name a range of leaves that there are: --from is the first, --until the one behind the last.',
        },
      );
    if (until - from > DISCLOSURE_LEAVES_MAX)
      throw new NodeError('REFUSED', `a disclosure has at most ${DISCLOSURE_LEAVES_MAX} leaves`, {
        hint: 'Make several.',
      });
    const leaves = new Array<Disclosure['leaves'][number]>(until - from).fill(undefined);
    let opened = 0;
    for await (const record of registry().withBases({ log, from, until })) {
      leaves[record.index - from] = leafOf(sha256, record);
      opened++;
    }
    const nobodys = await this.#showNobodys({ log, from, until }, leaves);
    const { region, network } = this.#names;
    const atS = Math.floor(clock.nowMs() / 1_000);
    const plain = encodeDisclosure({ region, network, log, from, until, atS, auditor, leaves });
    return { bytes: await encrypterTo(auditor).encrypt(plain), opened, nobodys };
  }

  /** Adds the secrets of leaves that are nobody's, and says of how many. What the log has given up cannot be told from what was forgotten. */
  async #showNobodys(
    { log, from, until }: Omit<DisclosureOrder, 'auditor'>,
    leaves: Disclosure['leaves'][number][],
  ): Promise<number> {
    const { region, network } = this.#names;
    const { registry, sha256 } = this.#modules;
    const tree = this.#modules.log(attestationLogOrigin(region, network, log));
    let index = Math.max(from, tree?.head.minimum ?? until);
    let nobodys = 0;
    if (tree === undefined || index >= until) return nobodys;
    for await (const entry of tree.reader.entries(index, until)) {
      const secret = { secret: registry().paddingSecret({ log, index }) };
      if (leaves[index - from] === undefined && isNobodys(sha256, entry, secret)) {
        leaves[index - from] = secret;
        nobodys++;
      }
      index++;
    }
    return nobodys;
  }
}

/** @throws {NodeError} REFUSED */
function encrypterTo(auditor: string): Encrypter {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(auditor);
    return encrypter;
  } catch (cause) {
    throw new NodeError('REFUSED', 'this is no public key of an auditor', {
      cause,
      hint: 'They make one with `entente audit key` or `age-keygen`, and give you what begins with age1.',
    });
  }
}

function leafOf(
  sha256: Sha256,
  { openings, basis }: RegistryRecord & { readonly basis: Uint8Array | undefined },
): DisclosedLeaf {
  const [status, , , evidence] = openings.opened;
  if (status === undefined) throw new TypeError('a record opens the status');
  return {
    status,
    evidence,
    path: pathOf(sha256, openings, [status, undefined, undefined, evidence]),
    basis,
  };
}
