import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { encodeBase64 } from '../../../protocol/encoding/base64.ts';
import { hcertRevocationIds } from '../../../protocol/foreign/hcert-revocation.ts';
import { parseHcert } from '../../../protocol/foreign/hcert.ts';
import { dccRevocationSuite } from '../../../node/conformance/dcc-revocation.ts';
import { hcertSuite, hcertSuiteOf } from '../../../node/conformance/hcert.ts';
import { type Suite, type SuiteResult } from '../../../node/conformance/suite.ts';
import { hcertKeyOf } from '../../../node/foreign/hcert-key.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { ISSUED_S, makeCose, hcertText, VACCINATION } from '../../support/hcert-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const SIGNER = makeEcSigner();
const DER = makeCertificate(SIGNER, { usages: ['1.3.6.1.4.1.1847.2021.1.2'] });
const KEY_ID = new Uint8Array(Buffer.from(hcertKeyOf(DER).keyId, 'base64'));
const COSE = makeCose(SIGNER, {
  protectedHeader: new Map<number, unknown>([
    [1, -7],
    [4, KEY_ID],
  ]),
});
const TEXT = hcertText(COSE);
const FORGED = hcertText(
  makeCose(makeEcSigner(), {
    protectedHeader: new Map<number, unknown>([
      [1, -7],
      [4, KEY_ID],
    ]),
  }),
);
const ALL = {
  EXPECTEDUNPREFIX: true,
  EXPECTEDB45DECODE: true,
  EXPECTEDCOMPRESSION: true,
  EXPECTEDDECODE: true,
  EXPECTEDVERIFY: true,
  EXPECTEDKEYUSAGE: true,
  EXPECTEDEXPIRATIONCHECK: true,
  EXPECTEDSCHEMAVALIDATION: false,
};

const at = (seconds: number) => new Date(1_000 * seconds).toISOString();

async function runOver(suite: Suite, ...files: unknown[]): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    const folder = join(dir, suite.name, 'XX');
    await mkdir(folder, { recursive: true });
    for (const [i, json] of files.entries()) await writeFile(join(folder, `${i}.json`), JSON.stringify(json));
    return await suite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function file(expected: object, more: object = {}, clock: string | undefined = at(ISSUED_S)): object {
  const context = { CERTIFICATE: encodeBase64(DER), VALIDATIONCLOCK: clock };
  return { PREFIX: TEXT, COSE: hexOf(COSE), TESTCTX: context, EXPECTEDRESULTS: expected, ...more };
}

describe('hcertSuite', () => {
  it('passes every step of a good certificate, and bad ones where they are bad', async () => {
    const { passed, failed, reasons } = await runOver(
      hcertSuite,
      file(ALL),
      file({ EXPECTEDUNPREFIX: false }, { PREFIX: `HL0:${TEXT.slice(4)}` }),
      file({ EXPECTEDUNPREFIX: true, EXPECTEDB45DECODE: false }, { PREFIX: 'HC1:A' }),
      file({ EXPECTEDB45DECODE: true, EXPECTEDCOMPRESSION: false }, { PREFIX: 'HC1:AAA' }),
      file({ EXPECTEDCOMPRESSION: true, EXPECTEDDECODE: false }, { PREFIX: hcertText(COSE.subarray(1)) }),
      file({ EXPECTEDDECODE: true, EXPECTEDVERIFY: false }, { PREFIX: FORGED, COSE: undefined }),
      file({ EXPECTEDEXPIRATIONCHECK: false }, {}, at(ISSUED_S - 1)),
      file({ EXPECTEDDECODE: true }, { COSE: '00', JSON: VACCINATION }),
      file({ EXPECTEDVERIFY: false }, { TESTCTX: { CERTIFICATE: 'AAAA' } }),
      file({ EXPECTEDEXPIRATIONCHECK: true }, { TESTCTX: { VALIDATIONCLOCK: at(ISSUED_S) } }),
    );
    assert.deepEqual(reasons, []);
    assert.deepEqual([passed, failed], [7 + 1 + 2 + 2 + 2 + 2 + 1 + 3, 0]);
  });

  for (const [name, clock] of [
    ['no zone, which means UTC', at(ISSUED_S).replace('Z', '')],
    ['nine digits of a second', at(ISSUED_S).replace(/\.\d+Z/, '.123456789Z')],
    ['a space before the time', at(ISSUED_S).replace('T', ' ')],
    ['a zone without a colon', at(ISSUED_S + 7_200).replace('Z', '+0200')],
    ['a zone with a colon', at(ISSUED_S - 3_600).replace('Z', '-01:00')],
  ] as const) {
    it(`reads a clock with ${name}`, async () => {
      const { passed, failed } = await runOver(
        hcertSuite,
        file({ EXPECTEDEXPIRATIONCHECK: true }, {}, clock),
      );
      assert.deepEqual([passed, failed], [1, 0]);
    });
  }

  for (const [name, json] of [
    ['a step that went well and should not', file({ EXPECTEDVERIFY: false })],
    ['a step that should go well and did not', file({ EXPECTEDVERIFY: true }, { PREFIX: FORGED })],
    ['a usage that the key has and should not', file({ EXPECTEDKEYUSAGE: false })],
    ['other bytes than those shown', file({ EXPECTEDDECODE: true }, { COSE: '00' })],
    ['a text that is refused', file({ EXPECTEDDECODE: true }, { PREFIX: 'HC1:A' })],
    ['a clock that is none', file({ EXPECTEDUNPREFIX: true }, {}, 'yesterday')],
    ['a certificate that is none', file({ EXPECTEDVERIFY: true }, { TESTCTX: { CERTIFICATE: 'AAAA' } })],
    ['another payload than that shown', file({ EXPECTEDDECODE: true }, { COSE: undefined, JSON: {} })],
    ['a file without a text', {}],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed } = await runOver(hcertSuite, json);
      assert.deepEqual([passed, failed], [0, 1]);
    });
  }

  it('fails dates that are read as others than they are, whatever the flag says and with a signer or without', async () => {
    for (const issuedAtS of [ISSUED_S + 1, undefined]) {
      const suite = hcertSuiteOf((cose) => {
        const code = parseHcert(cose);
        return { ...code, times: { ...code.times, issuedAtS } };
      });
      for (const EXPECTEDEXPIRATIONCHECK of [true, false])
        for (const more of [{}, { TESTCTX: { VALIDATIONCLOCK: at(ISSUED_S) } }]) {
          const one = file({ EXPECTEDEXPIRATIONCHECK }, more);
          const { passed, failed, skipped } = await runOver(suite, one);
          assert.deepEqual([passed, failed, skipped], [0, 1, 0]);
        }
    }
  });

  it("skips a flag that the source's own dates contradict, and steps without their data", async () => {
    for (const json of [
      file({ EXPECTEDEXPIRATIONCHECK: false }),
      file({ EXPECTEDEXPIRATIONCHECK: true }, {}, at(ISSUED_S - 1)),
      file({ EXPECTEDVERIFY: true }, { TESTCTX: {} }),
      file({ EXPECTEDKEYUSAGE: true }, { TESTCTX: { CERTIFICATE: 'AAAA' } }),
      file({ EXPECTEDEXPIRATIONCHECK: true }, { TESTCTX: { CERTIFICATE: encodeBase64(DER) } }),
      file({ EXPECTEDSCHEMAVALIDATION: true }),
    ]) {
      const { passed, failed, skipped } = await runOver(hcertSuite, json);
      assert.deepEqual([passed, failed, skipped], [0, 0, 1]);
    }
    assert.equal((await hcertSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});

describe('dccRevocationSuite', () => {
  const ids = hcertRevocationIds(sha256, parseHcert(COSE));
  const one = {
    barcodeData: TEXT,
    expUCI: hexOf(ids.identifier[0] ?? new Uint8Array(0)),
    expCOUNTRYCODEUCI: hexOf(ids.countryAndIdentifier[0] ?? new Uint8Array(0)),
    expSIGNATURE: hexOf(ids.signature).toUpperCase(),
  };

  it('counts each of the three hashes', async () => {
    const { passed, failed } = await runOver(dccRevocationSuite, [one, one], one);
    assert.deepEqual([passed, failed], [9, 0]);
  });

  it('fails each hash that differs, texts that are refused, and other layouts', async () => {
    const zero = '0'.repeat(32);
    const wrong = { ...one, expUCI: zero, expCOUNTRYCODEUCI: zero, expSIGNATURE: zero };
    const { passed, failed } = await runOver(dccRevocationSuite, [
      wrong,
      { ...one, barcodeData: 'HC1:A' },
      {},
    ]);
    assert.deepEqual([passed, failed], [0, 5]);
  });

  it('skips where the folder is absent', async () => {
    assert.equal((await dccRevocationSuite.run(join(tmpdir(), 'entente-no-such-folder'))).skipped, 1);
  });
});
