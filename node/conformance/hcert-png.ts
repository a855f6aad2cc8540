/**
 * Suite `hcert-png`: pictures of EU Digital COVID Certificates under `hcert-png/`, read and verified by the keys of all signers that the vectors
 * under `hcert/` show. A picture that no reader can make out says nothing of this code, and is counted apart.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as zxing from 'zxing-wasm/reader';
import { isProtocolError } from '../../protocol/fault.ts';
import { type ForeignCode } from '../../protocol/foreign/foreign-code.ts';
import { foreignChecksOf, type ForeignKey, ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { readHcert } from '../../protocol/foreign/hcert.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { jsonFilesOf } from './files.ts';
import { readHcertCase } from './hcert-case.ts';
import { Tally, type Suite } from './suite.ts';

/** Bytes of a picture that is looked at. */
const PICTURE_BYTES_MAX = 16 * 1024 * 1024;

export const hcertPngSuite: Suite = {
  name: 'hcert-png',
  isOptional: true,
  async run(dir) {
    const tally = new Tally();
    const folder = join(dir, 'hcert-png');
    const keys = await keysOf(join(dir, 'hcert'));
    const names = (await readdir(folder, { recursive: true })).filter((name) => /\.png$/i.test(name)).sort();
    for (const name of names) await runPicture(tally, name, join(folder, name), keys);
    return tally.result();
  },
};

async function runPicture(tally: Tally, name: string, path: string, keys: ForeignKeys): Promise<void> {
  const text = await textIn(path);
  if (text === undefined) {
    tally.skip(`${name}: no code could be made out`);
    return;
  }
  if (!text.startsWith('HC')) {
    tally.skip(`${name}: the code is no health certificate`);
    return;
  }
  let code: ForeignCode;
  try {
    code = await readHcert(nativeForeignPrimitives.inflate, text);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    tally.fail(`${name}: the code was read and refused with ${error.fault.code}`);
    return;
  }
  const candidates = keys.candidatesFor(code);
  const isGood = foreignChecksOf(code, candidates).some(nativeForeignPrimitives.verifyForeign);
  const isKnown = candidates.keys.length > 0;
  tally.settle(isGood || !isKnown ? undefined : `${name}: its key is known, and its signature is not good`);
}

/** Each signer once: many vectors share one. */
async function keysOf(folder: string): Promise<ForeignKeys> {
  const keys = new Map<string, ForeignKey>();
  for await (const { json } of jsonFilesOf(folder) ?? []) {
    const key = readHcertCase(json)?.key;
    if (key) keys.set(`${key.keyId} ${JSON.stringify(key.publicKey)}`, key);
  }
  return new ForeignKeys(keys.values());
}

async function textIn(path: string): Promise<string | undefined> {
  if ((await stat(path)).size > PICTURE_BYTES_MAX) return undefined;
  const { readBarcodes } = await reader();
  const picture = new Uint8Array(await readFile(path));
  const found = await readBarcodes(picture, { formats: ['QRCode', 'Aztec'], tryHarder: true });
  return found.find(({ isValid }) => isValid)?.text;
}

type Reader = typeof zxing;
let opened: Promise<Reader> | undefined;

/** Loaded once and only where there are pictures. Its own way to its code would be a download. */
function reader(): Promise<Reader> {
  opened ??= openReader();
  return opened;
}

async function openReader(): Promise<Reader> {
  const module = await import('zxing-wasm/reader');
  const path = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm');
  const wasmBinary = new Uint8Array(await readFile(path)).buffer;
  await module.prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  return module;
}
