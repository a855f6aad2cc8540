/** What the rows of the table of SPEC 11 are made of: each a check with a reason, and the nearest one without it. */
import { codeText, decodeCodeText } from '../../protocol/code/code-text.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type ReasonCode } from '../../protocol/verdict/reasons.ts';
import { HOUR_S, keyNamed, presentCode } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { cosigned } from './stub-trust.ts';
import {
  ATTEST_KEY,
  type Check,
  codeOf,
  CONTEXT,
  HOME,
  ISSUED_AT_S,
  ISSUER,
  LOG,
  NOW_S,
} from './verdict-fixture.ts';

export const HOUR_START_S = Math.floor(ISSUED_AT_S / HOUR_S) * HOUR_S;
export const OTHER_KEY = keyNamed('somebody');
export const DEVICE = keyNamed('device of the holder');
export const CHALLENGE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
export const DOCUMENT = { salt: new Uint8Array(16).fill(3), hash: new Uint8Array(32).fill(4) };

export const heldCode = codeOf({ fields: { holderKey: DEVICE.publicKey } });
export const shown = (atS: number, challenge?: Uint8Array, key = DEVICE) =>
  presentCode(heldCode, key, atS, challenge);

/** All cosignatures on the issuer's checkpoint have this age; its own, if given, another. */
export const aged = (ageS: number, silenceS = ageS, by = [HOME, 'FR', 'IT']) => ({
  cosignatures: [...by.map((region) => cosigned(region, NOW_S - ageS)), cosigned(ISSUER, NOW_S - silenceS)],
});
export const homeAged = (ageS: number) => ({
  cosignatures: [ISSUER, 'FR', 'IT'].map((region) => cosigned(region, NOW_S - ageS)),
});
export const atPlace = (place: Partial<typeof CONTEXT.place>) => ({
  context: { place: { ...CONTEXT.place, ...place } },
});
export const offline = (check: Check): Check => ({
  ...check,
  context: { ...check.context, mode: 'offline' },
});

/** The attest key with these properties, in a state that also knows the key as before. */
export const withKey = (changes: object) => ({
  issuer: { keys: [{ key: ATTEST_KEY, role: 'attest' as const, ...changes }] },
});

/** A log of one entry is its own proof: the root is the leaf. */
export const firstCode = codeOf({ index: 0 });
export const compromisedAt = (size: number, root = leafHash(sha256, firstCode.attestation), log = LOG) =>
  withKey({ compromise: { version: 1, cutOffs: new Map([[log, { size, root }]]) } });
export const firstProof = {
  log: LOG,
  index: 0,
  size: 1,
  leafHash: leafHash(sha256, firstCode.attestation),
  path: [],
};
export const backdated = codeOf({ index: 0, status: { ruleVersion: 2 } });

/** The text of the code with one bit flipped in the byte at `at`. */
export function flipped(text: string, at: (length: number) => number): string {
  const bytes = decodeCodeText(text).slice();
  const place = at(bytes.length);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return codeText(bytes);
}

export interface Row {
  readonly code: ReasonCode;
  readonly when: string;
  readonly given: Check;
  /** The nearest check without the reason. */
  readonly neighbour?: Check;
}
