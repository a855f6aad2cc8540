/** Suite `vdsnc`: ICAO visible digital seals, each under the key of its own certificate, which has to be that of a signer, on the vectors under `vdsnc/`. */
import { join } from 'node:path';
import { z } from 'zod';
import { isProtocolError } from '../../protocol/fault.ts';
import { signerOf } from '../../protocol/foreign/seal-signer.ts';
import { parseSeal } from '../../protocol/foreign/seal.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

const caseSchema = z.object({ expectVerify: z.boolean(), seal: z.unknown() });

export const vdsncSuite: Suite = {
  name: 'vdsnc',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'vdsnc'));
    if (files === undefined) {
      tally.skip('there is no folder vdsnc');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const cases: readonly unknown[] = Array.isArray(json) ? json : [json];
      cases.forEach((value, index) => {
        const one = caseSchema.safeParse(value).data;
        const answer = one && answerOf(JSON.stringify(one.seal));
        const isRight = one !== undefined && (answer === undefined) === one.expectVerify;
        const came = one === undefined ? 'its layout is not known' : (answer ?? 'it verifies');
        tally.settle(isRight ? undefined : `${name} (entry ${index}): ${came}`);
      });
    }
    return tally.result();
  },
};

/** Why a seal does not verify, or undefined if it does. The flag is about the signature: the source pins nobody and has no clock. */
function answerOf(text: string): string | undefined {
  const { sha256, verifyForeign } = nativeForeignPrimitives;
  try {
    const seal = parseSeal(sha256, text);
    const { signer, flaw } = signerOf(seal) ?? {};
    if (signer === undefined) return flaw ?? 'KEY_ID_MISSING';
    const { algorithm, message, signature } = seal;
    const { publicKey } = signer.certificate;
    return verifyForeign({ algorithm, publicKey, message, signature }) ? undefined : 'SIGNATURE_INVALID';
  } catch (error) {
    if (isProtocolError(error)) return error.fault.code;
    throw error;
  }
}
