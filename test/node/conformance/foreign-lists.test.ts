import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';
import { makeStatusList } from '../../../protocol/foreign/status-list.ts';
import { statusListSuite } from '../../../node/conformance/status-list.ts';
import { type Suite, type SuiteResult } from '../../../node/conformance/suite.ts';
import { vdsncSuite } from '../../../node/conformance/vdsnc.ts';
import { issueSigner, makeAuthority } from '../../support/csca-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { makeSeal } from '../../support/seal-fixture.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

async function runOver(suite: Suite, ...files: unknown[]): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    await mkdir(join(dir, suite.name));
    for (const [i, json] of files.entries())
      await writeFile(join(dir, suite.name, `${i}.json`), JSON.stringify(json));
    return await suite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('vdsncSuite', () => {
  const signer = makeEcSigner();
  const authority = makeAuthority();
  const sealBy = (certificate: Uint8Array) => JSON.parse(makeSeal(signer, { certificate })) as object;
  const good = sealBy(issueSigner(authority, signer));
  const forged = sealBy(issueSigner(authority, makeEcSigner()));
  const selfSigned = sealBy(makeCertificate(signer));

  it('passes seals that verify and those that should not', async () => {
    const { passed, failed, reasons } = await runOver(vdsncSuite, { expectVerify: true, seal: good }, [
      { expectVerify: false, seal: forged },
      { expectVerify: false, seal: selfSigned },
      { expectVerify: false, seal: {} },
    ]);
    assert.deepEqual([passed, failed, reasons], [4, 0, []]);
  });

  it('fails both mistakes and other layouts, and skips where the folder is absent', async () => {
    const { passed, failed } = await runOver(vdsncSuite, [
      { expectVerify: false, seal: good },
      { expectVerify: true, seal: forged },
      {},
    ]);
    assert.deepEqual([passed, failed], [0, 3]);
    assert.equal((await vdsncSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});

describe('statusListSuite', () => {
  const { bytes } = makeStatusList(2, 100, [
    [3, 1],
    [99, 2],
  ]);
  const lst = encodeBase64Url(new Uint8Array(deflateSync(bytes)));
  const good = { bits: 2, size: 100, lst, entries: { 3: 1, 99: 2 } };

  it('looks at every index, of the list that came and of one that it writes', async () => {
    const { passed, failed } = await runOver(statusListSuite, good, { ...good, size: undefined });
    assert.deepEqual([passed, failed], [4, 0]);
  });

  for (const [name, json, ...expected] of [
    ['an entry that is missing', { ...good, entries: { 3: 1 } }, 1, 1],
    ['an entry that is another', { ...good, entries: { 3: 2, 99: 2 } }, 1, 1],
    ['a list that is too short', { ...good, size: 101 }, 1, 1],
    ['a list that is none', { ...good, lst: 'AAAA' }, 0, 1],
    ['another layout', { ...good, bits: 3 }, 0, 1],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed } = await runOver(statusListSuite, json);
      assert.deepEqual([passed, failed], expected);
    });
  }

  it('skips where the folder is absent', async () => {
    assert.equal((await statusListSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});
