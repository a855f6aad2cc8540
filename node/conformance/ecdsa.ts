/** Suite `ecdsa`: every back end gives the verdict of the source, on the Wycheproof vectors under `ecdsa/`. */
import { join } from 'node:path';
import { z } from 'zod';
import {
  type EcPublicKey,
  FIELD_BYTES,
  type ForeignAlgorithm,
  type VerifyForeign,
} from '../../protocol/foreign/signature-check.ts';
import { verifyWithWebCrypto } from '../../protocol/foreign/web-signatures.ts';
import { verifyDerSignature, verifyForeignSignature } from '../crypto/foreign-signatures.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

const CURVES = { secp256r1: 'P-256', secp384r1: 'P-384' } as const;
const HASHES = { 'SHA-256': 'ES256', 'SHA-384': 'ES384' } as const satisfies Record<string, ForeignAlgorithm>;

const hexSchema = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2})*$/)
  .transform((text) => new Uint8Array(Buffer.from(text, 'hex')));

const testSchema = z.object({
  tcId: z.number(),
  msg: hexSchema,
  sig: hexSchema,
  result: z.enum(['valid', 'invalid', 'acceptable']),
});

/** The key stands under `key` in older editions. `uncompressed` is 04, x, y. */
const keySchema = z.object({ curve: z.string(), uncompressed: hexSchema });
const groupSchema = z.object({
  type: z.enum(['EcdsaP1363Verify', 'EcdsaVerify']),
  publicKey: keySchema.optional(),
  key: keySchema.optional(),
  sha: z.string(),
  tests: z.array(z.unknown()),
});
const fileSchema = z.object({ testGroups: z.array(z.unknown()) });

/** WebCrypto takes no DER. */
const BACK_ENDS = {
  EcdsaP1363Verify: new Map<string, VerifyForeign>([
    ['openssl', verifyForeignSignature],
    ['webcrypto', verifyWithWebCrypto],
  ]),
  EcdsaVerify: new Map<string, (check: Parameters<typeof verifyDerSignature>[0]) => boolean>([
    ['openssl', verifyDerSignature],
  ]),
};

export const ecdsaSuite: Suite = {
  name: 'ecdsa',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'ecdsa'));
    if (files === undefined) {
      tally.skip('there is no folder ecdsa');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const groups = fileSchema.safeParse(json).data?.testGroups;
      if (groups === undefined) tally.fail(`${name} holds no groups of tests`);
      for (const [index, group] of (groups ?? []).entries())
        await runGroup(tally, `${name}, group ${index}`, group);
    }
    return tally.result();
  },
};

async function runGroup(tally: Tally, name: string, value: unknown): Promise<void> {
  const group = groupSchema.safeParse(value).data;
  const key = group?.publicKey ?? group?.key;
  if (group === undefined || key === undefined) {
    tally.fail(`${name}: its layout is not known`);
    return;
  }
  const curve = CURVES[key.curve as keyof typeof CURVES] as EcPublicKey['curve'] | undefined;
  const algorithm = HASHES[group.sha as keyof typeof HASHES] as ForeignAlgorithm | undefined;
  if (curve === undefined || algorithm === undefined) {
    tally.skip(`${name}: no code uses ${key.curve} with ${group.sha}`);
    return;
  }
  const size = FIELD_BYTES[curve];
  const x = key.uncompressed.subarray(1, 1 + size);
  const publicKey: EcPublicKey = { kind: 'ec', curve, x, y: key.uncompressed.subarray(1 + size) };
  for (const [index, one] of group.tests.entries()) {
    const test = testSchema.safeParse(one).data;
    if (test === undefined) {
      tally.fail(`${name}, entry ${index}: its layout is not known`);
      continue;
    }
    const check = { algorithm, publicKey, message: test.msg, signature: test.sig };
    const answers: [string, boolean][] = [];
    for (const [backEnd, verify] of BACK_ENDS[group.type]) answers.push([backEnd, await verify(check)]);
    const fault = faultOf(test.result, answers);
    tally.settle(fault === undefined ? undefined : `${name}, test ${test.tcId}: ${fault}`);
  }
}

/** `acceptable` leaves the answer open; the back ends must agree all the same. */
function faultOf(
  result: 'valid' | 'invalid' | 'acceptable',
  answers: readonly (readonly [string, boolean])[],
): string | undefined {
  const expected = result === 'acceptable' ? answers[0]?.[1] : result === 'valid';
  const other = answers.find(([, isGood]) => isGood !== expected);
  return other && `${other[0]} says ${other[1] ? 'good' : 'bad'}, the source ${result}`;
}
