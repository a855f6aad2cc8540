import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asciiBytes, hexOf } from '../../../protocol/bytes.ts';
import { ecdsaSuite } from '../../../node/conformance/ecdsa.ts';
import { type SuiteResult } from '../../../node/conformance/suite.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';

const MESSAGE = asciiBytes('text');
const SIGNER = makeEcSigner();
const RAW = hexOf(SIGNER.sign('ES256', MESSAGE));
const DER = crypto.sign('sha256', MESSAGE, SIGNER.privateKey).toString('hex');
const point =
  SIGNER.publicKey.kind === 'ec' ? `04${hexOf(SIGNER.publicKey.x)}${hexOf(SIGNER.publicKey.y)}` : '';

async function runOver(...files: unknown[]): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    await mkdir(join(dir, 'ecdsa'));
    for (const [i, json] of files.entries())
      await writeFile(join(dir, 'ecdsa', `${i}.json`), JSON.stringify(json));
    return await ecdsaSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function file(type: string, sig: string, result: string, more: object = {}): object {
  const tests = [{ tcId: 1, msg: hexOf(MESSAGE), sig, result }];
  const publicKey = { curve: 'secp256r1', uncompressed: point };
  return { testGroups: [{ type, publicKey, sha: 'SHA-256', tests, ...more }] };
}

describe('ecdsaSuite', () => {
  it('passes good signatures in both forms, bad ones, and acceptable ones either way', async () => {
    const { passed, failed, reasons } = await runOver(
      file('EcdsaP1363Verify', RAW, 'valid'),
      file('EcdsaVerify', DER, 'valid'),
      file('EcdsaP1363Verify', DER, 'invalid'),
      file('EcdsaVerify', RAW, 'invalid'),
      file('EcdsaP1363Verify', RAW, 'acceptable'),
      file('EcdsaVerify', RAW, 'acceptable'),
    );
    assert.deepEqual(reasons, []);
    assert.deepEqual([passed, failed], [6, 0]);
  });

  for (const [name, json] of [
    ['a good signature that the source calls bad', file('EcdsaP1363Verify', RAW, 'invalid')],
    ['a bad signature that the source calls good', file('EcdsaVerify', `${DER}00`, 'valid')],
    ['a result of no known kind', file('EcdsaVerify', DER, 'maybe')],
    ['a group in no known layout', { testGroups: [{ tests: [] }] }],
    ['a file without groups', {}],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed } = await runOver(json);
      assert.deepEqual([passed, failed], [0, 1]);
    });
  }

  it('skips curves and hashes that no code uses, and an absent folder', async () => {
    const { passed, failed, skipped } = await runOver(file('EcdsaVerify', DER, 'valid', { sha: 'SHA3-256' }));
    assert.deepEqual([passed, failed, skipped], [0, 0, 1]);
    assert.equal((await ecdsaSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});
