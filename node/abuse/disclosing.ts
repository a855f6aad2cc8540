/** Making a disclosure: what opens a stretch of the own log, signed and encrypted to one auditor. Spec: SPEC.md 22. */
import { Encrypter } from 'age-encryption';
import { setImmediate } from 'node:timers/promises';
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { parseAttestation } from '../../protocol/code/attestation.ts';
import { pathOf } from '../../protocol/code/commitment.ts';
import { paddingCommitment } from '../../protocol/code/padding.ts';
import {
  type DisclosedLeaf,
  type DisclosedOperator,
  type Disclosure,
  signDisclosure,
} from '../../protocol/disclosure/disclosure.ts';
import { DISCLOSURE_LEAVES_MAX } from '../../protocol/limits.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Signer } from '../crypto/back-end.ts';
import { type LogTree } from '../log/log-tree.ts';
import { REPLACEMENT_COMPANY } from '../issuing/attestation-work.ts';
import { NodeError } from '../node-error.ts';
import { type Told } from '../operators/acting.ts';
import { type FormerOperator, type Operator, type Operators } from '../operators/operators.ts';
import { type Clock } from '../ports.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import { type RecordWithBasis, type UnreadLeaves } from '../registry/stretch-reader.ts';

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
  /** Leaves that it does not open since what the registry has of them is damaged, and in which rows, at most 100. */
  readonly unread: { readonly leaves: number; readonly rows: readonly UnreadRow[] };
}

/** Leaves from `from` to before `until`. */
export interface UnreadRow {
  readonly from: number;
  readonly until: number;
  readonly code: string;
  readonly message: string;
}

export interface DisclosingModules {
  readonly registry: () => Registry;
  readonly sha256: Sha256;
  readonly clock: Clock;
  /** Entries of each own attestation log, by its id. */
  readonly sizes: () => Readonly<Record<string, number>>;
  /** The trust-log key that is in force at this time. Throws what keeps it from signing. */
  readonly signer: (atS: number) => Signer;
  /** An own log that is open. */
  readonly log: (origin: string) => Pick<LogTree, 'head' | 'reader'> | undefined;
}

const UNREAD_ROWS_MAX = 100;
/** Leaves after which others get their turn: each may take some 60 hashes. */
const TURN = 128;

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

  /**
   * Leaves whose records are damaged are left out and told of.
   * `operators`: of the region, as its directory has them, by whom the auditor tells who signed a colour without a rule.
   * @throws {NodeError} NOT_FOUND for leaves that there are not, REFUSED for too many or a key that is none. Rejects as the registry and the
   * signer.
   */
  async disclose(
    { log, from, until, auditor }: DisclosureOrder,
    operators: Pick<Operators, 'all' | 'former'>,
  ): Promise<Disclosed> {
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
    const encrypter = encrypterTo(auditor);
    const atS = Math.floor(clock.nowMs() / 1_000);
    const signer = this.#modules.signer(atS);
    const leaves = new Array<Disclosure['leaves'][number]>(until - from).fill(undefined);
    let opened = 0;
    const unread: UnreadLeaves[] = [];
    const records = registry().withBases({ log, from, until }, (some) => unread.push(some));
    for await (const record of records) {
      leaves[record.index - from] = leafOf(sha256, record);
      opened++;
    }
    const nobodys = await this.#showNobodys({ log, from, until }, leaves);
    const { region, network } = this.#names;
    const head = { region, network, log, from, until, atS, auditor, operators: disclosedOf(operators) };
    const plain = signDisclosure(sha256, { ...head, leaves }, signer);
    return { bytes: await encrypter.encrypt(plain), opened, nobodys, unread: unreadOf(unread, from, leaves) };
  }

  /** Adds the secrets of leaves that are nobody's, and says of how many. What the log has given up cannot be told from what was forgotten. */
  async #showNobodys(
    { log, from, until }: Omit<DisclosureOrder, 'auditor'>,
    leaves: Disclosure['leaves'][number][],
  ): Promise<number> {
    const { region, network } = this.#names;
    const tree = this.#modules.log(attestationLogOrigin(region, network, log));
    const first = Math.max(from, tree?.head.minimum ?? until);
    let nobodys = 0;
    if (tree === undefined || first >= until) return nobodys;
    // Codes of a batch may stand before and behind the range.
    const readFrom = Math.max(tree.head.minimum, first - REPLACEMENT_COMPANY);
    const readUntil = Math.min(tree.head.size, until + REPLACEMENT_COMPANY);
    const commitments: Uint8Array[] = [];
    for await (const entry of tree.reader.entries(readFrom, readUntil))
      commitments.push(parseAttestation(entry).commitment);
    for (let index = first; index < until; index++) {
      if (leaves[index - from] !== undefined) continue;
      const secret = this.#secretOf({ log, index }, commitments, index - readFrom);
      if (secret !== undefined) {
        leaves[index - from] = { secret };
        nobodys++;
      }
      if (index % TURN === 0) await setImmediate();
    }
    return nobodys;
  }

  /** By whichever of those near it is the code that it was made by: a batch has so few leaves of nobody that one is near. */
  #secretOf(place: Place, commitments: readonly Uint8Array[], at: number): Uint8Array | undefined {
    const { registry, sha256 } = this.#modules;
    const near = commitments.slice(Math.max(0, at - REPLACEMENT_COMPANY), at + REPLACEMENT_COMPANY + 1);
    for (const beside of [undefined, ...near]) {
      const secret = registry().paddingSecret(place, beside);
      if (equalBytes(paddingCommitment(sha256, secret), commitments[at] as Uint8Array)) return secret;
    }
    return undefined;
  }
}

function disclosedOf({ all, former }: Pick<Operators, 'all' | 'former'>): DisclosedOperator[] {
  const named: readonly (Operator & Partial<FormerOperator>)[] = [...all, ...former];
  return named.map(({ name, publicKey, scopes, addedAtS: fromS, removedAtS: untilS }) => {
    return { name, publicKey: hexBytes(publicKey), scopes, fromS, untilS };
  });
}

function unreadOf(
  unread: readonly UnreadLeaves[],
  first: number,
  leaves: Disclosure['leaves'],
): Disclosed['unread'] {
  const closed = unread.map(({ from, until, error: { code, message } }) => {
    const count = leaves.slice(from - first, until - first).filter((leaf) => leaf === undefined).length;
    return { count, row: { from, until, code, message } };
  });
  return {
    leaves: closed.reduce((sum, { count }) => sum + count, 0),
    rows: closed.slice(0, UNREAD_ROWS_MAX).map(({ row }) => row),
  };
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

function leafOf(sha256: Sha256, { openings, basis }: RecordWithBasis): DisclosedLeaf {
  const [status, , , evidence] = openings.opened;
  if (status === undefined) throw new TypeError('a record opens the status');
  return {
    status,
    evidence,
    path: pathOf(sha256, openings, [status, undefined, undefined, evidence]),
    basis,
  };
}
