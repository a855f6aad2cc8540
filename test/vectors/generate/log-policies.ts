/** Verifier keys, policies and proof files, good and bad. The verdict of a case is known from how it is made. */
import { type FaultCode } from '../../../protocol/fault.ts';
import {
  base64,
  COSIGNED,
  france,
  germany,
  hex,
  LOG,
  log,
  ORIGIN,
  otherLog,
  Party,
  SIGNED,
  stranger,
  TEXT,
  textOf,
  tree,
  WITNESS,
} from './log-party.ts';

export interface VerifierKeyVector {
  readonly text: string;
  readonly key?: {
    readonly name: string;
    readonly keyId: string;
    readonly algorithm: number;
    readonly publicKey: string;
  };
  readonly fault?: FaultCode;
}

export interface PolicyVector {
  readonly name: string;
  readonly policy: string;
  /** Cosigners by public key, and whether they meet the quorum. */
  readonly sets?: readonly { readonly cosigners: readonly string[]; readonly met: boolean }[];
  readonly fault?: FaultCode;
}

export interface ProofVector {
  readonly name: string;
  readonly proof: string;
  readonly entry: string;
  readonly policy: string;
  readonly proven?: { readonly origin: string; readonly index: number; readonly size: number };
  readonly fault?: FaultCode;
}

export function verifierKeyVectors(): VerifierKeyVector[] {
  const good = [log, otherLog, germany].map((party) => ({
    text: party.vkey,
    key: {
      name: party.name,
      keyId: hex(party.id),
      algorithm: party.algorithm,
      publicKey: hex(party.publicKey),
    },
  }));
  const { vkey } = log;
  const bad = [
    '', '+', '++', ORIGIN, `${ORIGIN}+`, vkey.replace(ORIGIN, ''), vkey.replace(ORIGIN, 'CN-34.demo/trust'),
    vkey.replace(`+${hex(log.id)}`, ''), vkey.replace(hex(log.id), hex(otherLog.id)), vkey.replace(hex(log.id), `0${hex(log.id)}`),
    vkey.replace(hex(log.id), hex(log.id).toUpperCase()), `${vkey}=`, `${vkey}\n`, ` ${vkey}`, vkey.slice(0, -4),
    new Party(ORIGIN, 0, 1).vkey, new Party(ORIGIN, 2, 1).vkey, new Party(ORIGIN, 6, 1).vkey, new Party(ORIGIN, 255, 1).vkey,
    new Party('with space', LOG, 1).vkey, new Party('with\u00a0space', LOG, 1).vkey, new Party('with\u3000space', LOG, 1).vkey,
  ]; // prettier-ignore
  return [...good, ...bad.map((text) => ({ text, fault: 'KEY_INVALID' as const }))];
}

const WITNESS_LINES = [germany, france, stranger].map(
  ({ name, vkey }) => `witness ${name.slice(0, 2)} ${vkey}\n`,
);
const HEAD = `log ${log.vkey} https://log.example/\n${WITNESS_LINES.join('')}`;

/** With another key of a witness. */
const SAME = `${HEAD}witness DE2 ${new Party(germany.name, WITNESS, 9).vkey}\n`;

export function policyVectors(): PolicyVector[] {
  const sets = (...list: readonly (readonly [met: boolean, ...cosigners: readonly Party[]])[]) =>
    list.map(([met, ...cosigners]) => ({ cosigners: cosigners.map(({ publicKey }) => hex(publicKey)), met }));
  const bad: readonly (readonly [name: string, policy: string])[] = [
    ['no quorum', HEAD],
    ['two quorums', `${HEAD}quorum DE\nquorum DE\n`],
    ['an unknown quorum', `${HEAD}quorum IT\n`],
    ['a quorum before its definition', `quorum DE\n${HEAD}`],
    ['a key under two names', `${HEAD}witness IT ${germany.vkey}\nquorum none\n`],
    [
      'a key under two names of its own',
      `${HEAD}witness IT ${new Party('IT', WITNESS, 4).vkey}\nquorum none\n`,
    ],
    ['a log twice', `${HEAD}log ${log.vkey}\nquorum none\n`],
    ['a name twice', `${HEAD}witness DE ${new Party('IT', WITNESS, 7).vkey}\nquorum none\n`],
    ['a member of two groups', `${HEAD}group a any DE FR\ngroup b any FR XX\nquorum a\n`],
    ['a member twice', `${HEAD}group a 2 DE DE\nquorum a\n`],
    ['a group of itself', `${HEAD}group a any a\nquorum a\n`],
    ['a group of nobody', `${HEAD}group a any\nquorum a\n`],
    ['a threshold of 0', `${HEAD}group a 0 DE FR\nquorum a\n`],
    ['a threshold above the number of members', `${HEAD}group a 3 DE FR\nquorum a\n`],
    ['a threshold with a leading zero', `${HEAD}group a 01 DE FR\nquorum a\n`],
    ['two keys of one operator in a group that asks for both', `${SAME}group a 2 DE DE2\nquorum a\n`],
    ['two keys of one operator among those of whom two are asked', `${SAME}group a 2 DE DE2 FR\nquorum a\n`],
    [
      'two keys of one operator in two groups',
      `${SAME}group a any DE FR\ngroup b any DE2 XX\ngroup c all a b\nquorum c\n`,
    ],
    ['a group called none', `${HEAD}group none any DE\nquorum none\n`],
    ['a log with the key of a witness', `log ${germany.vkey}\nquorum none\n`],
    ['a witness with the key of a log', `witness w ${log.vkey}\nquorum none\n`],
    ['no key', 'log CN-33.demo/trust\nquorum none\n'],
    ['an unknown line', 'threshold 2\nquorum none\n'],
    ['a comment behind a line', 'quorum none # why\n'],
    ['CRLF', 'quorum none\r\n'],
    ['a name that is not ASCII', `witness \u0421N ${germany.vkey}\nquorum none\n`],
  ];
  return [
    { name: 'no quorum needed', policy: `${HEAD}quorum none\n`, sets: sets([true], [true, germany]) },
    {
      name: 'one witness',
      policy: `${HEAD}quorum DE\n`,
      sets: sets([false], [true, germany], [false, france, stranger]),
    },
    {
      name: 'two of three',
      policy: `# two of three\n\n${HEAD}\tgroup  g 2 DE FR XX \nquorum g\n`,
      sets: sets(
        [false, germany, germany],
        [true, germany, france],
        [true, france, stranger, germany],
        [false, log, germany],
      ),
    },
    {
      name: 'two keys of one operator, of which one is enough',
      policy: `${SAME}group a any DE DE2\ngroup b all a FR\nquorum b\n`,
      sets: sets([false, germany], [true, germany, france], [false, france]),
    },
    {
      name: 'a group in a group',
      policy: `${HEAD}group a any DE FR\ngroup b all a XX\nquorum b`,
      sets: sets(
        [false, germany, france],
        [true, germany, stranger],
        [true, france, stranger],
        [false, stranger],
      ),
    },
    ...bad.map(([name, policy]) => ({ name, policy, fault: 'POLICY_MALFORMED' as const })),
  ];
}

export function proofVectors(): ProofVector[] {
  const policy = `${HEAD}group g all DE FR\nquorum g\n`;
  const lines = ['c2sp.org/tlog-proof@v1', 'index 5', ...tree.path(5).map((hash) => base64(hash))];
  const proof = `${lines.join('\n')}\n\n${COSIGNED}`;
  const entry = hex(tree.entries[5] ?? new Uint8Array(0));
  const proven = { origin: ORIGIN, index: 5, size: 9 };
  const [, , first = ''] = lines;
  const single = textOf(1, base64(tree.root(1)));
  const withExtra = (extra: string) => proof.replace('index 5\n', `extra ${extra}\nindex 5\n`);
  const bad: readonly (readonly [name: string, proof: string, fault?: FaultCode])[] = [
    ['no bytes', ''],
    ['version 2', proof.replace('@v1', '@v2')],
    ['no index', proof.replace('index 5\n', '')],
    ['an index with a leading zero', proof.replace('index 5', 'index 05')],
    ['an index below 0', proof.replace('index 5', 'index -5')],
    ['an index of 2^53', proof.replace('index 5', 'index 9007199254740992'), 'SIZE_INVALID'],
    ['index = size', proof.replace('index 5', 'index 9'), 'SIZE_INVALID'],
    ['another index', proof.replace('index 5', 'index 4')],
    ['the extra data behind the index', proof.replace('index 5\n', 'index 5\nextra AQI=\n')],
    ['extra data twice', withExtra('AQI=\nextra AQI=')],
    ['empty extra data', withExtra('')],
    ['extra data that is not canonical', withExtra('AQJ=')],
    ['a hash too few', proof.replace(`${first}\n`, '')],
    ['a hash too many', proof.replace(`${first}\n`, `${first}\n${first}\n`)],
    ['a hash of 31 bytes', proof.replace(first, base64((tree.path(5)[0] ?? new Uint8Array(0)).subarray(1)))],
    ['no empty line', lines.join('\n')],
    ['CRLF', proof.replaceAll('\n', '\r\n')],
    ['no checkpoint', `${lines.join('\n')}\n\n`, 'NOTE_MALFORMED'],
    ['a checkpoint without cosignatures', `${lines.join('\n')}\n\n${SIGNED}`, 'NOTE_UNSIGNED'],
    [
      'one cosignature twice',
      `${lines.join('\n')}\n\n${SIGNED}${germany.cosigned(TEXT, 1)}${germany.cosigned(TEXT, 2)}`,
      'NOTE_UNSIGNED',
    ],
    [
      'a checkpoint that the log did not sign',
      `${lines.join('\n')}\n\n${TEXT}\n${germany.cosigned(TEXT, 1)}`,
      'NOTE_UNSIGNED',
    ],
  ];
  return [
    { name: 'entry 5 of 9', proof, entry, policy, proven },
    { name: 'with extra data', proof: withExtra('AQI='), entry, policy, proven },
    {
      name: 'the only entry, without hashes and without a quorum',
      proof: `c2sp.org/tlog-proof@v1\nindex 0\n\n${single}\n${log.signed(single)}`,
      entry: hex(tree.entries[0] ?? new Uint8Array(0)),
      policy: `log ${log.vkey}\nquorum none\n`,
      proven: { origin: ORIGIN, index: 0, size: 1 },
    },
    ...bad.map(([name, text, fault = 'PROOF_INVALID' as const]) => ({
      name,
      proof: text,
      entry,
      policy,
      fault,
    })),
    { name: 'another entry', proof, entry: `${entry}00`, policy, fault: 'PROOF_INVALID' },
    {
      name: 'a log that the policy does not name',
      proof,
      entry,
      policy: `log ${otherLog.vkey}\nquorum none\n`,
      fault: 'NOTE_UNSIGNED',
    },
  ];
}
