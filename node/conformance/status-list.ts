/** Suite `status-list`: every index of IETF token status lists, on the vectors under `status-list/`; and that what is written here reads the same. */
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { z } from 'zod';
import { decodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import {
  inflateStatuses,
  isStatusBits,
  makeStatusList,
  type StatusList,
} from '../../protocol/foreign/status-list.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

const caseSchema = z.object({
  bits: z.custom<1 | 2 | 4 | 8>(isStatusBits),
  size: z.int().nonnegative().optional(),
  lst: z.string(),
  entries: z.record(z.string().regex(/^(?:0|[1-9]\d{0,15})$/), z.int().nonnegative()),
});
type StatusCase = z.infer<typeof caseSchema>;

export const statusListSuite: Suite = {
  name: 'status-list',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'status-list'));
    if (files === undefined) {
      tally.skip('there is no folder status-list');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const cases: readonly unknown[] = Array.isArray(json) ? json : [json];
      for (const [index, value] of cases.entries()) await runCase(tally, `${name} (entry ${index})`, value);
    }
    return tally.result();
  },
};

/** A list is one case with all of its indexes, and the list that is written from the same entries another. */
async function runCase(tally: Tally, name: string, value: unknown): Promise<void> {
  const one = caseSchema.safeParse(value).data;
  if (one === undefined) {
    tally.fail(`${name}: its layout is not known`);
    return;
  }
  try {
    const deflated = decodeBase64Url(one.lst.replace(/=+$/, ''));
    const list = await inflateStatuses(nativeForeignPrimitives, { bits: one.bits, deflated });
    const size = one.size ?? list.size;
    if (list.size < size) tally.fail(`${name}: expected ${size} statuses, came ${list.size}`);
    else tally.settle(differenceIn(list, size, one.entries, name));
    tally.settle(differenceIn(await writtenAndRead(one, size), size, one.entries, `${name}, written here`));
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    tally.fail(`${name}: refused with ${error.fault.code}`);
  }
}

function writtenAndRead({ bits, entries }: StatusCase, size: number): Promise<StatusList> {
  const statuses = Object.entries(entries).map(([index, status]) => [Number(index), status] as const);
  const { bytes } = makeStatusList(bits, size, statuses);
  return inflateStatuses(nativeForeignPrimitives, { bits, deflated: new Uint8Array(deflateSync(bytes)) });
}

/** The first index whose status is another than the entries say; what they do not name is 0. */
function differenceIn(
  list: StatusList,
  size: number,
  entries: StatusCase['entries'],
  name: string,
): string | undefined {
  for (let index = 0; index < size; index++) {
    const expected = entries[String(index)] ?? 0;
    const came = list.at(index);
    if (came !== expected) return `${name}: index ${index} should be ${expected}, came ${came}`;
  }
  return undefined;
}
