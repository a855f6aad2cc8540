/** From the text of a local code to a verdict, by the profiles that regions have announced. Spec: SPEC.md 17.11. */
import { isProtocolError } from '../fault.ts';
import { type TrustState } from '../trust/trust-state.ts';
import { type AnnouncedKey, type LocalAnnouncer, localsIn } from './announced-codes.ts';
import { type ForeignCode } from './foreign-code.ts';
import { foreignChecksOf } from './foreign-keys.ts';
import { type ForeignPrimitives } from './foreign-primitives.ts';
import { judgeForeign } from './foreign-verdict.ts';
import { judgeLocal, type LocalInput, type LocalReading, type LocalVerdict } from './judge-local.ts';
import { readLocal } from './local-code.ts';

/** The verdict on a text that some profile may read; undefined if none may. Never throws on what a text says. */
export async function verifyLocal(
  primitives: ForeignPrimitives,
  text: string,
  input: LocalInput,
): Promise<LocalVerdict | undefined> {
  const { tried, untried } = input.announced.localsFor(text, input.nowS);
  if (tried.length === 0) return undefined;
  const readings: LocalReading[] = [];
  for (const announcer of tried) readings.push(await readingOf(primitives, text, announcer));
  return judgeLocal(input, readings, untried);
}

/** A code of others and the announced key that made its signature. */
export interface SignedForeign {
  readonly code: ForeignCode;
  readonly key: AnnouncedKey;
}

/** What a text is by each of a region's own profiles by which a key of that region signed it: by the profiles of a verdict, at most four; none if none did. */
export async function signedLocal(
  primitives: ForeignPrimitives,
  text: string,
  state: TrustState,
  nowS: number,
): Promise<readonly SignedForeign[]> {
  const codes: SignedForeign[] = [];
  for (const announcer of localsIn(state, text).tried) {
    const reading = await readingOf(primitives, text, announcer);
    if ('fault' in reading) continue;
    const { key } = judgeForeign(reading.code, reading.candidates, reading.results, nowS);
    if (key !== undefined) codes.push({ code: reading.code, key });
  }
  return codes;
}

async function readingOf(
  primitives: ForeignPrimitives,
  text: string,
  announcer: LocalAnnouncer,
): Promise<LocalReading> {
  let code: ForeignCode;
  try {
    code = await readLocal(primitives, announcer.profile, text);
  } catch (error) {
    if (isProtocolError(error)) return { announcer, fault: error.fault };
    throw error;
  }
  const candidates = announcer.keys.candidatesFor(code);
  const results: boolean[] = [];
  for (const check of foreignChecksOf(code, candidates)) results.push(await primitives.verifyForeign(check));
  return { announcer, code, candidates, results };
}
