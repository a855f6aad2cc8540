import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asciiBytes, hexOf } from '../../../protocol/bytes.ts';
import { type SignatureCheck } from '../../../protocol/primitives.ts';
import { publicKeyOf, sign, verifyWithNoble } from '../../../protocol/signature/noble.ts';
import { readEd25519Cases } from '../../../node/conformance/ed25519-cases.ts';
import { brokenClause, isAdmissibleByRule } from '../../../node/conformance/ed25519-rule.ts';
import { ed25519Suite, faultOf } from '../../../node/conformance/ed25519.ts';
import { type SuiteResult } from '../../../node/conformance/suite.ts';
import { checkOf, ed25519Vectors, fromHex } from '../../support/ed25519-vectors.ts';
import { sha256 } from '../../support/primitives.ts';

const SECRET_KEY = sha256(asciiBytes('conformance'));
const GOOD: SignatureCheck = {
  publicKey: publicKeyOf(SECRET_KEY),
  message: asciiBytes('text'),
  signature: sign(asciiBytes('text'), SECRET_KEY),
};
const KEY = hexOf(GOOD.publicKey);
const MESSAGE = hexOf(GOOD.message);
const SIGNATURE = hexOf(GOOD.signature);
const BAD_SIGNATURE = hexOf(GOOD.signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte)));

function vectorNamed(start: string): SignatureCheck {
  const vector = ed25519Vectors.find(({ name }) => name.startsWith(start));
  assert.ok(vector, start);
  return checkOf(vector);
}

async function runOver(files: Readonly<Record<string, string>>): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    await mkdir(join(dir, 'ed25519'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, 'ed25519', name), text);
    return await ed25519Suite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('ed25519Suite', () => {
  it('reads every layout, whatever the file is called', async () => {
    const { passed, failed, reasons } = await runOver({
      'a.json': JSON.stringify({
        testGroups: [
          {
            publicKey: { pk: KEY },
            tests: [
              { tcId: 1, msg: MESSAGE, sig: SIGNATURE, result: 'valid' },
              { tcId: 2, msg: MESSAGE, sig: BAD_SIGNATURE, result: 'invalid' },
            ],
          },
          { key: { pk: KEY }, tests: [{ tcId: 3, msg: MESSAGE, sig: SIGNATURE, result: 'acceptable' }] },
        ],
      }),
      'b.json': JSON.stringify([
        { number: 0, key: KEY, sig: SIGNATURE, msg: 'text', flags: null },
        { number: 1, key: KEY, sig: BAD_SIGNATURE, msg: 'text', flags: ['low_order_residue'] },
        { number: 2, key: KEY, sig: BAD_SIGNATURE, msg: 'text', flags: ['something_new'] },
      ]),
      'c.json': JSON.stringify([{ message: MESSAGE, pub_key: KEY, signature: SIGNATURE }]),
      'd.json': JSON.stringify({
        cases: [
          { name: 'x', publicKey: KEY, message: MESSAGE, signature: SIGNATURE, good: true, admissible: true },
        ],
      }),
      'notes.txt': 'not a vector',
    });
    assert.deepEqual(reasons, []);
    assert.deepEqual([passed, failed], [8, 0]);
  });

  for (const [name, json] of [
    ['a source that calls a good signature bad', { testGroups: [group(SIGNATURE, 'invalid')] }],
    ['a source that calls a bad signature good', { testGroups: [group(BAD_SIGNATURE, 'valid')] }],
    ['flags that say bad of a good signature', [cctv(SIGNATURE, ['low_order_A'])]],
    ['flags that say good of a bad signature', [cctv(BAD_SIGNATURE, ['low_order_component_A'])]],
    ['a wrong verdict in our own layout', { cases: [own(true, BAD_SIGNATURE, true)] }],
    ['a wrong admission in our own layout', { cases: [own(true, SIGNATURE, false)] }],
    ['an entry in no known layout', [{ key: KEY }]],
    ['hexadecimal with an odd digit', [{ message: MESSAGE, pub_key: KEY, signature: `${SIGNATURE}0` }]],
    ['a file without a list', { about: 'nothing' }],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed, reasons } = await runOver({ 'x.json': JSON.stringify(json) });
      assert.deepEqual([passed, failed, reasons.length], [0, 1, 1]);
    });
  }

  it('fails a file that is not JSON', async () => {
    assert.equal((await runOver({ 'x.json': '{' })).failed, 1);
  });

  it('skips where the folder is absent', async () => {
    const { passed, failed, skipped } = await ed25519Suite.run(join(tmpdir(), 'entente-no-such-folder'));
    assert.deepEqual([passed, failed, skipped], [0, 0, 1]);
  });
});

describe('faultOf', () => {
  it('names the back end that departs from the rule, in both directions', () => {
    const lying = new Map([
      ['honest', verifyWithNoble],
      ['lying', (check: SignatureCheck) => !verifyWithNoble(check)],
    ]);
    assert.match(faultOf({ name: '', check: GOOD }, lying) ?? '', /^lying says bad/);
    const bad = { ...GOOD, message: asciiBytes('another') };
    assert.match(faultOf({ name: '', check: bad }, lying) ?? '', /^lying says good/);
  });

  it('lets RFC 8032 take small orders and spellings that the rule refuses, and nothing else', () => {
    const none = new Map<string, never>();
    const smallOrder = { name: '', check: vectorNamed('key of order 4, canonical'), goodByRfc8032: true };
    assert.equal(faultOf(smallOrder, none), undefined);
    const residue = { name: '', check: vectorNamed('cofactored only'), goodByRfc8032: true };
    assert.match(faultOf(residue, none) ?? '', /EQUATION/);
    const scalar = { name: '', check: vectorNamed('S + 1L'), goodByRfc8032: true };
    assert.match(faultOf(scalar, none) ?? '', /SCALAR/);
  });
});

describe('brokenClause', () => {
  for (const [start, clause] of [
    ['message of 0 bytes', undefined],
    ['mixed-order key +1T, kT = 0', undefined],
    ['signature of 63 bytes', 'LENGTH'],
    ['signature of 65 bytes', 'LENGTH'],
    ['key of 31 bytes', 'LENGTH'],
    ['S + 1L', 'SCALAR'],
    ['key with y = p + 3', 'ENCODING'],
    ['R off the curve', 'ENCODING'],
    [
      'key of order 1, not canonical (0100000000000000000000000000000000000000000000000000000000000080)',
      'ENCODING',
    ],
    ['key of order 8, canonical', 'SMALL_ORDER'],
    ['R of order 1', 'SMALL_ORDER'],
    ['cofactored only: R', 'EQUATION'],
    ['message with one bit changed', 'EQUATION'],
  ] as const) {
    it(`finds ${clause ?? 'nothing'} broken: ${start}`, () => {
      assert.equal(brokenClause(vectorNamed(start)), clause);
    });
  }
});

describe('isAdmissibleByRule', () => {
  it('refuses mixed orders, small orders, other lengths and what is no point', () => {
    for (const { name, publicKey, admissible } of ed25519Vectors) {
      assert.equal(isAdmissibleByRule(fromHex(publicKey)), admissible, name);
    }
  });
});

describe('readEd25519Cases', () => {
  it('takes the message of CCTV as text and that of the others as hexadecimal', () => {
    const [cctvCase] = readEd25519Cases([cctv(SIGNATURE, [])]) ?? [];
    const [ownCase] = readEd25519Cases({ cases: [own(true, SIGNATURE, true)] }) ?? [];
    assert.deepEqual(cctvCase?.check, GOOD);
    assert.deepEqual(ownCase?.check, GOOD);
  });
});

function group(sig: string, result: string): object {
  return { publicKey: { pk: KEY }, tests: [{ tcId: 1, msg: MESSAGE, sig, result }] };
}

function cctv(sig: string, flags: readonly string[]): object {
  return { number: 0, key: KEY, sig, msg: 'text', flags };
}

function own(good: boolean, signature: string, admissible: boolean): object {
  return { name: 'own', publicKey: KEY, message: MESSAGE, signature, good, admissible };
}
