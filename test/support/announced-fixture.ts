/** A gate of DE that recognises AT by its adapter: a certificate of AT in which all is well, and how to change a single thing about it. */
import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { profileBases, profileText } from '../../node/rules/profiles.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { adapterData, type AdapterDraft } from '../../protocol/foreign/adapter.ts';
import { AnnouncedCodes } from '../../protocol/foreign/announced-codes.ts';
import { HCERT_FACTS } from '../../protocol/foreign/hcert-facts.ts';
import { verifyAnnounced } from '../../protocol/foreign/verify-announced.ts';
import { type LoggedAdapter, type LoggedRules, type Recognition } from '../../protocol/trust/trust-state.ts';
import { type RegionKnowledge, Trust } from '../../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { NETWORK } from './code-fixture.ts';
import { makeEcSigner } from './foreign-keys.ts';
import { hcertKey, type HcertParts, makeHcert, VACCINATION } from './hcert-fixture.ts';
import { sha256 } from './primitives.ts';
import { type StubState } from './stub-state.ts';
import { cosigned, recognised, stubKnowledge } from './stub-trust.ts';
import { CONTEXT, NOW_S } from './verdict-fixture.ts';

export const SIGNER = makeEcSigner();
export const DAY_S = 86_400;

/** Vaccinated two months before the check. */
export const VACCINATED = { ...VACCINATION, v: [{ ...VACCINATION.v[0], dt: '2026-09-23' }] };

export function testOf(result: string, time = '2026-11-23T06:00:00+01:00'): object {
  const { ver, nam, dob } = VACCINATION;
  return {
    ver,
    nam,
    dob,
    t: [{ tg: '840539006', tt: 'LP6464-4', co: 'AT', tr: result, sc: time, ci: 'URN:UVCI:01:AT:2#B' }],
  };
}

/** A certificate of AT, issued three days before the check for half a year. */
export function certificate(parts: HcertParts = {}, signer = SIGNER): string {
  const times = { issuedAt: NOW_S - 3 * DAY_S, expiresAt: NOW_S + 180 * DAY_S };
  return makeHcert(signer, { certificate: VACCINATED, ...times, ...parts });
}

export const HCERT_RULES: LoggedRules = (() => {
  const { file } = readRuleFile(profileText('hcert') ?? '', profileBases);
  assert(file);
  const { id, version, fromS, data } = file.ruleSet;
  return { id, version, fromS, data: data as never };
})();

export function adapterOf(
  draft: Partial<AdapterDraft> = {},
  { id = 'dcc', fromS = 0, untilS = NOW_S + 365 * DAY_S } = {},
): LoggedAdapter {
  const data = adapterData({ rules: 'hcert', facts: HCERT_FACTS, keys: [hcertKey(SIGNER)], ...draft });
  return { id, version: 1, fromS, untilS, data };
}

/** What the verifier knows; each member replaces what is there when all is well. */
export interface AnnouncedWorld {
  /** Of AT. */
  readonly issuer?: Partial<StubState>;
  readonly issuerKnowledge?: Partial<RegionKnowledge>;
  readonly home?: Partial<StubState>;
  readonly homeKnowledge?: Partial<RegionKnowledge>;
  /** Of AT by the home. */
  readonly recognition?: Recognition | undefined;
  /** Further regions. */
  readonly more?: readonly { readonly state: StubState; readonly recognition: Recognition }[];
}

export const BY_ADAPTER = recognised('AT', { way: 'adapter' });

export function announcedTrust(world: AnnouncedWorld = {}): Trust {
  const { more = [] } = world;
  const recognition = 'recognition' in world ? world.recognition : BY_ADAPTER;
  const others = ['FR', 'IT'];
  const by = (...regions: readonly string[]) => regions.map((region) => cosigned(region, NOW_S - 5));
  const recognitions = [...others.map((region) => recognised(region)), ...more.map((one) => one.recognition)];
  if (recognition !== undefined) recognitions.unshift(recognition);
  return new Trust(
    {
      home: 'DE',
      network: NETWORK,
      regions: [
        stubKnowledge(
          { region: 'DE', recognitions, ...world.home },
          by('DE', ...others),
          world.homeKnowledge,
        ),
        stubKnowledge(
          { region: 'AT', rules: [HCERT_RULES], adapters: [adapterOf()], ...world.issuer },
          by('AT', 'DE', ...others),
          world.issuerKnowledge,
        ),
        ...others.map((region) => stubKnowledge({ region }, by(region, 'DE'))),
        ...more.map(({ state }) => stubKnowledge(state, by(state.region, 'DE', ...others))),
      ],
    },
    { sha256 },
  );
}

export interface AnnouncedCheck extends AnnouncedWorld {
  readonly text?: string;
  readonly context?: Partial<VerdictContext>;
  readonly nowS?: number;
}

export function announcedVerdict({
  text,
  context,
  nowS = NOW_S,
  ...world
}: AnnouncedCheck = {}): Promise<Verdict> {
  const announced = new AnnouncedCodes(announcedTrust(world));
  return verifyAnnounced(
    nativeForeignPrimitives,
    text ?? certificate(),
    announced,
    { ...CONTEXT, ...context },
    nowS,
  );
}
