/** Suite `hcert`: EU Digital COVID Certificates, step by step, on the vectors under `hcert/`. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { equalBytes } from '../../protocol/bytes.ts';
import { type FaultCode, isProtocolError } from '../../protocol/fault.ts';
import { parseCoseParts } from '../../protocol/foreign/cose.ts';
import { asMap, decodeForeignCbor } from '../../protocol/foreign/foreign-cbor.ts';
import { type ForeignCode, type ForeignTimes } from '../../protocol/foreign/foreign-code.ts';
import { type ForeignKey, foreignChecksOf, ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { judgeForeign } from '../../protocol/foreign/foreign-verdict.ts';
import { INFLATED_BYTES_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { parseHcert, unwrapHcert } from '../../protocol/foreign/hcert.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { jsonFilesOf } from './files.ts';
import { type HcertCase, HCERT_STEPS, type HcertStep, readHcertCase } from './hcert-case.ts';
import { Tally, type Suite } from './suite.ts';

export const hcertSuite = hcertSuiteOf(parseHcert);

/** The suite over another reader of certificates than the one that verdicts rest on: what that gets wrong has to show. */
export function hcertSuiteOf(parse: typeof parseHcert): Suite {
  return {
    name: 'hcert',
    async run(dir) {
      const tally = new Tally();
      const files = jsonFilesOf(join(dir, 'hcert'));
      if (files === undefined) {
        tally.skip('there is no folder hcert');
        return tally.result();
      }
      for await (const { name, json } of files) {
        const one = readHcertCase(json);
        if (one === undefined) tally.fail(`${name}: its layout is not known`);
        else if (one.expected.size === 0) tally.skip(`${name} expects nothing that is looked at`);
        else runCase(tally, name, one, read(one.text, parse));
      }
      return tally.result();
    },
  };
}

function runCase(tally: Tally, name: string, one: HcertCase, came: Read | Refused): void {
  for (const [step, flag] of one.expected) {
    const answer = 'fault' in came ? isReached(step, came.fault) : answerOf(step, came, one);
    // A source's own flag that its dates contradict counts for nothing: then the answer has to be what the dates say.
    const isDated = step === 'EXPIRATIONCHECK' && 'cose' in came;
    const expected = (isDated ? isInForce(claimedTimes(came.cose), one.clockS) : undefined) ?? flag;
    if (answer === undefined)
      tally.skip(`${name}: ${step} needs a certificate or a clock, and there is none`);
    else if (answer !== expected)
      tally.fail(
        `${name}: ${step} should be ${expected}${'fault' in came ? `, refused with ${came.fault}` : ''}`,
      );
    else if (flag !== expected)
      tally.skip(`${name}: the source's flag says ${flag}, its own dates say ${expected}`);
    else tally.pass();
  }
}

interface Read {
  readonly code: ForeignCode;
  readonly cose: Uint8Array;
}

interface Refused {
  readonly fault: FaultCode;
}

function read(text: string, parse: typeof parseHcert): Read | Refused {
  try {
    const cose = nativeForeignPrimitives.inflate(unwrapHcert(text), 'zlib', INFLATED_BYTES_MAX);
    return { code: parse(cose), cose };
  } catch (error) {
    if (isProtocolError(error)) return { fault: error.fault.code };
    throw error;
  }
}

/** The step at which a text was refused, by its fault: what comes before it went well. Every other fault is one of decoding. */
const STEP_OF: Partial<Record<FaultCode, HcertStep>> = {
  CODE_EMPTY: 'UNPREFIX',
  CODE_UNKNOWN: 'UNPREFIX',
  CODE_VERSION_UNKNOWN: 'UNPREFIX',
  BASE45_MALFORMED: 'B45DECODE',
  COMPRESSION_INVALID: 'COMPRESSION',
};

function isReached(step: HcertStep, fault: FaultCode): boolean {
  const refusedAt = STEP_OF[fault] ?? 'DECODE';
  return HCERT_STEPS.indexOf(step) < HCERT_STEPS.indexOf(refusedAt);
}

/** Undefined where the file lacks what the step needs. */
function answerOf(step: HcertStep, { code, cose }: Read, one: HcertCase): boolean | undefined {
  const { key, clockS } = one;
  switch (step) {
    case 'UNPREFIX':
    case 'B45DECODE':
    case 'COMPRESSION':
      return true;
    case 'DECODE':
      return isShown(cose, code, one);
    case 'VERIFY':
      return key === undefined ? undefined : key !== null && isSignedBy(code, key);
    case 'KEYUSAGE':
      return key ? !reasonsBy(code, key, code.times.issuedAtS ?? 0).includes('KEY_USAGE') : undefined;
    case 'EXPIRATIONCHECK': {
      if (clockS === undefined) return undefined;
      const isByDates = isInForce(code.times, clockS);
      if (!key || isByDates === undefined) return isByDates ?? false;
      const reasons = reasonsBy(code, key, clockS);
      return !reasons.includes('NOT_YET_ISSUED') && !reasons.includes('EXPIRED');
    }
  }
}

/** What was decoded is what the file shows: the bytes, or else the payload but for its times, which sources show in zones of their own. */
function isShown(cose: Uint8Array, { content }: ForeignCode, shown: HcertCase): boolean {
  if (shown.cose !== undefined && equalBytes(cose, shown.cose)) return true;
  if (shown.content !== undefined) return isDeepStrictEqual(plain(content), plain(shown.content));
  return shown.cose === undefined;
}

const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-][\d:]+)?$/;

/** As JSON prints it, with one word for every time. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' && TIME.test(member) ? 'a time' : member,
  );
  return JSON.parse(text);
}

function isSignedBy(code: ForeignCode, key: ForeignKey): boolean {
  const candidates = new ForeignKeys([key]).candidatesFor(code);
  return foreignChecksOf(code, candidates).some(nativeForeignPrimitives.verifyForeign);
}

/** What else the verdict says: the steps after the signature are told apart from it. */
function reasonsBy(code: ForeignCode, key: ForeignKey, nowS: number): string[] {
  const candidates = { keys: [key], isCrowded: false };
  const results = foreignChecksOf(code, candidates).map(() => true);
  return judgeForeign(code, candidates, results, nowS).reasons.map((reason) => reason.code);
}

/** The dates as they stand in the claims (RFC 8392), past what reads them for verdicts. */
function claimedTimes(cose: Uint8Array): ForeignTimes {
  const claims = asMap(
    decodeForeignCbor(parseCoseParts(cose, INFLATED_BYTES_MAX).payload, INFLATED_BYTES_MAX),
  );
  const [issued, expires] = [claims?.get(6), claims?.get(4)];
  return {
    issuedAtS: typeof issued === 'number' ? issued : undefined,
    expiresAtS: typeof expires === 'number' ? expires : undefined,
  };
}

/** By the dates alone; undefined where one of them or the clock is missing. */
function isInForce({ issuedAtS, expiresAtS }: ForeignTimes, clockS?: number): boolean | undefined {
  if (issuedAtS === undefined || expiresAtS === undefined || clockS === undefined) return undefined;
  return issuedAtS <= clockS && clockS < expiresAtS;
}
