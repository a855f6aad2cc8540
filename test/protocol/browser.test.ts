import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Browser, type Page } from 'playwright-core';
import { ANY_PLACE, verify } from '../../protocol/index.ts';
import { openNativeCrypto } from '../../node/crypto/native.ts';
import { openBrowser } from '../support/browser.ts';
import { type BrowserCase, type BrowserVectors, type judgeInBrowser } from '../support/browser-judge.ts';
import { keyNamed, presentCode } from '../support/code-fixture.ts';
import { readCodeVectors } from '../support/code-vectors.ts';
import { checkOf, ed25519Vectors } from '../support/ed25519-vectors.ts';
import { projectRoot } from '../support/project.ts';
import { seeded } from '../support/seeded.ts';
import { Federation, NOW_S } from '../support/snapshot-fixture.ts';

const GZIP_BYTES_MAX = 120 * 1024;
const HOME = 'DE';
const ISSUER = 'CN-33';
const MUTATED_TEXTS = 10_000;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

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

/** Codes of every kind that a gate meets, and then texts that differ from one of them in one to three characters. */
function casesOf(federation: Federation): BrowserCase[] {
  const device = keyNamed('device');
  const issued = Array.from({ length: 20 }, (_, index) =>
    federation.issue(ISSUER, index, { fields: { holderKey: device.publicKey } }),
  );
  const good = issued.flatMap((code) => [code.text, presentCode(code, device, NOW_S)]);
  const random = seeded(20_261_123);
  const draw = (bound: number) => Math.floor(random() * bound);
  const mutated = Array.from({ length: MUTATED_TEXTS }, () => {
    const text = [...(good[draw(good.length)] ?? '')];
    for (let changes = 1 + draw(3); changes > 0; changes--) {
      text[5 + draw(text.length - 5)] = ALPHABET[draw(ALPHABET.length)] ?? '';
    }
    return text.join('');
  });
  const vectors = readCodeVectors().codes.map(({ text }) => text);
  return [...good, ...vectors, ...mutated].map((text) => ({ text, atS: NOW_S }));
}

describe('protocol in a browser', function () {
  this.timeout(180_000);
  let browser: Browser | undefined;
  let page: Page;

  before(async function () {
    browser = await openBrowser();
    if (browser === undefined) {
      console.log('      no chromium on this machine: skipped (apt-get install chromium)');
      this.skip();
    }
    page = await browser.newPage();
    await page.addScriptTag({ content: await bundle('test/support/browser-judge.ts', 'page') });
  });

  after(() => browser?.close());

  it('bundles to at most 120 KB with gzip', async () => {
    const bytes = gzipSync(await bundle('protocol/index.ts'), { level: 9 }).length;
    console.log(`      ${(bytes / 1024).toFixed(1)} KB`);
    assert.ok(bytes > 10_000 && bytes <= GZIP_BYTES_MAX, `${bytes} bytes`);
  });

  it('gives every verdict of the native back ends, on good, bad and 10,000 mutated texts', async () => {
    const federation = new Federation(HOME, ISSUER, 'FR', 'IT', 'ES');
    federation.region(ISSUER).revoke([3, 5, 8]);
    const snapshot = await federation.snapshot();
    const { trust } = federation.apply(HOME, snapshot).holdings;
    const cases = casesOf(federation);

    const expected: string[][] = [];
    for (const backEnd of ['sodium', 'openssl'] as const) {
      const native = await openNativeCrypto({ backEnd });
      const context = { place: ANY_PLACE, mode: 'offline' } as const;
      expected.push(cases.map(({ text, atS }) => JSON.stringify(verify(native, text, trust, context, atS))));
    }
    assert.deepEqual(expected[0], expected[1]);

    const { home, network, pin } = federation.reader(HOME);
    const input = { snapshot: [...snapshot], pin: [...pin], home, network, atS: NOW_S, cases };
    const verdicts = await page.evaluate(({ snapshot, pin, home, network, atS, cases }) => {
      const { judgeInBrowser: judge } = (
        globalThis as unknown as { page: { judgeInBrowser: typeof judgeInBrowser } }
      ).page;
      const reader = { home, network, pin: Uint8Array.from(pin) };
      return judge.verdicts({ snapshot: Uint8Array.from(snapshot), reader, atS }, cases);
    }, input);
    assert.deepEqual(verdicts, expected[0]);

    const outcomes = new Map<string, number>();
    for (const verdict of verdicts) {
      const { outcome, reasons } = JSON.parse(verdict) as { outcome: string; reasons: { code: string }[] };
      for (const name of [outcome, ...reasons.map(({ code }) => code)])
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    }
    for (const reached of [
      'pass',
      'stop',
      'REVOKED',
      'SIGNATURE_INVALID',
      'PRESENTATION_INVALID',
      'COMMITMENT_MISMATCH',
    ]) {
      assert.ok((outcomes.get(reached) ?? 0) > 0, `no case reached ${reached}`);
    }
  });

  it('answers every signature vector as the native back ends do', async () => {
    const { verifySignature } = await openNativeCrypto();
    const checks = ed25519Vectors.map(checkOf);
    const plain = checks.map(({ publicKey, message, signature }) => [
      [...publicKey],
      [...message],
      [...signature],
    ]);
    const answers = await page.evaluate((list) => {
      const { judgeInBrowser: judge } = (
        globalThis as unknown as { page: { judgeInBrowser: typeof judgeInBrowser } }
      ).page;
      return judge.signatures(
        list.map(([publicKey = [], message = [], signature = []]) => ({
          publicKey: Uint8Array.from(publicKey),
          message: Uint8Array.from(message),
          signature: Uint8Array.from(signature),
        })),
      );
    }, plain);
    assert.deepEqual(answers, checks.map(verifySignature));
    assert.ok(answers.includes(true) && answers.includes(false));
  });

  it('finds in every vector of quorums, verdicts and snapshots what it expects', async () => {
    const [quorum, verdict, snapshot] = await Promise.all(
      ['quorum', 'verdict', 'snapshot'].map((name) => readVectors(name)),
    );
    const input = { quorum, verdict, snapshot } as BrowserVectors;
    const found = await page.evaluate((vectors) => {
      const { judgeInBrowser: judge } = (
        globalThis as unknown as { page: { judgeInBrowser: typeof judgeInBrowser } }
      ).page;
      return judge.vectors(vectors);
    }, input);
    assert.deepEqual(found, input);
  });
});

/** A file of vectors without what it says to people. */
async function readVectors(name: string): Promise<object> {
  const file = join(projectRoot, `test/vectors/${name}.json`);
  const { about, ...vectors } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  assert.ok(about);
  return vectors;
}
