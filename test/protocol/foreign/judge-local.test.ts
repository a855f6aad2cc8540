import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { AnnouncedCodes } from '../../../protocol/foreign/announced-codes.ts';
import { type ForeignKey } from '../../../protocol/foreign/foreign-keys.ts';
import { readLocal } from '../../../protocol/foreign/local-code.ts';
import { revocationHashesOf } from '../../../protocol/foreign/revocation-hashes.ts';
import { verifyAnnounced } from '../../../protocol/foreign/verify-announced.ts';
import { webForeignPrimitives } from '../../../protocol/foreign/web-primitives.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { REASONS, type ReasonCode } from '../../../protocol/verdict/reasons.ts';
import { announcedTrust, DAY_S } from '../../support/announced-fixture.ts';
import { makeJws } from '../../support/card-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import {
  COSE_KEY,
  COSE_PROFILE,
  JSON_PROFILE,
  JWS_PROFILE,
  LOCAL_SIGNER,
  localCose,
  localJws,
  localKey,
  mapped,
  OTHER_SIGNER,
  profileOf,
  type ProfileJson,
} from '../../support/local-fixture.ts';
import {
  ALL_GREEN,
  alsoBelgium,
  announcing,
  codesOf,
  jsonCode,
  judged,
  localAdapter,
  type LocalCheck,
  recognisedToo,
  TIMES,
  verdictOf,
} from '../../support/local-world.ts';
import { cosigned, recognised } from '../../support/stub-trust.ts';
import { CONTEXT, NOW_S } from '../../support/verdict-fixture.ts';

interface Row {
  readonly code: ReasonCode;
  readonly when: string;
  readonly given: LocalCheck;
  readonly neighbour?: LocalCheck;
}

const STALE = { cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 700)) };
const withKeys = (...keys: readonly ReturnType<typeof localKey>[]) => ({
  issuer: announcing(localAdapter(JSON_PROFILE, { keys: [...keys] })),
});

const ROWS: readonly Row[] = [
  { code: 'MALFORMED', when: 'B1 nothing stands behind the beginning', given: { text: 'ZZJ:' } },
  {
    code: 'MALFORMED',
    when: 'B64 a name twice',
    given: { text: jsonCode().replace('"st":"G"', '"st":"R","st":"G"') },
  },
  {
    code: 'SIGNATURE_INVALID',
    when: 'T1 another key of the same name signed it',
    given: { text: jsonCode({}, OTHER_SIGNER) },
  },
  {
    code: 'SIGNATURE_INVALID',
    when: 'T1 its colour was altered',
    given: { text: jsonCode({ st: 'R' }).replace('"st":"R"', '"st":"G"') },
  },
  {
    code: 'SIGNATURE_INVALID',
    when: 'B33 the key is of another kind than the algorithm that it names',
    given: withKeys(localKey(makeEcSigner())),
  },
  {
    code: 'FOREIGN_KEY_UNKNOWN',
    when: 'T1 nobody announced a key of this name',
    given: withKeys(localKey(LOCAL_SIGNER, { keyId: 'k2' })),
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'nobody announced the key, and what is known of the region is too old',
    given: { ...withKeys(localKey(LOCAL_SIGNER, { keyId: 'k2' })), issuerKnowledge: STALE },
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'no profile reads it, and what is known of the region is too old',
    given: { text: 'ZZJ:', issuerKnowledge: STALE },
  },
  {
    code: 'FOREIGN_KEYS_CROWDED',
    when: 'B34 more keys share the name than are tried',
    given: withKeys(...Array.from({ length: 8 }, () => localKey(OTHER_SIGNER)), localKey(LOCAL_SIGNER)),
    neighbour: withKeys(...Array.from({ length: 7 }, () => localKey(OTHER_SIGNER)), localKey(LOCAL_SIGNER)),
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'issued after the key ended',
    given: withKeys(localKey(LOCAL_SIGNER, { untilS: NOW_S - DAY_S - 1 })),
    neighbour: withKeys(localKey(LOCAL_SIGNER, { untilS: NOW_S - DAY_S })),
  },
  {
    code: 'EXPIRED',
    when: 'its last second is over',
    given: { text: jsonCode({ exp: NOW_S }) },
    neighbour: { text: jsonCode({ exp: NOW_S + 1 }) },
  },
  {
    code: 'NOT_YET_ISSUED',
    when: 'B37 issued ahead of the clock',
    given: { text: jsonCode({ iat: NOW_S + 121 }) },
    neighbour: { text: jsonCode({ iat: NOW_S + 120 }) },
  },
  {
    code: 'FOREIGN_CLAIMS_INVALID',
    when: 'B38 it has no identifier',
    given: { text: jsonCode({ id: undefined }) },
  },
  {
    code: 'FOREIGN_CLAIMS_INVALID',
    when: 'it names another issuer',
    given: { text: jsonCode({ is: 'Health Office of YY' }) },
  },
  {
    code: 'FOREIGN_FACTS_UNDECIDED',
    when: 'its status is none that the table names',
    given: { text: jsonCode({ st: 'X' }) },
  },
  {
    code: 'FOREIGN_FACTS_INSUFFICIENT',
    when: 'it was yellow for a week, which is over',
    given: { text: jsonCode({ st: 'Y', iat: NOW_S - 9 * DAY_S }) },
  },
  { code: 'STATUS_RED', when: 'it is red', given: { text: jsonCode({ st: 'R' }) } },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'T5 the region is recognised, but not by its adapters',
    given: { recognition: recognised('AT') },
  },
  {
    code: 'RECOGNITION_SUSPENDED',
    when: 'the recognition is suspended',
    given: { recognition: recognised('AT', { way: 'adapter', standing: 'suspended' }) },
  },
  {
    code: 'FOREIGN_REGIONS_DIFFER',
    when: 'T5 another region announces the key of a red code, and calls it green',
    given: { text: jsonCode({ st: 'R' }), ...alsoBelgium(ALL_GREEN) },
    neighbour: { text: jsonCode(), ...alsoBelgium(ALL_GREEN) },
  },
];

/** Profiles that read no code of `JSON_PROFILE`, unless `profile` says otherwise, each another. */
function profilesOf(count: number, keys?: readonly ForeignKey[], profile?: ProfileJson): LoggedAdapter[] {
  return Array.from({ length: count }, (_, i) =>
    localAdapter(
      mapped(profile ?? (keys === undefined ? TEXT_FORM : JSON_PROFILE), {
        expiresAt: undefined,
        life: 60 + i,
      }),
      { id: `p-${String(i).padStart(2, '0')}`, ...(keys && { keys: [...keys] }) },
    ),
  );
}

const TEXT_FORM: ProfileJson = {
  ...JSON_PROFILE,
  members: { payload: 'p', form: 'text', signature: 's', algorithm: 'a', keyId: 'k' },
};

const BARE: ProfileJson = { ...TEXT_FORM, prefix: '' };

describe('judgeLocal: a local code by the profile of its region', () => {
  it('passes with region, adapter, colour, rule and the name that it shows', async () => {
    const { found, verdict } = await judged();
    const { outcome, colour, grade, rule, expiresAtS, foreign } = verdict;
    assert.deepEqual([found, outcome, colour, grade], ['signed', 'pass', 'green', 'static']);
    assert.deepEqual([rule, expiresAtS], [{ id: 'local', version: 1 }, NOW_S + DAY_S]);
    assert.deepEqual(codesOf(verdict), ['IDENTITY_CHECK']);
    assert.deepEqual(foreign, {
      format: 'local',
      keyId: 'k1',
      issuer: 'Health Office of ZZ',
      issuedAtS: NOW_S - DAY_S,
      region: 'AT',
      adapter: 'pass',
      subject: 'B. EXAMPLE',
    });
  });

  for (const { code, when, given, neighbour = {} } of ROWS) {
    it(`${code}: ${when}`, async () => {
      const verdict = await verdictOf(given);
      assert.ok(codesOf(verdict).includes(code), `got ${codesOf(verdict).join(', ')}`);
      assert.equal(verdict.outcome, REASONS[code].outcome, codesOf(verdict).join());
      const nearest = await verdictOf(neighbour);
      assert.ok(!codesOf(nearest).includes(code), `the neighbour gives ${codesOf(nearest).join(', ')}`);
    });
  }

  it('T5 knows nothing of the codes of a region that is not recognised, and says of one that was that it is not any more', async () => {
    const world = { issuer: announcing(localAdapter()), recognition: undefined };
    assert.equal(new AnnouncedCodes(announcedTrust(world)).mayBeLocal(jsonCode()), false);
    const verdict = await verdictOf({ recognition: { standing: 'withdrawn', region: 'AT', version: 2 } });
    assert.deepEqual([verdict.outcome, verdict.colour], ['stop', undefined]);
    assert.ok(codesOf(verdict).includes('RECOGNITION_WITHDRAWN'));
  });

  it('says nothing of what a code claims whose signature is not good', async () => {
    for (const check of [
      { text: jsonCode({}, OTHER_SIGNER) },
      { text: jsonCode({ st: 'R' }), ...alsoBelgium(ALL_GREEN) },
    ]) {
      const { colour, grade, foreign } = await verdictOf(check);
      assert.deepEqual(
        [colour, grade, foreign?.region, foreign?.subject],
        [undefined, undefined, undefined, undefined],
      );
    }
  });

  it('gives the answers of the native primitives with those of a browser', async () => {
    for (const signer of [LOCAL_SIGNER, OTHER_SIGNER]) {
      const { verdict } = await judged({ text: jsonCode({}, signer) }, webForeignPrimitives as never);
      assert.deepEqual(codesOf(verdict), codesOf(await verdictOf({ text: jsonCode({}, signer) })));
    }
  });

  it("T5 takes the home's own word before that of a region that announces the home's keys", async () => {
    const home = { ...announcing(localAdapter()), region: 'DE' };
    const verdict = await verdictOf({ text: jsonCode({ st: 'R' }), home, issuer: announcing(ALL_GREEN) });
    assert.deepEqual([verdict.foreign?.region, verdict.outcome], ['DE', 'stop']);
  });

  it('is revoked by its identifier, whatever signature it has, and by its signature', async () => {
    const hashes = async (text: string) =>
      revocationHashesOf(
        nativeForeignPrimitives.sha256,
        await readLocal(nativeForeignPrimitives, profileOf(JSON_PROFILE), text),
      );
    const { identifiers, signature } = await hashes(jsonCode());
    const by = (...revoked: readonly Uint8Array[]) => ({
      issuer: {
        ...announcing(localAdapter()),
        foreignRevocations: [{ hashes: revoked, untilS: NOW_S + DAY_S }],
      },
    });
    const later = jsonCode({ exp: NOW_S + 2 * DAY_S });
    for (const text of [jsonCode(), later]) {
      const verdict = await verdictOf({ ...by(...identifiers), text });
      assert.ok(codesOf(verdict).includes('REVOKED'));
      assert.equal(verdict.outcome, 'stop');
    }
    assert.ok(codesOf(await verdictOf(by(signature))).includes('REVOKED'));
    assert.equal((await verdictOf({ ...by(signature), text: later })).outcome, 'pass');
    assert.equal(
      (await verdictOf({ ...by(...identifiers), text: jsonCode({ id: 'ZZ-2026-000018-q7x3' }) })).outcome,
      'pass',
    );
  });

  it('reads JWS and COSE, and keys of ECDSA', async () => {
    const jws = localJws({ claims: TIMES });
    const bare = await verdictOf({ text: jws, issuer: announcing(localAdapter(JWS_PROFILE)) });
    assert.deepEqual([bare.outcome, bare.colour], ['pass', 'green']);
    const claims = new Map<number, unknown>([
      [4, TIMES.exp],
      [6, TIMES.iat],
      [7, 'x'],
      [-70_001, new Map<number, unknown>([[1, 1]])],
    ]);
    const cose = await verdictOf({
      text: localCose({ claims }),
      issuer: announcing(localAdapter(COSE_PROFILE, { keys: [COSE_KEY] })),
    });
    assert.deepEqual([cose.outcome, cose.colour, cose.measure?.kind], ['act', 'yellow', 'home']);
    const signer = makeEcSigner();
    const es256 = { ...signer, sign: (_: unknown, message: Uint8Array) => signer.sign('ES256', message) };
    const text = localJws({ header: { alg: 'ES256' }, claims: TIMES, signer: es256 });
    const ecdsa = announcing(localAdapter(JWS_PROFILE, { keys: [localKey(signer)] }));
    assert.equal((await verdictOf({ text, issuer: ecdsa })).outcome, 'pass');
    const renamed = localJws({ header: { alg: 'EdDSA' }, claims: TIMES, signer: es256 });
    assert.ok(
      codesOf(await verdictOf({ text: renamed, issuer: ecdsa })).includes('SIGNATURE_INVALID'),
      'B33',
    );
  });

  it('adds up the keys of all adapters with one profile, and keeps those of another apart', async () => {
    const more = localAdapter(JSON_PROFILE, { id: 'pass-2', keys: [localKey(OTHER_SIGNER)] });
    const { foreign } = await verdictOf({
      text: jsonCode({}, OTHER_SIGNER),
      issuer: announcing(localAdapter(), more),
    });
    assert.equal(foreign?.adapter, 'pass-2');
    const apart = localAdapter(
      { ...JSON_PROFILE, prefix: 'ZZK:' },
      { id: 'other', keys: [localKey(OTHER_SIGNER)] },
    );
    const forged = await verdictOf({
      text: jsonCode({}, OTHER_SIGNER),
      issuer: announcing(localAdapter(), apart),
    });
    assert.ok(codesOf(forged).includes('SIGNATURE_INVALID'));
  });

  it('reads a text by the longest beginning of a region alone', async () => {
    const longer = localAdapter({ ...TEXT_FORM, prefix: 'ZZJ:{' }, { id: 'longer' });
    const verdict = await verdictOf({ issuer: announcing(localAdapter(), longer) });
    assert.ok(codesOf(verdict).includes('MALFORMED'));
  });

  it('leaves a code alone that says itself what it is', async () => {
    const greedy = new AnnouncedCodes(
      announcedTrust({ issuer: announcing(localAdapter({ ...JSON_PROFILE, prefix: 'E' })) }),
    );
    assert.equal(greedy.mayBeLocal('ENT1:ABC'), false);
    assert.equal(greedy.mayBeLocal('EXAMPLE'), true);
    const jws = { issuer: announcing(localAdapter(JWS_PROFILE)) };
    const judge = (text: string) =>
      verifyAnnounced(nativeForeignPrimitives, text, new AnnouncedCodes(announcedTrust(jws)), CONTEXT, NOW_S);
    const card = await judge(makeJws(makeEcSigner(), { claims: { nbf: NOW_S - 100 } }));
    assert.equal(card.foreign?.format, 'shc');
    const local = await judge(localJws({ claims: TIMES }));
    assert.deepEqual([local.outcome, local.foreign?.format], ['pass', 'local']);
    const neither = await judge('eyJ.eyJ.eyJ');
    assert.deepEqual(codesOf(neither), ['MALFORMED']);
    const seal = await judge('{"data":{"hdr":{"v":2},"msg":{}},"sig":{}}');
    assert.deepEqual(codesOf(seal), ['VERSION_UNKNOWN']);
  });

  it('tries four profiles of a region at most, and says that there are more', async () => {
    const others = profilesOf(5, [localKey(OTHER_SIGNER)]);
    const verdict = await verdictOf({ issuer: announcing(...others) });
    assert.ok(codesOf(verdict).includes('FOREIGN_KEYS_CROWDED'));
    const within = await verdictOf({ issuer: announcing(...others.slice(0, 4)) });
    assert.ok(codesOf(within).includes('SIGNATURE_INVALID'));
    const last = [...others.slice(0, 4), localAdapter(JSON_PROFILE, { id: 'q' })];
    assert.ok(codesOf(await verdictOf({ issuer: announcing(...last) })).includes('FOREIGN_KEYS_CROWDED'));
    assert.equal((await verdictOf({ issuer: announcing(...last.slice(1)) })).outcome, 'pass');
  });

  it('T5 reads the codes of one region however many profiles others announce with its beginning', async () => {
    const { outcome, foreign } = await verdictOf({ more: [recognisedToo('AA', profilesOf(20))] });
    assert.deepEqual([outcome, foreign?.region], ['pass', 'AT']);
  });

  it('T5 tries sixteen regions, and leaves a text undetermined that only a further one may read', async () => {
    const more = [...'ABCDEFGHIJKLMNOP'].map((letter) => recognisedToo(`A${letter}`, profilesOf(1)));
    const crowded = await verdictOf({ more });
    assert.deepEqual([crowded.outcome, codesOf(crowded)], ['undetermined', ['FOREIGN_KEYS_CROWDED']]);
    assert.equal((await verdictOf({ more: more.slice(1) })).outcome, 'pass');
    const braced = (count: number) =>
      verifyAnnounced(
        nativeForeignPrimitives,
        '{}',
        new AnnouncedCodes(announcedTrust({ issuer: announcing(...profilesOf(count, undefined, BARE)) })),
        CONTEXT,
        NOW_S,
      );
    assert.deepEqual(codesOf(await braced(5)), ['FOREIGN_KEYS_CROWDED']);
    assert.deepEqual(codesOf(await braced(4)), ['MALFORMED']);
  });

  it('leaves a text undetermined that no profile reads while one region is not known well', async () => {
    const text = 'ZZJ:';
    const more = [recognisedToo('AA', [localAdapter()])];
    const verdict = await verdictOf({ text, more, issuerKnowledge: STALE });
    assert.deepEqual(
      [verdict.outcome, codesOf(verdict)],
      ['undetermined', ['ISSUER_SILENT', 'KNOWLEDGE_STALE']],
    );
    assert.deepEqual(codesOf(await verdictOf({ text, more })), ['MALFORMED']);
  });
});
