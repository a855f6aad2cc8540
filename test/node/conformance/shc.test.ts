import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { shcSuite } from '../../../node/conformance/shc.ts';
import { isNamedKey, isSignedByIssuer } from '../../../node/conformance/shc-oracle.ts';
import { type SuiteResult } from '../../../node/conformance/suite.ts';
import { cardTexts, jwkOf, makeJws } from '../../support/card-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';

const ISSUER = 'https://spec.smarthealth.cards/examples/issuer';
const SIGNER = makeEcSigner();
const GOOD = makeJws(SIGNER, { claims: { iss: ISSUER } });
const [head, body] = GOOD.split('.');
const FORGED = `${head}.${body}.${makeJws(makeEcSigner()).split('.')[2]}`;
const KEY_SET = { keys: [jwkOf(SIGNER)] };

async function runOver(files: Readonly<Record<string, string | object>>): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    for (const [name, content] of Object.entries({ 'issuer/jwks.json': KEY_SET, ...files })) {
      const path = join(dir, 'shc', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    }
    return await shcSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('shcSuite', () => {
  it('finds cards, key sets and lists by what files hold, and agrees with its oracle', async () => {
    const [first = '', second = '', third = ''] = cardTexts(GOOD, 3);
    const { passed, failed, skipped, reasons } = await runOver({
      'a.txt': `${GOOD}\n`,
      'b.txt': FORGED,
      'c.txt': cardTexts(GOOD)[0] ?? '',
      'd/1': first,
      'd/2': second,
      'd/3': third,
      'e.smart-health-card': { verifiableCredential: [GOOD, FORGED] },
      'f.json': { parameter: [{ name: 'verifiableCredential', valueString: GOOD }, { name: 'x' }] },
      'g/.well-known/jwks.json': 'no key set',
      'h/.well-known/jwks.json': { keys: [jwkOf(SIGNER), jwkOf(SIGNER, { kid: 'x' })] },
      'i/.well-known/crl/x.json': { kid: 'x', method: 'rid', ctr: 1, rids: ['a', 'b.1'] },
      'j/.well-known/crl/x.json': { kid: 'x', method: 'rid', ctr: 1, rids: ['a', 'a'] },
      'k.json': { about: 'nothing' },
    });
    assert.deepEqual(reasons, ['skipped: k.json holds no card, key set or revocation list']);
    assert.deepEqual([passed, failed, skipped], [1 + 3 + 1 + 2 + 1 + 2 + 2, 0, 1]);
  });

  it('fails a card that the oracle takes and the reader refuses', async () => {
    const odd = makeJws(SIGNER, { claims: { iss: ISSUER, vc: { type: [] } } });
    const { failed, reasons } = await runOver({ 'a.txt': odd });
    assert.equal(failed, 1);
    assert.match(reasons[0] ?? '', /refused \(CLAIMS_INVALID.*the oracle takes it/);
  });

  it('fails where its trusted key set is missing, and skips where the folder is', async () => {
    assert.equal((await runOver({ 'issuer/jwks.json': '' })).failed, 1);
    assert.equal((await shcSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});

describe('the oracle of shcSuite', () => {
  const set = { issuer: ISSUER, jwks: KEY_SET.keys };

  it('takes what the issuer signed, and nothing else', () => {
    assert.ok(isSignedByIssuer(GOOD, set));
    for (const bad of [FORGED, makeJws(SIGNER), `${GOOD}.x`, '', 'a.b.c', `${head}.${body}`])
      assert.ok(!isSignedByIssuer(bad, set), bad);
    assert.ok(!isSignedByIssuer(makeJws(SIGNER, { claims: { iss: ISSUER }, header: { alg: 'none' } }), set));
  });

  it('takes keys under their thumbprints, and nothing else', () => {
    assert.ok(isNamedKey(jwkOf(SIGNER)));
    for (const bad of [
      jwkOf(SIGNER, { kid: 'x' }),
      jwkOf(makeEcSigner('P-384')),
      {},
      jwkOf(SIGNER, { d: 'AA' }),
    ])
      assert.ok(!isNamedKey(bad));
  });
});
