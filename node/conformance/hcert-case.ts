/** Reads cases of EU Digital COVID Certificates: a text, its signer, a clock, and what should come of each step. */
import { z } from 'zod';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { hcertKeyOf } from '../foreign/hcert-key.ts';

/** The steps that are looked at, in their order; a file names them with EXPECTED before it. */
export const HCERT_STEPS = [
  'UNPREFIX',
  'B45DECODE',
  'COMPRESSION',
  'DECODE',
  'VERIFY',
  'KEYUSAGE',
  'EXPIRATIONCHECK',
] as const;
export type HcertStep = (typeof HCERT_STEPS)[number];

export interface HcertCase {
  readonly text: string;
  /** The COSE_Sign1 in the text and the payload in that, where the file shows them. */
  readonly cose: Uint8Array | undefined;
  readonly content: unknown;
  /** The signer's key; undefined where the file has no certificate, null for one that holds no key that signs codes. */
  readonly key: ForeignKey | null | undefined;
  readonly clockS: number | undefined;
  readonly expected: ReadonlyMap<HcertStep, boolean>;
}

const caseSchema = z.object({
  PREFIX: z.string(),
  JSON: z.unknown().optional(),
  COSE: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{2})+$/)
    .nullish(),
  TESTCTX: z.object({ CERTIFICATE: z.string().nullish(), VALIDATIONCLOCK: z.string().nullish() }).nullish(),
  EXPECTEDRESULTS: z.record(z.string(), z.unknown()),
});

/** The case in a file's JSON; undefined for another layout, also for a clock that cannot be read. */
export function readHcertCase(json: unknown): HcertCase | undefined {
  const file = caseSchema.safeParse(json).data;
  if (file === undefined) return undefined;
  const { CERTIFICATE: certificate, VALIDATIONCLOCK: clock } = file.TESTCTX ?? {};
  const clockS = secondsOf(clock ?? '');
  if (Boolean(clock) && clockS === undefined) return undefined;
  const expected = HCERT_STEPS.flatMap((step) => {
    const flag = file.EXPECTEDRESULTS[`EXPECTED${step}`];
    return typeof flag === 'boolean' ? [[step, flag] as const] : [];
  });
  return {
    text: file.PREFIX,
    cose: file.COSE ? new Uint8Array(Buffer.from(file.COSE, 'hex')) : undefined,
    content: file.JSON,
    key: certificate ? keyOf(certificate) : undefined,
    clockS,
    expected: new Map(expected),
  };
}

function keyOf(certificate: string): ForeignKey | null {
  try {
    return hcertKeyOf(derOf(certificate));
  } catch (error) {
    if (isProtocolError(error, 'KEY_INVALID')) return null;
    throw error;
  }
}

/** Base64, with or without the lines around it that PEM has. */
function derOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64'));
}

const CLOCK = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?$/;

/** Sources write any number of digits of a second, zones with and without a colon, and none, which means UTC. */
function secondsOf(text: string): number | undefined {
  const [, date, time, zone = 'Z'] = CLOCK.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const seconds = Date.parse(`${date}T${time}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2')}`) / 1_000;
  return Number.isNaN(seconds) ? undefined : seconds;
}
