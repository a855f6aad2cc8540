/** A gate of DE that recognises AT by its adapter of a local code, and how to change a single thing about it. */
import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { profileBases, profileText } from '../../node/rules/profiles.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { adapterData } from '../../protocol/foreign/adapter.ts';
import { AnnouncedCodes } from '../../protocol/foreign/announced-codes.ts';
import { LOCAL_FACTS } from '../../protocol/foreign/local-facts.ts';
import { verifyLocal } from '../../protocol/foreign/verify-local.ts';
import { type LoggedAdapter, type LoggedRules } from '../../protocol/trust/trust-state.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { announcedTrust, type AnnouncedWorld, DAY_S } from './announced-fixture.ts';
import {
  JSON_PROFILE,
  LOCAL_CLAIMS,
  LOCAL_SIGNER,
  localKey,
  mapped,
  profileOf,
  type ProfileJson,
  signedJson,
} from './local-fixture.ts';
import { recognised } from './stub-trust.ts';
import { CONTEXT, NOW_S } from './verdict-fixture.ts';

const LOCAL_RULES: LoggedRules = (() => {
  const { file } = readRuleFile(profileText('local') ?? '', profileBases);
  assert(file);
  const { id, version, fromS, data } = file.ruleSet;
  return { id, version, fromS, data: data as never };
})();

export const TIMES = { iat: NOW_S - DAY_S, exp: NOW_S + DAY_S };
const claimsWith = (more: object = {}) => JSON.stringify({ ...LOCAL_CLAIMS, ...TIMES, ...more });
export const jsonCode = (more: object = {}, signer = LOCAL_SIGNER) =>
  signedJson({ payload: claimsWith(more), signer });

export function localAdapter(
  profile: ProfileJson = JSON_PROFILE,
  { id = 'pass', keys = [localKey(LOCAL_SIGNER)], facts = LOCAL_FACTS, untilS = NOW_S + 365 * DAY_S } = {},
): LoggedAdapter {
  const data = adapterData({ profile: profileOf(profile), rules: 'local', facts, keys });
  return { id, version: 1, fromS: 0, untilS, data };
}

export const announcing = (...adapters: readonly LoggedAdapter[]) => ({ rules: [LOCAL_RULES], adapters });

export interface LocalCheck extends AnnouncedWorld {
  readonly text?: string;
}

/** By AT, which DE recognises by its adapter, unless the world says otherwise. */
export async function judged(
  { text = jsonCode(), ...world }: LocalCheck = {},
  primitives = nativeForeignPrimitives,
) {
  const announced = new AnnouncedCodes(announcedTrust({ issuer: announcing(localAdapter()), ...world }));
  const found = await verifyLocal(primitives, text, { announced, context: CONTEXT, nowS: NOW_S });
  assert(found);
  return found;
}

export const verdictOf = async (check?: LocalCheck) => (await judged(check)).verdict;
export const codesOf = ({ reasons }: Verdict) => reasons.map(({ code }) => code);

/** A region besides AT that is recognised by adapter, and what it announces. */
export const recognisedToo = (
  region: string,
  adapters: readonly LoggedAdapter[],
  changes: Parameters<typeof recognised>[1] = {},
) => ({
  state: { region, ...announcing(...adapters) },
  recognition: recognised(region, { way: 'adapter', ...changes }),
});

export const alsoBelgium = (...adapters: readonly LoggedAdapter[]) => ({
  more: [recognisedToo('BE', adapters)],
});

/** The same codes, which another region calls green whatever they say. */
export const ALL_GREEN = localAdapter(
  mapped(JSON_PROFILE, { status: { at: ['st'], colours: { G: 'green', Y: 'green', R: 'green' } } }),
);
