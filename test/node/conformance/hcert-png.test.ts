import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { qrPng } from '../../../cli/qr.ts';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { hcertPngSuite } from '../../../node/conformance/hcert-png.ts';
import { isConformant, runConformance } from '../../../node/conformance/run.ts';
import { type SuiteResult } from '../../../node/conformance/suite.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeHcert } from '../../support/hcert-fixture.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER);
const protectedHeader = new Map<number, unknown>([
  [1, -7],
  [4, new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'))],
]);
const GOOD = makeHcert(SIGNER, { protectedHeader });
const FORGED = makeHcert(makeEcSigner(), { protectedHeader });
const KEY_FILE = { PREFIX: GOOD, TESTCTX: { CERTIFICATE: encodeBase64(DER) }, EXPECTEDRESULTS: {} };

async function runOver(pictures: Readonly<Record<string, Uint8Array>>): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    for (const folder of ['hcert', 'hcert-png/XX']) await mkdir(join(dir, folder), { recursive: true });
    await writeFile(join(dir, 'hcert/1.json'), JSON.stringify(KEY_FILE));
    for (const [name, bytes] of Object.entries(pictures))
      await writeFile(join(dir, 'hcert-png/XX', name), bytes);
    return await hcertPngSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('hcertPngSuite', function () {
  this.timeout(60_000);

  it('passes pictures whose code is read and whose key is unknown, or whose signature is good', async () => {
    const { passed, failed } = await runOver({ 'a.png': qrPng(GOOD), 'b.PNG': qrPng(makeHcert(SIGNER)) });
    assert.deepEqual([passed, failed], [2, 0]);
  });

  it('fails a signature that is not good although its key is known, and a text that is refused', async () => {
    const { passed, failed } = await runOver({ 'a.png': qrPng(FORGED), 'b.png': qrPng('HC1:AAA') });
    assert.deepEqual([passed, failed], [0, 2]);
  });

  it('counts apart what cannot be made out or is no certificate', async () => {
    const { passed, failed, skipped } = await runOver({
      'a.png': Buffer.from('no picture'),
      'b.png': qrPng('ENT1:AAA'),
      'c.txt': Buffer.from('not looked at'),
    });
    assert.deepEqual([passed, failed, skipped], [0, 0, 2]);
  });

  it('does not run, and spoils nothing, where the folder is absent', async () => {
    const passing = {
      name: 'x',
      run: () => Promise.resolve({ passed: 1, failed: 0, skipped: 0, reasons: [] }),
    };
    const results = await runConformance(join(tmpdir(), 'entente-no-such-folder'), [passing, hcertPngSuite]);
    assert.deepEqual(
      results.map(({ name }) => name),
      ['x'],
    );
    assert.ok(isConformant(results));
  });
});
