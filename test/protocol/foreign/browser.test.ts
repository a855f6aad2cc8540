import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Browser, type Page } from 'playwright-core';
import { concatBytes } from '../../../protocol/bytes.ts';
import { encodeBase45 } from '../../../protocol/encoding/base45.ts';
import type * as foreign from '../../../protocol/foreign/index.ts';
import { type ForeignKey, ForeignKeys } from '../../../protocol/foreign/foreign-keys.ts';
import { verifyForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { sealKeyOf } from '../../../node/foreign/seal-key.ts';
import { openBrowser } from '../../support/browser.ts';
import { cardKey, cardTexts, makeJws } from '../../support/card-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { hcertKey, hcertText, ISSUED_S, makeCose, makeHcert } from '../../support/hcert-fixture.ts';
import { projectRoot } from '../../support/project.ts';
import { seeded } from '../../support/seeded.ts';
import { makeSeal, SEAL_DATA } from '../../support/seal-fixture.ts';
import { makeCertificate } from '../../support/x509-fixture.ts';

const NOW_S = ISSUED_S + 60;
const GZIP_BYTES_MAX = 120 * 1024;

async function bundle(entry: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(projectRoot, entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    format: globalName === undefined ? 'esm' : 'iife',
    ...(globalName !== undefined && { globalName }),
  });
  return outputFiles[0]?.text ?? '';
}

/** Codes of every format and algorithm, and each with something changed. */
function casesAndKeys(): { texts: string[]; keys: ForeignKey[] } {
  const [p256, p384, rsa] = [makeEcSigner(), makeEcSigner('P-384'), makeRsaSigner()];
  const certificate = makeCertificate(p256, { usages: ['2.23.136.1.1.14.2'] });
  const cose = makeCose(p256);
  const good = [
    makeHcert(p256),
    makeHcert(p384, { algorithm: 'ES384' }),
    makeHcert(p384, { algorithm: 'ES256' }),
    makeHcert(rsa, { algorithm: 'PS256' }),
    makeJws(p256),
    cardTexts(makeJws(p256), 2).join(' '),
    makeSeal(p256, { certificate }),
  ];
  const bad = [
    makeSeal(p256, { certificate, data: { ...SEAL_DATA, hdr: { ...SEAL_DATA.hdr, is: 'DEU' } } }),
    makeHcert(makeEcSigner()),
    makeJws(makeEcSigner()),
    `HC1:${encodeBase45(concatBytes(new Uint8Array(deflateSync(cose)), Uint8Array.of(0)))}`,
    `HC1:${encodeBase45(new Uint8Array(deflateSync(cose)).subarray(0, -1))}`,
    `HC1:${encodeBase45(new Uint8Array(deflateSync(new Uint8Array(500_000))))}`,
    hcertText(cose.subarray(1)),
  ];
  const random = seeded(17);
  const mutants = Array.from({ length: 400 }, () => {
    const text = [...(good[Math.floor(random() * good.length)] ?? '')];
    text[6 + Math.floor(random() * (text.length - 6))] = 'AZ09'.charAt(Math.floor(random() * 4));
    return text.join('');
  });
  const keys = [hcertKey(p256), hcertKey(p384), hcertKey(rsa), cardKey(p256), sealKeyOf(certificate)];
  return { texts: [...good, ...bad, ...mutants], keys };
}

describe('protocol/foreign in a browser', function () {
  this.timeout(120_000);
  let browser: Browser | undefined;
  let server: Server;
  let page: Page;

  before(async function () {
    browser = await openBrowser();
    if (browser === undefined) {
      console.log('      no chromium on this machine: skipped (apt-get install chromium)');
      this.skip();
    }
    // WebCrypto is there for pages of a trustworthy origin alone, such as this machine's.
    server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => server.once('listening', resolve));
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.addScriptTag({ content: await bundle('protocol/foreign/index.ts', 'foreign') });
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  it('has an entry of its own: the core does not carry it', async () => {
    const bytes = gzipSync(await bundle('protocol/foreign/index.ts'), { level: 9 }).length;
    console.log(`      ${(bytes / 1024).toFixed(1)} KB`);
    assert.ok(bytes > 5_000 && bytes <= GZIP_BYTES_MAX, `${bytes} bytes`);
    assert.doesNotMatch(await bundle('protocol/index.ts'), /smarthealth\.cards|statuslist/);
  });

  it('gives every verdict of the native back end, on good, bad and mutated codes of every format', async () => {
    const { texts, keys } = casesAndKeys();
    const expected: string[] = [];
    for (const text of texts) {
      const { outcome, reasons } = await verifyForeign(
        nativeForeignPrimitives,
        text,
        new ForeignKeys(keys),
        NOW_S,
      );
      expected.push([outcome, ...reasons.map(({ code }) => code)].join(' '));
    }
    const plain = keys.map(({ publicKey, ...key }) => ({
      ...key,
      publicKey: Object.entries(publicKey).map(([name, value]: [string, unknown]) =>
        value instanceof Uint8Array ? { name, bytes: [...value] } : { name, text: String(value) },
      ),
    }));
    const answers = await page.evaluate(
      async ({ texts, plain, nowS }) => {
        const { ForeignKeys, verifyForeign, webForeignPrimitives } = (
          globalThis as unknown as { foreign: typeof foreign }
        ).foreign;
        const keys = plain.map((key) => ({
          ...key,
          publicKey: Object.fromEntries(
            key.publicKey.map(({ name, bytes, text }) => [
              name,
              bytes === undefined ? text : Uint8Array.from(bytes),
            ]),
          ),
        })) as unknown as foreign.ForeignKey[];
        const found: string[] = [];
        for (const text of texts) {
          const { outcome, reasons } = await verifyForeign(
            webForeignPrimitives,
            text,
            new ForeignKeys(keys),
            nowS,
          );
          found.push([outcome, ...reasons.map(({ code }) => code)].join(' '));
        }
        return found;
      },
      { texts, plain, nowS: NOW_S },
    );
    assert.deepEqual(answers, expected);
    assert.equal(answers.slice(0, 7).filter((answer) => answer.startsWith('genuine')).length, 7);
    for (const reached of ['refused MALFORMED', 'refused SIGNATURE_INVALID'])
      assert.ok(answers.includes(reached), reached);
  });
});
