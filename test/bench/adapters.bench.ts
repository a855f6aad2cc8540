import { nativeForeignPrimitives as primitives } from '../../node/crypto/foreign-primitives.ts';
import { profileBases, profileText } from '../../node/rules/profiles.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { adapterData } from '../../protocol/foreign/adapter.ts';
import { AnnouncedCodes } from '../../protocol/foreign/announced-codes.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { readLocal } from '../../protocol/foreign/local-code.ts';
import { LOCAL_FACTS } from '../../protocol/foreign/local-facts.ts';
import { type ForeignCheck } from '../../protocol/foreign/signature-check.ts';
import { verifyAnnounced } from '../../protocol/foreign/verify-announced.ts';
import { foreignFormatOf } from '../../protocol/foreign/verify-foreign.ts';
import { verifyLocal } from '../../protocol/foreign/verify-local.ts';
import { announcedTrust } from '../support/announced-fixture.ts';
import {
  COSE_CLAIMS,
  COSE_KEY,
  COSE_PROFILE,
  JSON_PROFILE,
  JWS_PROFILE,
  LOCAL_CLAIMS,
  LOCAL_SIGNER,
  localCose,
  localJws,
  localKey,
  type ProfileJson,
  profileOf,
  signedJson,
} from '../support/local-fixture.ts';
import { CONTEXT, NOW_S } from '../support/verdict-fixture.ts';
import { type Bench, perSecond, type Row } from './bench.ts';

const INPUTS = Number(process.env['BENCH_CODES'] ?? 20_000);
const ROUNDS = 10;
const TIMES = { iat: NOW_S - 3_600, exp: NOW_S + 86_400 };

interface Container {
  readonly name: string;
  readonly profile: ProfileJson;
  readonly key: ForeignKey;
  readonly code: (index: number) => string;
}

const cborClaims = (index: number) =>
  new Map([...COSE_CLAIMS, [4, TIMES.exp], [6, TIMES.iat], [7, `no-${index}`]] as [number, unknown][]);

const CONTAINERS: readonly Container[] = [
  {
    name: 'signed JSON',
    profile: JSON_PROFILE,
    key: localKey(LOCAL_SIGNER),
    code: (index) =>
      signedJson({ payload: JSON.stringify({ ...LOCAL_CLAIMS, ...TIMES, id: `no-${index}` }) }),
  },
  {
    name: 'JWS',
    profile: JWS_PROFILE,
    key: localKey(LOCAL_SIGNER),
    code: (index) => localJws({ claims: { ...TIMES, id: `no-${index}` } }),
  },
  {
    name: 'COSE',
    profile: COSE_PROFILE,
    key: COSE_KEY,
    code: (index) => localCose({ claims: cborClaims(index) }),
  },
];

function announced({ profile, key }: Container): AnnouncedCodes {
  const { file } = readRuleFile(profileText('local') ?? '', profileBases);
  if (file === undefined) throw new Error('there are no rules local');
  const { id, version, fromS, data } = file.ruleSet;
  const adapter = adapterData({ profile: profileOf(profile), rules: id, facts: LOCAL_FACTS, keys: [key] });
  const adapters = [{ id: 'pass', version: 1, fromS: 0, untilS: 1e12, data: adapter }];
  return new AnnouncedCodes(
    announcedTrust({ issuer: { rules: [{ id, version, fromS, data: data as never }], adapters } }),
  );
}

async function measured(container: Container): Promise<readonly Row[]> {
  const codes = announced(container);
  const profile = profileOf(container.profile);
  const texts = Array.from({ length: INPUTS }, (_, i) => container.code(i));
  const checks: ForeignCheck[] = [];
  for (const text of texts) {
    const { algorithm, message, signature } = await readLocal(primitives, profile, text);
    checks.push({ algorithm, message, signature, publicKey: LOCAL_SIGNER.publicKey });
  }
  const input = { announced: codes, context: CONTEXT, nowS: NOW_S };
  const outcomeOf = async (text: string) => {
    if (foreignFormatOf(text) !== undefined)
      return (await verifyAnnounced(primitives, text, codes, CONTEXT, NOW_S)).outcome;
    return (await verifyLocal(primitives, text, input))?.verdict.outcome;
  };
  const seconds = { signature: 0, whole: 0 };
  const perRound = Math.ceil(INPUTS / ROUNDS);
  for (let from = 0; from < INPUTS; from += perRound) {
    const until = Math.min(INPUTS, from + perRound);
    let start = process.hrtime.bigint();
    for (const check of checks.slice(from, until))
      if (!primitives.verifyForeign(check)) throw new Error('a signature is not good');
    seconds.signature += Number(process.hrtime.bigint() - start) / 1e9;
    start = process.hrtime.bigint();
    for (const text of texts.slice(from, until))
      if ((await outcomeOf(text)) !== 'pass') throw new Error(`a code of ${container.name} does not pass`);
    seconds.whole += Number(process.hrtime.bigint() - start) / 1e9;
  }
  return [
    { name: `${container.name}: signature only (openssl)`, value: perSecond(INPUTS, seconds.signature) },
    {
      name: `${container.name}: code judged whole`,
      value: perSecond(INPUTS, seconds.whole),
      ratio: seconds.signature / seconds.whole,
      of: 'signature only',
    },
  ];
}

export const adaptersBench: Bench = {
  name: 'adapters',
  about: `${INPUTS.toLocaleString('en-US')} distinct local codes (Ed25519) of each container, read by the announced profile and judged whole with its region's rules, against checking only their signatures; one core`,
  async run(progress) {
    const rows: Row[] = [];
    for (const container of CONTAINERS) {
      progress(container.name);
      rows.push(...(await measured(container)));
    }
    return rows;
  },
};
