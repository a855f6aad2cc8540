/** Suite `dcc-revocation`: the three hashes by which a certificate is revoked, on the vectors under `dcc-revocation/`. */
import { join } from 'node:path';
import { z } from 'zod';
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { hcertRevocationIds } from '../../protocol/foreign/hcert-revocation.ts';
import { readHcert } from '../../protocol/foreign/hcert.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

const hashSchema = z
  .string()
  .regex(/^[0-9a-fA-F]{32}$/)
  .transform((text) => text.toLowerCase());

const caseSchema = z.object({
  barcodeData: z.string(),
  expUCI: hashSchema,
  expCOUNTRYCODEUCI: hashSchema,
  expSIGNATURE: hashSchema,
});

export const dccRevocationSuite: Suite = {
  name: 'dcc-revocation',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'dcc-revocation'));
    if (files === undefined) {
      tally.skip('there is no folder dcc-revocation');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const cases: readonly unknown[] = Array.isArray(json) ? json : [json];
      for (const [index, value] of cases.entries()) await runCase(tally, `${name} (entry ${index})`, value);
    }
    return tally.result();
  },
};

/** Each of the three hashes counts as a case. */
async function runCase(tally: Tally, name: string, value: unknown): Promise<void> {
  const one = caseSchema.safeParse(value).data;
  if (one === undefined) {
    tally.fail(`${name}: its layout is not known`);
    return;
  }
  const { sha256, inflate } = nativeForeignPrimitives;
  let ids: ReturnType<typeof hcertRevocationIds>;
  try {
    ids = hcertRevocationIds(sha256, await readHcert(inflate, one.barcodeData));
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    tally.fail(`${name}: the text was refused with ${error.fault.code}`);
    return;
  }
  for (const [hash, expected, came] of [
    ['UCI', one.expUCI, ids.identifier],
    ['COUNTRYCODEUCI', one.expCOUNTRYCODEUCI, ids.countryAndIdentifier],
    ['SIGNATURE', one.expSIGNATURE, [ids.signature]],
  ] as const) {
    const found = came.map(hexOf);
    tally.settle(
      found.includes(expected)
        ? undefined
        : `${name}: ${hash} should be ${expected}, came ${found.join(' ')}`,
    );
  }
}
