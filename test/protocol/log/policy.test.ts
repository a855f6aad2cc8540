import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  lackOf,
  meetsQuorum,
  parsePolicy,
  policyKeys,
  quorumWitnesses,
} from '../../../protocol/log/policy.ts';
import { encodeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { logKey, witnessKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';

const LOG = encodeVerifierKey(logKey('CN-33.demo/trust', 1).key);
const witness = (n: number) => witnessKey(`w${n}.example/witness`, 10 + n).key;
const vkey = (n: number) => encodeVerifierKey(witness(n));

const parse = (...lines: readonly string[]) => parsePolicy(sha256, utf8Bytes(lines.join('\n')));

function refuses(line: number, ...lines: readonly string[]): void {
  assert.throws(
    () => parse(...lines),
    (error) => isProtocolError(error, 'POLICY_MALFORMED') && error.fault.details['line'] === line,
    lines.join(' | '),
  );
}

const WITNESSES = [1, 2, 3, 4, 5].map((n) => `witness w${n} ${vkey(n)}`);

describe('parsePolicy', () => {
  it('reads logs, witnesses, groups and the quorum, past comments, blanks and tabs', () => {
    const policy = parse(
      '# a policy',
      '',
      ` \t log\t${LOG} https://log.example/#x  `,
      `witness w1 ${vkey(1)} https://w1.example/`,
      `witness w2 ${vkey(2)}`,
      '   # log nonsense',
      'group g 2 w1 w2',
      'quorum g',
      '',
    );
    assert.deepEqual(policy.logs, [
      { key: logKey('CN-33.demo/trust', 1).key, url: 'https://log.example/#x' },
    ]);
    assert.deepEqual([...policy.witnesses], [
      ['w1', { key: witness(1), url: 'https://w1.example/' }],
      ['w2', { key: witness(2), url: undefined }],
    ]); // prettier-ignore
    assert.deepEqual([...policy.groups], [['g', { threshold: 2, members: ['w1', 'w2'] }]]);
    assert.equal(policy.quorum, 'g');
    assert.deepEqual(policyKeys(policy), [logKey('CN-33.demo/trust', 1).key, witness(1), witness(2)]);
  });

  it('reads any and all as thresholds', () => {
    const { groups } = parse(...WITNESSES, 'group a any w1 w2', 'group b all w3 w4 w5', 'quorum none');
    assert.deepEqual([...groups.values()].map(({ threshold }) => threshold), [1, 3]); // prettier-ignore
  });

  it('A13: refuses a witness key that stands twice, under whatever name', () => {
    refuses(2, `witness a ${vkey(1)}`, `witness b ${vkey(1)}`, 'quorum a');
    refuses(
      2,
      `witness a ${vkey(1)}`,
      `witness b ${encodeVerifierKey(witnessKey('other', 11).key)}`,
      'quorum a',
    );
    refuses(2, `log ${LOG}`, `log ${LOG}`, 'quorum none');
    refuses(2, `log ${LOG}`, `log ${encodeVerifierKey(logKey('other', 1).key)}`, 'quorum none');
    refuses(2, `log ${LOG}`, `witness a ${encodeVerifierKey(witnessKey('other', 1).key)}`, 'quorum none');
  });

  it('A13: refuses a member of two groups, or twice of one', () => {
    refuses(7, ...WITNESSES, 'group a any w1 w2', 'group b any w2 w3', 'quorum a');
    refuses(6, ...WITNESSES, 'group a 2 w1 w1', 'quorum a');
    refuses(8, ...WITNESSES, 'group a any w1', 'group b any a', 'group c any a', 'quorum c');
  });

  it('A13: refuses keys of one operator where more than one vote could come of them', () => {
    const second = encodeVerifierKey(witnessKey('w1.example/witness', 30).key);
    const all = [...WITNESSES, `witness again ${second}`];
    refuses(7, ...all, 'group g 2 w1 again', 'quorum g');
    refuses(7, ...all, 'group g 2 w1 w2 again', 'quorum g');
    refuses(8, ...all, 'group g any w1 w2', 'group h any again w3', 'group i all g h', 'quorum i');
    const { groups } = parse(...all, 'group g any w1 again', 'group h all g w2', 'quorum h');
    assert.equal(groups.size, 2);
    parse(...all, 'group g 2 w1 w2 w3', 'quorum g');
  });

  it('refuses groups that would be members of each other', () => {
    refuses(6, ...WITNESSES, 'group a any b w1', 'group b any a w2', 'quorum a');
    refuses(7, ...WITNESSES, 'group a any w1', 'group b any w2 b', 'quorum b');
  });

  it('refuses names that are used twice, before they are defined, or as none', () => {
    refuses(2, `witness w1 ${vkey(1)}`, `witness w1 ${vkey(2)}`, 'quorum w1');
    refuses(6, ...WITNESSES, 'group w1 any w2', 'quorum w1');
    refuses(7, ...WITNESSES, 'group g any w1', 'group g any w2', 'quorum g');
    refuses(1, 'group g any w1', ...WITNESSES, 'quorum g');
    refuses(6, ...WITNESSES, 'group g any g', 'quorum g');
    refuses(6, ...WITNESSES, 'group g any none', 'quorum g');
    refuses(6, ...WITNESSES, 'group none any w1', 'quorum none');
    refuses(1, `witness none ${vkey(1)}`, 'quorum none');
  });

  it('refuses thresholds that none or every set would meet, and other spellings', () => {
    for (const threshold of ['0', '4', '-1', '01', '1.0', '1e0', '+1', 'ANY', 'most', '9007199254740993']) {
      refuses(6, ...WITNESSES, `group g ${threshold} w1 w2 w3`, 'quorum g');
    }
    for (const threshold of ['1', '3']) parse(...WITNESSES, `group g ${threshold} w1 w2 w3`, 'quorum g');
  });

  it('refuses a policy without a quorum, with two, or with an unknown one', () => {
    refuses(5, ...WITNESSES);
    refuses(1, '');
    refuses(7, ...WITNESSES, 'quorum w1', 'quorum w1');
    refuses(7, ...WITNESSES, 'quorum none', 'quorum none');
    refuses(6, ...WITNESSES, 'quorum w6');
    refuses(1, 'quorum w1', ...WITNESSES);
    refuses(1, `log ${LOG}`.replace('log', 'quorum'));
  });

  it('A22: refuses a witness with a key of a log, a log with that of a witness, and what is no key', () => {
    refuses(1, `witness w1 ${LOG}`, 'quorum w1');
    refuses(1, `log ${vkey(1)}`, 'quorum none');
    refuses(1, `log ${LOG.slice(0, -1)}`, 'quorum none');
    refuses(1, `witness w1 ${'x'.repeat(400)}`, 'quorum none');
  });

  it('refuses other keywords, missing and extra fields, and comments behind a line', () => {
    for (const line of [
      'Log x', 'logs', 'log', `log ${LOG} url x`, 'witness', 'witness w9', `witness w9 ${vkey(9)} url x`, 'group', 'group g', 'group g any',
      'quorum', 'quorum none x', 'quorum none # why', 'threshold 2', 'quorum none;',
    ]) refuses(1, line, 'quorum none'); // prettier-ignore
  });

  it('T19, B57: refuses characters that are not printable ASCII, CR among them, but in comments', () => {
    refuses(1, `witness \u0430 ${vkey(1)}`, 'quorum none');
    refuses(1, 'quorum none\r', '');
    refuses(1, 'quorum\u00a0none', '');
    refuses(1, 'quorum none\0', '');
    parse('# \u0430 \r', 'quorum none');
    assert.throws(
      () => parsePolicy(sha256, Uint8Array.of(0xff)),
      (e) => isProtocolError(e, 'POLICY_MALFORMED'),
    );
  });

  it('A28: takes 131,072 bytes and refuses one more', () => {
    const policy = (bytes: number) => utf8Bytes(`quorum none\n#${'x'.repeat(bytes - 13)}`);
    assert.throws(
      () => parsePolicy(sha256, policy(2 ** 20)),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
    assert.equal(policy(131_072).length, 131_072);
    parsePolicy(sha256, policy(131_072));
    assert.throws(
      () => parsePolicy(sha256, policy(131_073)),
      (e) => isProtocolError(e, 'TOO_LARGE'),
    );
  });

  it('property: random lines throw nothing but faults', () => {
    const word = fc.constantFrom(
      'log',
      'witness',
      'group',
      'quorum',
      'none',
      'any',
      'all',
      '2',
      'g',
      'w1',
      'w2',
      LOG,
      vkey(1),
      vkey(2),
      '#',
      '\n',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 24 }), (words) => {
        try {
          parse(words.join(' '));
        } catch (error) {
          assert.ok(isProtocolError(error, 'POLICY_MALFORMED'), String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('meetsQuorum', () => {
  const cosigners = (...numbers: readonly number[]) => numbers.map(witness);

  it('counts thresholds of groups of groups', () => {
    const policy = parse(
      ...WITNESSES,
      'group a any w1 w2',
      'group b all w3 w4',
      'group g 2 a b w5',
      'quorum g',
    );
    for (const [numbers, met] of [
      [[], false], [[1], false], [[1, 2], false], [[3, 4], false], [[1, 3], false], [[1, 5], true], [[2, 5], true],
      [[1, 3, 4], true], [[3, 4, 5], true], [[3, 5], false], [[1, 2, 3], false], [[1, 2, 3, 4, 5], true],
    ] as const) assert.equal(meetsQuorum(policy, cosigners(...numbers)), met, String(numbers)); // prettier-ignore
  });

  it('takes a single witness as the quorum, and none as no demand', () => {
    assert.ok(meetsQuorum(parse(...WITNESSES, 'quorum w2'), cosigners(2)));
    assert.ok(!meetsQuorum(parse(...WITNESSES, 'quorum w2'), cosigners(1, 3, 4, 5)));
    assert.ok(meetsQuorum(parse(...WITNESSES, 'quorum none'), []));
  });

  it('A13: counts a key once, however often it cosigned and under whatever name', () => {
    const policy = parse(...WITNESSES, 'group g 2 w1 w2 w3', 'quorum g');
    assert.ok(!meetsQuorum(policy, cosigners(1, 1, 1)));
    assert.ok(!meetsQuorum(policy, [witness(1), { ...witness(1), name: 'w2.example/witness' }]));
    assert.ok(!meetsQuorum(policy, cosigners(1, 4, 5)));
    assert.ok(meetsQuorum(policy, cosigners(1, 2)));
  });

  it('property T5: k of n needs exactly k distinct keys', () => {
    const subset = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), subset, (k, numbers) => {
        const policy = parse(...WITNESSES, `group g ${k} w1 w2 w3 w4 w5`, 'quorum g');
        assert.equal(meetsQuorum(policy, cosigners(...numbers, ...numbers)), numbers.length >= k);
      }),
    );
  });
});

describe('lackOf', () => {
  const policy = parse(
    ...WITNESSES,
    'group a any w1 w2',
    'group b all w3 w4 w5',
    'group g any a b',
    'group h all g',
    'quorum h',
  );
  const lack = (stands: Readonly<Record<string, 'has' | 'cannot'>>) =>
    lackOf(policy, (name) => stands[name] ?? 'may');

  it('tells the least number of further operators, and that there is no such number', () => {
    assert.equal(lack({}), 1);
    assert.equal(lack({ w2: 'has' }), 0);
    assert.equal(lack({ w1: 'cannot', w2: 'cannot' }), 3);
    assert.equal(lack({ w1: 'cannot', w2: 'cannot', w3: 'has' }), 2);
    assert.equal(lack({ w1: 'cannot', w2: 'cannot', w3: 'cannot' }), Infinity);
    assert.equal(lackOf(parse('quorum none'), () => 'may'), 0); // prettier-ignore
  });

  it('property: it is 0 if and only if the quorum is met, and one more vote lowers it by one at most', () => {
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5]), fc.integer({ min: 1, max: 5 }), (numbers, more) => {
        const by = (some: readonly number[]) =>
          lack(Object.fromEntries(some.map((n) => [`w${n}`, 'has' as const])));
        assert.equal(by(numbers) === 0, meetsQuorum(policy, numbers.map(witness)));
        const after = by([...numbers, more]);
        assert.ok(after <= by(numbers) && after >= by(numbers) - 1);
      }),
    );
  });

  it('quorumWitnesses leaves out whom the quorum does not ask for', () => {
    const some = parse(...WITNESSES, 'group a any w1 w2', 'group b any w3 w4', 'quorum b');
    assert.deepEqual([...quorumWitnesses(some).keys()], ['w3', 'w4']);
    assert.deepEqual([...quorumWitnesses(parse(...WITNESSES, 'quorum none')).keys()], []);
    assert.deepEqual([...quorumWitnesses(policy).keys()], ['w1', 'w2', 'w3', 'w4', 'w5']);
  });
});
