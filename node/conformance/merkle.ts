/** Suite `merkle`: RFC 6962 inclusion and consistency proofs, good and bad, on the vectors under `merkle/`. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { isProtocolError } from '../../protocol/fault.ts';
import { verifyConsistency, verifyInclusion } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

const sha256: Sha256 = (data) => new Uint8Array(createHash('sha256').update(data).digest());

/** Sizes go up to 2^64-1. Above 2^53 JSON.parse rounds them, but never below 2^53, so that they stay refused. */
const sizeSchema = z.number().nonnegative();

/** Go's JSON: an empty list or byte string may stand as null. Lengths that are no hash's are part of the cases. */
const bytesSchema = z
  .base64()
  .nullable()
  .transform((text) => new Uint8Array(Buffer.from(text ?? '', 'base64')));
const pathSchema = z
  .array(bytesSchema)
  .nullable()
  .transform((path) => path ?? []);

const caseSchema = z.union([
  z
    .object({
      leafIdx: sizeSchema,
      treeSize: sizeSchema,
      root: bytesSchema,
      leafHash: bytesSchema,
      proof: pathSchema,
      wantErr: z.boolean(),
    })
    .transform(({ leafIdx, treeSize, root, leafHash, proof, wantErr }) => ({
      isGood: !wantErr,
      isBeyond: isBeyondIntegers(leafIdx, treeSize),
      verify: () => verifyInclusion(sha256, { index: leafIdx, size: treeSize, leafHash, root, path: proof }),
    })),
  z
    .object({
      size1: sizeSchema,
      size2: sizeSchema,
      root1: bytesSchema,
      root2: bytesSchema,
      proof: pathSchema,
      wantErr: z.boolean(),
    })
    .transform(({ size1, size2, root1, root2, proof, wantErr }) => ({
      isGood: !wantErr,
      isBeyond: isBeyondIntegers(size1, size2),
      verify: () =>
        verifyConsistency(sha256, {
          oldSize: size1,
          newSize: size2,
          oldRoot: root1,
          newRoot: root2,
          path: proof,
        }),
    })),
]);

type MerkleCase = z.infer<typeof caseSchema>;

export const merkleSuite: Suite = {
  name: 'merkle',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'merkle'));
    if (files === undefined) {
      tally.skip('there is no folder merkle');
      return tally.result();
    }
    for await (const { name, json } of files) {
      const cases: readonly unknown[] = Array.isArray(json) ? json : [json];
      cases.forEach((value, index) => {
        judge(tally, `${name} (entry ${index})`, caseSchema.safeParse(value).data);
      });
    }
    return tally.result();
  },
};

/**
 * A good proof about a tree of more than 2^53-1 leaves is skipped: SPEC.md 4.2 refuses such sizes, and whoever says
 * otherwise speaks of another protocol. It must still be refused as what it is, with SIZE_INVALID.
 */
function judge(tally: Tally, name: string, one: MerkleCase | undefined): void {
  if (one === undefined) {
    tally.fail(`${name}: its layout is not known`);
    return;
  }
  const fault = faultOf(one.verify);
  if (one.isGood && one.isBeyond) {
    if (fault === 'SIZE_INVALID') tally.skip(`${name}: sizes beyond 2^53-1 are not supported`);
    else tally.fail(`${name}: expected SIZE_INVALID for a size beyond 2^53-1, came ${fault ?? 'acceptance'}`);
  } else if (one.isGood) {
    tally.settle(fault === undefined ? undefined : `${name}: a good proof was refused with ${fault}`);
  } else {
    tally.settle(fault === undefined ? `${name}: a bad proof was accepted` : undefined);
  }
}

/** The code of the fault that a verification threw, or undefined if it threw none. Anything else is a defect. */
function faultOf(verify: () => unknown): string | undefined {
  try {
    verify();
    return undefined;
  } catch (error) {
    if (isProtocolError(error)) return error.fault.code;
    throw error;
  }
}

function isBeyondIntegers(...sizes: readonly number[]): boolean {
  return sizes.some((size) => !Number.isSafeInteger(size));
}
