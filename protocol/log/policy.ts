/** Whom a reader trusts: logs, witnesses and how many of them make a quorum. Spec: C2SP tlog-policy. */
import { hexOf } from '../bytes.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import {
  COSIGNATURE,
  ED25519,
  parseVerifierKey,
  type NoteAlgorithm,
  type VerifierKey,
} from './verifier-key.ts';

/** A log or witness. The URL is where it may be reached, as written and unchecked. */
export interface PolicyParty {
  readonly key: VerifierKey;
  readonly url: string | undefined;
}

interface Group {
  readonly threshold: number;
  readonly members: readonly string[];
}

/** A policy in which every name is defined before it is used, every key stands once, and no operator can count twice. */
export interface Policy {
  readonly logs: readonly PolicyParty[];
  /** By the name that the policy gives it, which need not be that of its key. */
  readonly witnesses: ReadonlyMap<string, PolicyParty>;
  /** In the order of their lines: members come before the groups that name them. */
  readonly groups: ReadonlyMap<string, Group>;
  /** The witness or group that has to be met; undefined if nothing has to. */
  readonly quorum: string | undefined;
}

/** All keys of a policy, as `openCheckpoint` takes them. */
export function policyKeys({ logs, witnesses }: Policy): VerifierKey[] {
  return [...logs, ...witnesses.values()].map(({ key }) => key);
}

/** Tells whether cosigners with these public keys meet the policy's quorum. Each key counts once. */
export function meetsQuorum(
  policy: Policy,
  cosigners: Iterable<{ readonly publicKey: Uint8Array }>,
): boolean {
  const keys = new Set<string>();
  for (const { publicKey } of cosigners) keys.add(hexOf(publicKey));
  return lackOf(policy, (_, { key }) => (keys.has(hexOf(key.publicKey)) ? 'has' : 'may')) === 0;
}

/** Whether a witness of a policy vouches, may still do so, or never can. */
export type Stand = 'has' | 'may' | 'cannot';

/**
 * The least number of operators that have to vouch besides those that do until the quorum is met: 0 if it is, Infinity if it cannot be.
 * `standOf` is asked once for each witness, by its name in the policy.
 */
export function lackOf(policy: Policy, standOf: (name: string, party: PolicyParty) => Stand): number {
  const lacks = new Map<string, number>();
  for (const [name, party] of policy.witnesses) lacks.set(name, LACKS[standOf(name, party)]);
  for (const [name, { threshold, members }] of policy.groups) {
    const least = members.map((member) => lacks.get(member) ?? Infinity).sort(ascending);
    lacks.set(
      name,
      least.slice(0, threshold).reduce((sum, lack) => sum + lack, 0),
    );
  }
  return policy.quorum === undefined ? 0 : (lacks.get(policy.quorum) ?? Infinity);
}

/** The witnesses that the quorum asks for, by their names in the policy: others may be named, and count for nothing. */
export function quorumWitnesses({ witnesses, groups, quorum }: Policy): ReadonlyMap<string, PolicyParty> {
  const asked = new Set(quorum === undefined ? [] : [quorum]);
  for (const [name, { members }] of [...groups].reverse())
    if (asked.has(name)) for (const member of members) asked.add(member);
  return new Map([...witnesses].filter(([name]) => asked.has(name)));
}

const LACKS: Readonly<Record<Stand, number>> = { has: 0, may: 1, cannot: Infinity };

/** Infinity less itself is no number. */
function ascending(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/**
 * Reads a policy of at most 131,072 bytes. Comments are lines that begin with `#`.
 * @throws {ProtocolError} TOO_LARGE; POLICY_MALFORMED, with the line from 1, for other lines than `log`, `witness`, `group`
 * and one `quorum`, for a name that is used twice or before it is defined, for a member of two groups, for a threshold
 * that no or every set meets, for a key that stands twice or has the wrong algorithm; and for witnesses whose keys have one name,
 * which are one operator, in more than one group or in one that asks for more than one of its members.
 */
export function parsePolicy(sha256: Sha256, bytes: Uint8Array): Policy {
  if (bytes.length > POLICY_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', `expected at most ${POLICY_BYTES_MAX} bytes`, {
      bytes: bytes.length,
    });
  }
  const reader = new PolicyReader(sha256);
  const lines = decodeUtf8(bytes, 'POLICY_MALFORMED').split('\n');
  lines.forEach((line, i) => {
    reader.readLine(line, i + 1);
  });
  return reader.finish();
}

const FIELD = /^[\x21-\x7e]+$/;
const THRESHOLD = /^[1-9][0-9]{0,5}$/;

class PolicyReader {
  readonly #sha256: Sha256;
  readonly #logs: PolicyParty[] = [];
  readonly #witnesses = new Map<string, PolicyParty>();
  readonly #groups = new Map<string, Group>();
  readonly #keys = new Set<string>();
  readonly #members = new Set<string>();
  /** By the name of the keys, the group that has an operator's witness as a member. */
  readonly #operators = new Map<string, string>();
  #quorum: string | undefined;
  #hasQuorum = false;
  #line = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  readLine(text: string, line: number): void {
    this.#line = line;
    const fields = text.split(/[ \t]+/).filter((field) => field !== '');
    const [keyword, first, second, third, ...rest] = fields;
    if (keyword === undefined || keyword.startsWith('#')) return;
    if (text.endsWith('\r'))
      throw this.#malformed('expected lines that end in LF alone, and this one ends in CR LF');
    if (!fields.every((field) => FIELD.test(field))) throw this.#malformed('expected printable ASCII');
    if (keyword === 'log' && first !== undefined && third === undefined) {
      this.#logs.push({ key: this.#key(first, ED25519), url: second });
    } else if (keyword === 'witness' && first !== undefined && second !== undefined && rest.length === 0) {
      this.#define(first);
      this.#witnesses.set(first, { key: this.#key(second, COSIGNATURE), url: third });
    } else if (keyword === 'group' && first !== undefined && second !== undefined && third !== undefined) {
      this.#define(first);
      this.#groups.set(first, this.#group(first, second, [third, ...rest]));
    } else if (keyword === 'quorum' && first !== undefined && second === undefined) {
      this.#setQuorum(first);
    } else {
      throw this.#malformed('expected log, witness, group or quorum with its fields');
    }
  }

  finish(): Policy {
    if (!this.#hasQuorum) throw this.#malformed('expected a quorum line');
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum };
  }

  #define(name: string): void {
    if (name === 'none' || this.#isDefined(name)) throw this.#malformed('expected a name of its own');
  }

  #isDefined(name: string): boolean {
    return this.#witnesses.has(name) || this.#groups.has(name);
  }

  #key(text: string, algorithm: NoteAlgorithm): VerifierKey {
    let key: VerifierKey;
    try {
      key = parseVerifierKey(this.#sha256, text);
    } catch (cause) {
      if (!isProtocolError(cause)) throw cause;
      throw this.#malformed('expected a verifier key', cause);
    }
    const identity = hexOf(key.publicKey);
    if (key.algorithm !== algorithm) throw this.#malformed(`expected a key of algorithm ${algorithm}`);
    if (this.#keys.has(identity)) throw this.#malformed('the key stands here already');
    this.#keys.add(identity);
    return key;
  }

  #group(name: string, word: string, members: readonly string[]): Group {
    for (const member of members) {
      if (!this.#isDefined(member)) throw this.#malformed('expected members that are defined above');
      if (this.#members.has(member)) throw this.#malformed('a name is member of at most one group');
      this.#members.add(member);
    }
    const threshold =
      word === 'any' ? 1 : word === 'all' ? members.length : THRESHOLD.test(word) ? Number(word) : 0;
    if (threshold < 1 || threshold > members.length) {
      throw this.#malformed('expected any, all or a number from 1 to that of the members');
    }
    for (const member of members) this.#countOnce(name, threshold, member);
    return { threshold, members };
  }

  /** Keys of one name are those of one operator, who has one vote: any of them has to do. */
  #countOnce(group: string, threshold: number, member: string): void {
    const operator = this.#witnesses.get(member)?.key.name;
    if (operator === undefined) return;
    const before = this.#operators.get(operator);
    if (before !== undefined && (before !== group || threshold > 1))
      throw this.#malformed(
        'keys of one name are one operator: expected them in one group that asks for any',
      );
    this.#operators.set(operator, group);
  }

  #setQuorum(name: string): void {
    if (this.#hasQuorum) throw this.#malformed('expected one quorum line');
    if (name !== 'none' && !this.#isDefined(name))
      throw this.#malformed('expected a name that is defined above');
    this.#hasQuorum = true;
    this.#quorum = name === 'none' ? undefined : name;
  }

  #malformed(message: string, cause?: unknown): ProtocolError {
    return new ProtocolError('POLICY_MALFORMED', message, { line: this.#line }, { cause });
  }
}
