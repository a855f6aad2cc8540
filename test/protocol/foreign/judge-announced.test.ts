import assert from 'node:assert/strict';
import { adapterData } from '../../../protocol/foreign/adapter.ts';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { HCERT_FACTS } from '../../../protocol/foreign/hcert-facts.ts';
import { revocationHashesOf } from '../../../protocol/foreign/revocation-hashes.ts';
import { readForeign } from '../../../protocol/foreign/verify-foreign.ts';
import { REASONS, type ReasonCode } from '../../../protocol/verdict/reasons.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import {
  adapterOf,
  type AnnouncedCheck,
  announcedVerdict,
  BY_ADAPTER,
  certificate,
  DAY_S,
  HCERT_RULES,
  SIGNER,
  testOf,
  VACCINATED,
} from '../../support/announced-fixture.ts';
import { cardKey, CREDENTIAL, makeJws } from '../../support/card-fixture.ts';
import { makeEcSigner, makeRsaSigner } from '../../support/foreign-keys.ts';
import { claimsOf, hcertKey } from '../../support/hcert-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { cosigned, recognised } from '../../support/stub-trust.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

const OTHER = makeEcSigner();
const revokedBy = (...hashes: readonly Uint8Array[]) => [{ hashes, untilS: NOW_S + DAY_S }];
const hashesOf = async (text: string) =>
  revocationHashesOf(sha256, await readForeign(nativeForeignPrimitives, text));
const codesOf = ({ reasons }: Verdict) => reasons.map(({ code }) => code);
const VACCINATION_FACTS = Object.fromEntries(
  Object.entries(HCERT_FACTS).filter(([name]) => name.startsWith('vaccination.')),
);
const NEGATIVE = '260415000';
const POSITIVE = '260373001';

/** BE recognised by its adapter as well, with these adapters and rules. */
const alsoBelgium = (keys: readonly ReturnType<typeof hcertKey>[]) => ({
  more: [
    {
      state: { region: 'BE', rules: [HCERT_RULES], adapters: [adapterOf({ keys })] },
      recognition: recognised('BE', { way: 'adapter' }),
    },
  ],
});

/** Claims that name another issuer, or none. */
const issuedBy = (issuer: string | undefined) => {
  const claims = new Map(
    claimsOf({ issuedAt: NOW_S - DAY_S, expiresAt: NOW_S + DAY_S, certificate: testOf(NEGATIVE) }),
  );
  if (issuer === undefined) claims.delete(1);
  else claims.set(1, issuer);
  return certificate({ claims });
};

interface Row {
  readonly code: ReasonCode;
  readonly when: string;
  readonly given: AnnouncedCheck;
  /** The nearest check without the reason; the one in which all is well without it. */
  readonly neighbour?: AnnouncedCheck;
}

const ROWS: readonly Row[] = [
  { code: 'MALFORMED', when: 'B5 the text breaks off', given: { text: 'HC1:A' } },
  { code: 'VERSION_UNKNOWN', when: 'B4 a later version', given: { text: 'HC2:6BF' } },
  {
    code: 'SIGNATURE_INVALID',
    when: 'T1 another key of the same name signed it',
    given: { text: certificate({}, OTHER) },
  },
  {
    code: 'FOREIGN_KEY_UNKNOWN',
    when: 'T1 nobody announced a key of this name',
    given: { issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { keyId: 'AAAAAAAAAAA=' })] })] } },
  },
  {
    code: 'FOREIGN_KEY_UNKNOWN',
    when: 'the adapter was taken back',
    given: { issuer: { adapters: [{ ...adapterOf(), data: {} }] } },
  },
  {
    code: 'KEY_NOT_YET_KNOWN',
    when: 'nobody announced the key, and what is known of the region is too old',
    given: {
      issuer: { adapters: [adapterOf({ keys: [hcertKey(OTHER, { keyId: 'AAAAAAAAAAA=' })] })] },
      issuerKnowledge: {
        cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 700)),
      },
    },
  },
  {
    code: 'FOREIGN_KEYS_CROWDED',
    when: 'B32 more keys share the name than are tried',
    given: {
      issuer: {
        adapters: [
          adapterOf({ keys: [...Array.from({ length: 8 }, () => hcertKey(OTHER)), hcertKey(SIGNER)] }),
        ],
      },
    },
    neighbour: {
      issuer: {
        adapters: [
          adapterOf({ keys: [...Array.from({ length: 7 }, () => hcertKey(OTHER)), hcertKey(SIGNER)] }),
        ],
      },
    },
  },
  {
    code: 'FOREIGN_KEY_USAGE',
    when: 'B33 the key may sign tests alone',
    given: { issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { usages: ['test'] })] })] } },
    neighbour: {
      issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { usages: ['test', 'vaccination'] })] })] },
    },
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'issued before the window of the key',
    given: {
      issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { fromS: NOW_S - 3 * DAY_S + 1 })] })] },
    },
    neighbour: {
      issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { fromS: NOW_S - 3 * DAY_S })] })] },
    },
  },
  {
    code: 'KEY_NOT_FOR_THIS',
    when: 'issued after the adapter ended',
    given: { issuer: { adapters: [adapterOf({}, { untilS: NOW_S - 3 * DAY_S })] } },
    neighbour: { issuer: { adapters: [adapterOf({}, { untilS: NOW_S - 3 * DAY_S + 1 })] } },
  },
  {
    code: 'FOREIGN_CLAIMS_INVALID',
    when: 'B31 it expires before it was issued',
    given: { text: certificate({ issuedAt: NOW_S - 1, expiresAt: NOW_S - 2 }) },
  },
  {
    code: 'EXPIRED',
    when: 'its last second is over',
    given: { text: certificate({ expiresAt: NOW_S }) },
    neighbour: { text: certificate({ expiresAt: NOW_S + 1 }) },
  },
  {
    code: 'NOT_YET_ISSUED',
    when: 'issued more than two minutes ahead of the clock',
    given: { text: certificate({ issuedAt: NOW_S + 121 }) },
    neighbour: { text: certificate({ issuedAt: NOW_S + 120 }) },
  },
  {
    code: 'FOREIGN_ISSUER',
    when: 'T5 a region announces the key of another country as its own',
    given: { text: issuedBy('FR') },
    neighbour: { text: issuedBy('AUT') },
  },
  {
    code: 'FOREIGN_ISSUER',
    when: 'neither code nor list says whose it is',
    given: {
      text: issuedBy(undefined),
      issuer: { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { issuer: '' })] })] },
    },
    neighbour: { text: issuedBy(undefined) },
  },
  {
    code: 'FOREIGN_FACTS_INSUFFICIENT',
    when: 'a test of four days ago',
    given: { text: certificate({ certificate: testOf(NEGATIVE, '2026-11-19T06:00:00Z') }) },
    neighbour: { text: certificate({ certificate: testOf(NEGATIVE) }) },
  },
  {
    code: 'FOREIGN_FACTS_UNDECIDED',
    when: 'the region has no such rules',
    given: { issuer: { rules: [] } },
  },
  {
    code: 'FOREIGN_FACTS_UNDECIDED',
    when: 'the rules have not begun',
    given: { issuer: { rules: [{ ...HCERT_RULES, fromS: NOW_S + 1 }] } },
    neighbour: { issuer: { rules: [{ ...HCERT_RULES, fromS: NOW_S }] } },
  },
  {
    code: 'RECOGNITION_WITHDRAWN',
    when: 'the home took its recognition back',
    given: { recognition: { standing: 'withdrawn', region: 'AT', version: 2 } },
  },
  {
    code: 'RECOGNITION_SUSPENDED',
    when: 'the recognition rests',
    given: { recognition: { ...BY_ADAPTER, standing: 'suspended' } as typeof BY_ADAPTER },
  },
  {
    code: 'RECOGNITION_NOT_IN_FORCE',
    when: 'the recognition has ended',
    given: { recognition: recognised('AT', { way: 'adapter', untilS: NOW_S }) },
    neighbour: { recognition: recognised('AT', { way: 'adapter', untilS: NOW_S + 1 }) },
  },
  {
    code: 'WAY_UNSUPPORTED',
    when: 'the region is recognised for its own attestations alone',
    given: { recognition: recognised('AT') },
  },
  {
    code: 'FOREIGN_KEY_UNKNOWN',
    when: 'T5 the region is not recognised at all',
    given: { recognition: undefined },
  },
  {
    code: 'KNOWLEDGE_STALE',
    when: 'T10 what is known of the region is too old',
    given: {
      issuerKnowledge: {
        cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 601)),
      },
    },
    neighbour: {
      issuerKnowledge: {
        cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 600)),
      },
    },
  },
  {
    code: 'RULES_NOT_EVALUATED',
    when: 'the recognition names rules',
    given: { recognition: recognised('AT', { way: 'adapter', rules: 'strict' }) },
  },
  {
    code: 'STATUS_RED',
    when: 'a positive test',
    given: { text: certificate({ certificate: testOf(POSITIVE) }) },
  },
  {
    code: 'GRADE_TOO_LOW',
    when: 'T7 the place demands a live code, and these never are',
    given: { context: { place: { risk: 'high', kind: 'gate', gradeNeeded: 'live' } } },
  },
];

describe('judgeAnnounced: a code of others, recognised as it is', () => {
  it('passes with region, adapter, colour, rule and ages, of the grade static', async () => {
    const { outcome, foreign, colour, rule, grade, expiresAtS, knowledge, code, ...rest } =
      await announcedVerdict();
    assert.deepEqual([outcome, colour, grade, code], ['pass', 'green', 'static', undefined]);
    assert.deepEqual(
      rest.reasons.map((reason) => reason.code),
      ['IDENTITY_CHECK'],
    );
    assert.deepEqual(foreign, {
      format: 'hcert',
      keyId: 'AQIDBAUGBwg=',
      issuer: 'AT',
      issuedAtS: NOW_S - 3 * DAY_S,
      region: 'AT',
      adapter: 'dcc',
    });
    assert.deepEqual([rule, expiresAtS], [{ id: 'hcert', version: 1 }, NOW_S + 180 * DAY_S]);
    assert.deepEqual(
      knowledge.map(({ region, ageS }) => [region, ageS]),
      [
        ['DE', 5],
        ['AT', 5],
      ],
    );
  });

  for (const { code, when, given, neighbour = {} } of ROWS) {
    it(`${code}: ${when}`, async () => {
      const verdict = await announcedVerdict(given);
      assert.ok(codesOf(verdict).includes(code), `got ${codesOf(verdict).join(', ')}`);
      assert.equal(verdict.outcome, REASONS[code].outcome);
      const nearest = await announcedVerdict(neighbour);
      assert.ok(!codesOf(nearest).includes(code), `the neighbour gives ${codesOf(nearest).join(', ')}`);
    });
  }

  it('covers every reason that only codes of others give', () => {
    // Of local codes alone, in judge-local.test.ts; of seals alone, in seal-authority.test.ts.
    const others: readonly ReasonCode[] = ['FOREIGN_REGIONS_DIFFER', 'FOREIGN_CERTIFICATE'];
    const covered = new Set<ReasonCode>([...ROWS.map(({ code }) => code), ...others]);
    const missing = Object.keys(REASONS).filter(
      (code) => code.startsWith('FOREIGN_') && !covered.has(code as ReasonCode),
    );
    assert.deepEqual(missing, []);
  });

  it('gives no colour to a code whose signature is not good', async () => {
    const { colour, grade, foreign } = await announcedVerdict({ text: certificate({}, OTHER) });
    assert.deepEqual(
      [colour, grade, foreign?.region, foreign?.adapter],
      [undefined, undefined, undefined, undefined],
    );
  });

  it("judges the home's own local code by its own adapter, without any recognition", async () => {
    const home = {
      rules: [HCERT_RULES],
      adapters: [adapterOf({ keys: [hcertKey(SIGNER, { issuer: 'DE' })] })],
    };
    const { outcome, foreign } = await announcedVerdict({
      home,
      recognition: undefined,
      text: issuedBy('DE'),
    });
    assert.deepEqual([outcome, foreign?.region], ['pass', 'DE']);
  });

  it('REVOKED: by its signature, its identifier with or without the country, and no other code with it', async () => {
    const text = certificate();
    const { all, identifiers, signature } = await hashesOf(text);
    assert.deepEqual([all.length, identifiers.length], [3, 1]);
    for (const hash of all) {
      const verdict = await announcedVerdict({ text, issuer: { foreignRevocations: revokedBy(hash) } });
      assert.deepEqual([verdict.outcome, codesOf(verdict).includes('REVOKED')], ['stop', true]);
    }
    const renewed = certificate({
      certificate: { ...VACCINATED, v: [{ ...VACCINATED.v[0], ci: 'URN:UVCI:01:AT:9#C' }] },
    });
    const foreignRevocations = revokedBy(...all);
    assert.equal((await announcedVerdict({ text: renewed, issuer: { foreignRevocations } })).outcome, 'pass');
    const again = certificate({ issuedAt: NOW_S - DAY_S });
    assert.equal(
      (await announcedVerdict({ text: again, issuer: { foreignRevocations: revokedBy(signature) } })).outcome,
      'pass',
    );
    const sameName = await announcedVerdict({
      text: again,
      issuer: { foreignRevocations: revokedBy(...identifiers) },
    });
    assert.ok(codesOf(sameName).includes('REVOKED'));
  });

  it('REVOKED: by the region whose key signed it alone, however old the knowledge of it is', async () => {
    const text = certificate();
    const { signature } = await hashesOf(text);
    const stranger = alsoBelgium([hcertKey(OTHER)]).more.map(({ state, recognition }) => ({
      state: { ...state, foreignRevocations: revokedBy(signature) },
      recognition,
    }));
    assert.equal((await announcedVerdict({ text, more: stranger })).outcome, 'pass');
    const cosignatures = ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 90_000));
    const stale = await announcedVerdict({
      text,
      issuer: { foreignRevocations: revokedBy(signature) },
      issuerKnowledge: { cosignatures },
    });
    assert.ok(codesOf(stale).includes('REVOKED'));
    assert.equal(stale.outcome, 'stop');
  });

  it('REVOKED: a card by its revocation id under its key', async () => {
    const card = (rid: string) =>
      makeJws(SIGNER, { claims: { nbf: NOW_S - 100, vc: { ...CREDENTIAL, rid } } });
    const { identifiers } = await hashesOf(card('a'));
    const issuer = {
      rules: [],
      adapters: [adapterOf({ keys: [cardKey(SIGNER)], facts: {} })],
      foreignRevocations: revokedBy(...identifiers),
    };
    assert.ok(codesOf(await announcedVerdict({ issuer, text: card('a') })).includes('REVOKED'));
    assert.ok(!codesOf(await announcedVerdict({ issuer, text: card('b') })).includes('REVOKED'));
  });

  it('T5 recognition is not transitive: a neighbour that announces the key of a region withdrawn here opens no way', async () => {
    const recognition = { standing: 'withdrawn', region: 'AT', version: 2 } as const;
    for (const issuer of ['AT', 'BE']) {
      const verdict = await announcedVerdict({ recognition, ...alsoBelgium([hcertKey(SIGNER, { issuer })]) });
      assert.equal(verdict.outcome, 'stop');
      assert.ok(codesOf(verdict).includes('FOREIGN_ISSUER'));
    }
  });

  it('T5 a region that announces the keys of another stops none of its codes', async () => {
    const crowd = [...Array.from({ length: 9 }, () => hcertKey(OTHER)), hcertKey(SIGNER)];
    for (const keys of [[hcertKey(SIGNER)], crowd]) {
      const { outcome, foreign } = await announcedVerdict(alsoBelgium(keys));
      assert.deepEqual([outcome, foreign?.region], ['pass', 'AT']);
    }
  });

  it('B54 a region that announces the keys of another revokes none of its codes', async () => {
    const { all } = await hashesOf(certificate());
    const { more } = alsoBelgium([hcertKey(SIGNER)]);
    const revoking = more.map(({ state, ...rest }) => ({
      ...rest,
      state: { ...state, foreignRevocations: revokedBy(...all) },
    }));
    const { outcome, foreign } = await announcedVerdict({ more: revoking });
    assert.deepEqual([outcome, foreign?.region], ['pass', 'AT']);
  });

  it('B54 a code that one of two regions of its country has revoked is undetermined, unless one of them is the home or suspended', async () => {
    const text = certificate();
    const { all } = await hashesOf(text);
    const sister = (changes: object = {}) => ({
      more: [
        {
          state: {
            region: 'AT-9',
            adapters: [adapterOf()],
            rules: [HCERT_RULES],
            foreignRevocations: revokedBy(...all),
          },
          recognition: recognised('AT-9', { way: 'adapter', ...changes }),
        },
      ],
    });
    const differing = await announcedVerdict({ text, ...sister() });
    assert.equal(differing.outcome, 'undetermined');
    assert.deepEqual(
      differing.reasons.map(({ code, region }) => `${code} ${region ?? ''}`),
      ['FOREIGN_REGIONS_DIFFER AT', 'FOREIGN_REGIONS_DIFFER AT-9'],
    );
    const both = await announcedVerdict({
      text,
      ...sister(),
      issuer: { foreignRevocations: revokedBy(...all) },
    });
    assert.deepEqual([both.outcome, codesOf(both).includes('REVOKED')], ['stop', true]);
    for (const changes of [{ standing: 'suspended' }, { untilS: NOW_S }, { fromS: NOW_S + 1 }]) {
      const { outcome, foreign } = await announcedVerdict({ text, ...sister(changes) });
      assert.deepEqual([outcome, foreign?.region], ['pass', 'AT']);
    }
    const card = makeJws(SIGNER, { claims: { nbf: NOW_S - 100, vc: { ...CREDENTIAL, rid: 'a' } } });
    const { identifiers } = await hashesOf(card);
    const constant = Object.entries(VACCINATION_FACTS).map(([name]) => [
      name,
      name.endsWith('day') ? '2026-09-23' : 2,
    ]);
    const facts = Object.fromEntries(constant) as Record<string, unknown>;
    const adapters = [adapterOf({ keys: [cardKey(SIGNER)], facts })];
    const revoking = {
      region: 'BE',
      adapters,
      rules: [HCERT_RULES],
      foreignRevocations: revokedBy(...identifiers),
    };
    const home = { rules: [HCERT_RULES], adapters };
    const more = [{ state: revoking, recognition: recognised('BE', { way: 'adapter' as const }) }];
    const own = await announcedVerdict({ home, recognition: undefined, text: card, more });
    assert.ok(!codesOf(own).includes('REVOKED'), "the home's own word goes before");
    const others = await announcedVerdict({ issuer: { rules: [HCERT_RULES], adapters }, text: card, more });
    assert.notEqual(others.outcome, 'stop');
    assert.ok(!codesOf(others).includes('REVOKED'));
  });

  it('T5 a key that somebody else gave the name of a new key says nothing of the codes by that', async () => {
    const issuer = { adapters: [adapterOf({ keys: [hcertKey(SIGNER, { keyId: 'AAAAAAAAAAA=' })] })] };
    const text = certificate({ issuedAt: NOW_S - 1 }, OTHER);
    const plain = await announcedVerdict({ text, issuer });
    assert.deepEqual(codesOf(plain), ['KEY_NOT_YET_KNOWN']);
    for (const keys of [[hcertKey(SIGNER)], Array.from({ length: 9 }, () => hcertKey(SIGNER))])
      assert.deepEqual(
        codesOf(await announcedVerdict({ text, issuer, ...alsoBelgium(keys) })),
        codesOf(plain),
      );
  });

  it('lets no region compute whose codes do not count: they have no colour', async () => {
    for (const recognition of [
      recognised('AT'),
      { standing: 'withdrawn', region: 'AT', version: 2 } as const,
    ]) {
      const { outcome, colour, rule } = await announcedVerdict({ recognition });
      assert.notEqual(outcome, 'pass');
      assert.deepEqual([colour, rule], [undefined, undefined]);
    }
  });

  it('RULE_TOO_COSTLY: the facts of a region and its rules have 20,000 steps together', async () => {
    // Of such numbers deflating makes little enough.
    const list = Array.from({ length: 6_500 }, (_, i) => Math.floor(10_000 * Math.abs(Math.sin(i))) % 4);
    const text = certificate({ certificate: { ...VACCINATED, list } });
    const costly = { in: [9, { var: 'code.list' }] };
    const verdictOf = (...names: readonly string[]) => {
      const facts = { ...Object.fromEntries(names.map((name) => [name, costly])), ...VACCINATION_FACTS };
      return announcedVerdict({ text, issuer: { adapters: [adapterOf({ facts })] } });
    };
    assert.equal((await verdictOf('test.kind', 'test.time', 'test.day')).outcome, 'pass');
    const { outcome, reasons } = await verdictOf('test.kind', 'test.time', 'test.day', 'recovery.from');
    assert.equal(outcome, 'undetermined');
    const { details } = reasons.find(({ code }) => code === 'FOREIGN_FACTS_UNDECIDED') ?? {};
    assert.equal(details?.['why'], 'NO_VALUE');
  });

  it('tries at most 16 regions, those of the country that the code names first', async () => {
    const crowdOf = (ids: readonly string[]) => ({
      more: ids.map((region) => ({
        state: { region, adapters: [adapterOf()], rules: [HCERT_RULES] },
        recognition: recognised(region, { way: 'adapter' }),
      })),
    });
    const letters = 'ABCDEFGHIJKLMNOPQRSUVWX'.split('');
    const others = crowdOf(letters.map((letter) => `A${letter}`));
    assert.equal((await announcedVerdict(others)).outcome, 'pass');
    const text = certificate({}, OTHER);
    const forged = await announcedVerdict({ ...others, text });
    assert.deepEqual(codesOf(forged), ['SIGNATURE_INVALID'], 'a crowd of strangers hides nothing');
    const among = await announcedVerdict({ ...crowdOf(letters.map((letter) => `AT-${letter}`)), text });
    assert.ok(codesOf(among).includes('FOREIGN_KEYS_CROWDED'), codesOf(among).join());
  });

  it('counts the adapters of a region as far as a verifier holds their keys, and leaves out one that is none', async () => {
    const broken = { ...adapterOf({}, { id: 'a' }), data: { format: 'hcert' } };
    assert.equal((await announcedVerdict({ issuer: { adapters: [broken, adapterOf()] } })).outcome, 'pass');
    const many = Array.from({ length: 200 }, () => hcertKey(OTHER, { keyId: 'AAAAAAAAAAA=' }));
    const data = adapterData({ rules: 'hcert', facts: {}, keys: many });
    const full = Array.from({ length: 163 }, (_, i) => ({ ...adapterOf({}, { id: `a-${i}` }), data }));
    const within = await announcedVerdict({ issuer: { adapters: [...full, adapterOf()] } });
    assert.equal(within.outcome, 'pass');
    const beyond = Array.from(
      { length: 5_000 },
      (_, i) => ({ ...full[0], id: `a-${i}` }) as (typeof full)[0],
    );
    const { outcome } = await announcedVerdict({ issuer: { adapters: [...beyond, adapterOf()] } });
    assert.equal(outcome, 'pass', 'a smaller adapter still has room behind those that have none');
  });

  it('takes RSA, and refuses a key of the wrong kind for the algorithm', async () => {
    const signer = makeRsaSigner();
    const issuer = { adapters: [adapterOf({ keys: [hcertKey(signer)] })] };
    const text = certificate({ algorithm: 'PS256' }, signer);
    assert.equal((await announcedVerdict({ issuer, text })).outcome, 'pass');
    assert.ok(codesOf(await announcedVerdict({ issuer })).includes('SIGNATURE_INVALID'));
  });

  it('recognises a SMART Health Card by the address of its issuer, with facts out of its bundle', async () => {
    const rules = { ...HCERT_RULES };
    const entry = [{ resource: { resourceType: 'Immunization', occurrenceDateTime: '2026-09-23' } }];
    const vc = {
      ...CREDENTIAL,
      credentialSubject: { fhirVersion: '4.0.1', fhirBundle: { resourceType: 'Bundle', entry } },
    };
    const bundle = 'code.credentialSubject.fhirBundle.entry';
    const facts = {
      'vaccination.dose': { reduce: [{ var: bundle }, { '+': [{ var: 'accumulator' }, 1] }, 0] },
      'vaccination.doses': 1,
      'vaccination.day': { var: `${bundle}.0.resource.occurrenceDateTime` },
    };
    const issuer = {
      rules: [rules],
      adapters: [adapterOf({ keys: [cardKey(SIGNER)], facts }, { id: 'cards' })],
    };
    const text = makeJws(SIGNER, { claims: { nbf: NOW_S - 100.5, vc } });
    const { outcome, colour, foreign } = await announcedVerdict({ issuer, text });
    assert.deepEqual([outcome, colour, foreign?.format, foreign?.adapter], ['pass', 'green', 'shc', 'cards']);
    const elsewhere = makeJws(SIGNER, { claims: { iss: 'https://other.example', nbf: NOW_S - 100, vc } });
    assert.ok(codesOf(await announcedVerdict({ issuer, text: elsewhere })).includes('FOREIGN_KEY_UNKNOWN'));
  });

  it('a fact that the code does not say in its form is not known, whatever the expression does', async () => {
    const facts = [
      { 'test.time': { var: 'code.v.0.dt' } },
      { 'vaccination.dose': { var: 'code.nam.fn' } },
      { 'vaccination.day': { '+': [{ var: 'code.nam.fn' }, 1] } },
      { 'vaccination.day': { var: 'code.__proto__' } },
      { unknown: 1 },
    ];
    for (const one of facts) {
      const verdict = await announcedVerdict({ issuer: { adapters: [adapterOf({ facts: one })] } });
      assert.ok(codesOf(verdict).includes('FOREIGN_FACTS_INSUFFICIENT'), JSON.stringify(one));
    }
  });
});
