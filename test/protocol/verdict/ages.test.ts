import assert from 'node:assert/strict';
import { compareBytes, asciiBytes } from '../../../protocol/bytes.ts';
import { type Compromise, type Recognition } from '../../../protocol/trust/trust-state.ts';
import { assess } from '../../../protocol/verdict/ages.ts';
import {
  assessKnowledge,
  type Cosigned,
  type RegionKnowledge,
  Trust,
} from '../../../protocol/verdict/knowledge.ts';
import { keyNamed, NETWORK } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { type StubState } from '../../support/stub-state.ts';
import { cosigned, recognised, stubFingerprint, stubKnowledge } from '../../support/stub-trust.ts';

const NOW_S = 1_795_000_000;
const HOME = 'DE';
const ISSUER = 'CN-33';

/** The home DE, the issuer CN-33 and others, all recognised directly, with their default keys. */
function trustOf(options: {
  others?: readonly string[];
  cosignatures?: readonly Cosigned[];
  recognitions?: readonly Recognition[];
  states?: readonly StubState[];
  issuer?: Partial<StubState>;
  knowledge?: Partial<RegionKnowledge>;
}): Trust {
  const { others = [], cosignatures = [], states = [] } = options;
  const recognitions = options.recognitions ?? [ISSUER, ...others].map((region) => recognised(region));
  const known = others.filter((region) => !states.some((state) => state.region === region));
  const stubs = [...states, ...known.map((region) => ({ region }))];
  return new Trust(
    {
      home: HOME,
      network: NETWORK,
      regions: [
        stubKnowledge({ region: HOME, recognitions }, []),
        stubKnowledge({ region: ISSUER, ...options.issuer }, cosignatures, options.knowledge),
        ...stubs.map((state) => stubKnowledge(state, [])),
      ],
    },
    { sha256 },
  );
}

function reportAt(trust: Trust, nowS = NOW_S, region = ISSUER) {
  const report = assessKnowledge(trust, region, nowS);
  assert.ok(report);
  return report;
}

describe('assess: who counts', () => {
  it('takes the q-th newest time: of DE, FR, IT, ES three are needed', () => {
    const times = { [HOME]: 10, FR: 40, IT: 20, ES: 30 };
    const cosignatures = Object.entries(times).map(([region, ageS]) => cosigned(region, NOW_S - ageS));
    const report = reportAt(trustOf({ others: ['FR', 'IT', 'ES'], cosignatures }));
    assert.deepEqual(report.witnesses, { counted: 4, needed: 3, of: 4 });
    assert.equal(report.ageS, 30);
    assert.equal(report.knowledgeAtS, NOW_S - 30);
  });

  it('A13: has no knowledge time with one witness fewer than needed', () => {
    const two = [cosigned(HOME, NOW_S), cosigned('FR', NOW_S)];
    const report = reportAt(trustOf({ others: ['FR', 'IT', 'ES'], cosignatures: two }));
    assert.deepEqual(report.witnesses, { counted: 2, needed: 3, of: 4 });
    assert.equal(report.knowledgeAtS, undefined);
    assert.equal(report.ageS, undefined);
    const three = [...two, cosigned('ES', NOW_S)];
    assert.equal(reportAt(trustOf({ others: ['FR', 'IT', 'ES'], cosignatures: three })).ageS, 0);
  });

  it('A13: two keys of one region count once, by the newer time', () => {
    const second = { key: keyNamed('FR second witness'), role: 'witness' } as const;
    const cosignatures = [cosigned('FR', NOW_S - 90), cosigned('FR', NOW_S - 20, 'FR second witness')];
    const states = [{ region: 'FR', keys: [second] }];
    const trust = trustOf({ others: ['FR', 'IT', 'ES'], states, cosignatures });
    assert.deepEqual(reportAt(trust).witnesses, { counted: 1, needed: 3, of: 4 });
    const pair = trustOf({ others: ['FR'], states, cosignatures });
    assert.equal(reportAt(pair).ageS, 20, 'w = 2: DE and FR');
  });

  it('A13: one key that several regions name counts once, by the newest of its times', () => {
    const key = keyNamed('shared witness');
    const states = ['FR', 'IT'].map((region) => ({ region, keys: [{ key, role: 'witness' }] }) as const);
    const shared = [
      cosigned('FR', NOW_S - 90, 'shared witness'),
      cosigned('IT', NOW_S - 40, 'shared witness'),
    ];
    const reportOf = (...more: readonly Cosigned[]) =>
      reportAt(trustOf({ others: ['FR', 'IT', 'ES'], states, cosignatures: [...shared, ...more] }));
    assert.deepEqual(reportOf().witnesses, { counted: 1, needed: 3, of: 4 });
    const three = reportOf(cosigned(HOME, NOW_S), cosigned('ES', NOW_S - 10));
    assert.deepEqual(three.witnesses, { counted: 3, needed: 3, of: 4 });
    assert.equal(three.ageS, 40);
    const own = reportOf(cosigned(HOME, NOW_S), cosigned('IT', NOW_S - 30));
    assert.equal(own.witnesses.counted, 3, 'by a key of its own IT counts beside FR');
  });

  it('T12: a witness counts whatever is wrong with the knowledge of its own region, but for a withdrawal', () => {
    const others = ['FR', 'IT', 'ES'];
    const cosignatures = ['FR', 'IT', 'ES'].map((region) => cosigned(region, NOW_S));
    const regions = (knowledge: Partial<RegionKnowledge>, french: Recognition) => [
      stubKnowledge(
        { region: HOME, recognitions: [ISSUER, 'IT', 'ES'].map((one) => recognised(one)).concat(french) },
        [],
      ),
      stubKnowledge({ region: ISSUER }, cosignatures),
      ...others.map((region) => stubKnowledge({ region }, [], region === 'FR' ? knowledge : {})),
    ];
    const witnesses = (knowledge: Partial<RegionKnowledge>, french: Recognition = recognised('FR')) =>
      reportAt(new Trust({ home: HOME, network: NETWORK, regions: regions(knowledge, french) }, { sha256 }))
        .witnesses;
    const all = { counted: 3, needed: 3, of: 4 };
    // It has no cosignatures of its own in any of these, so it is unwitnessed and of no age as well.
    assert.deepEqual(witnesses({}), all);
    assert.deepEqual(witnesses({ standing: 'forked' }), all);
    assert.deepEqual(witnesses({ standing: 'quarantined' }), all);
    assert.deepEqual(witnesses({}, { ...recognised('FR'), standing: 'suspended' } as Recognition), all);
    const withdrawn = { standing: 'withdrawn', region: 'FR', version: 2 } as const;
    assert.deepEqual(witnesses({}, withdrawn), { counted: 2, needed: 2, of: 3 });
  });

  it('A13: the issuer is no witness of its own log', () => {
    const own = [cosigned(ISSUER, NOW_S)];
    const report = reportAt(trustOf({ cosignatures: own }));
    assert.deepEqual(report.witnesses, { counted: 0, needed: 1, of: 1 });
    assert.equal(report.knowledgeAtS, undefined);
    assert.equal(report.silenceS, 0);
  });

  it('does not let a region sign as another: the key must be of the region named', () => {
    const borrowed = [{ ...cosigned('FR', NOW_S), region: HOME }];
    assert.equal(reportAt(trustOf({ others: ['FR'], cosignatures: borrowed })).witnesses.counted, 0);
  });

  it('counts no key of another role', () => {
    const report = reportAt(trustOf({ cosignatures: [cosigned(HOME, NOW_S, `${HOME} checkpoint`)] }));
    assert.equal(report.witnesses.counted, 0);
  });

  it('counts no compromised witness key', () => {
    const key = keyNamed('FR stolen');
    const cosignatures = [cosigned('FR', NOW_S, 'FR stolen')];
    const withKey = (compromise?: Compromise) =>
      trustOf({
        others: ['FR'],
        cosignatures,
        states: [{ region: 'FR', keys: [{ key, role: 'witness', ...(compromise && { compromise }) }] }],
      });
    assert.equal(reportAt(withKey()).witnesses.counted, 1);
    assert.equal(reportAt(withKey({ version: 1, cutOffs: new Map() })).witnesses.counted, 0);
  });

  it('holds the timestamp against the window of the witness key, first second in, last second out', () => {
    const key = keyNamed('FR windowed');
    const states: StubState[] = [
      { region: 'FR', keys: [{ key, role: 'witness', fromS: NOW_S - 100, untilS: NOW_S - 50 }] },
    ];
    const countedAt = (timestampS: number) =>
      reportAt(trustOf({ others: ['FR'], states, cosignatures: [cosigned('FR', timestampS, 'FR windowed')] }))
        .witnesses.counted;
    assert.equal(countedAt(NOW_S - 101), 0);
    assert.equal(countedAt(NOW_S - 100), 1);
    assert.equal(countedAt(NOW_S - 51), 1);
    assert.equal(countedAt(NOW_S - 50), 0);
  });

  it('A11: ignores times more than 120 s ahead, until the clock has come near', () => {
    const trust = trustOf({ cosignatures: [cosigned(HOME, NOW_S + 120)] });
    assert.equal(reportAt(trust, NOW_S).ageS, 0, 'an age is never negative');
    assert.equal(reportAt(trust, NOW_S - 1).witnesses.counted, 0);
    assert.equal(reportAt(trust, NOW_S).witnesses.counted, 1);
    assert.equal(reportAt(trust, NOW_S + 121).ageS, 1);
  });

  it('falls back on an older time of a region whose newest is ahead', () => {
    const cosignatures = [cosigned(HOME, NOW_S + 121), cosigned(HOME, NOW_S - 5)];
    const trust = trustOf({ cosignatures });
    assert.equal(reportAt(trust).ageS, 5);
    assert.equal(reportAt(trust, NOW_S + 1).ageS, 0);
  });
});

describe('assess: the witness set', () => {
  it('is the home and the regions that it recognises directly, suspended ones too, which only the root may remove', () => {
    const recognitions: Recognition[] = [
      recognised(ISSUER),
      recognised('FR'),
      recognised('IT', { way: 'hosted' }),
      recognised('ES', { way: 'bridge', via: 'FR' }),
      recognised('PT', { way: 'adapter' }),
      recognised('AT', { standing: 'suspended' }),
      { standing: 'withdrawn', region: 'PL', version: 2 },
    ];
    assert.equal(reportAt(trustOf({ recognitions })).witnesses.of, 3, 'DE, FR and AT');
    assert.equal(reportAt(trustOf({ recognitions }), NOW_S, HOME).witnesses.of, 3, 'CN-33, FR and AT');
  });

  it('changes with the window of a recognition, also for a trust that has judged before', () => {
    const recognitions = [recognised(ISSUER), recognised('FR', { fromS: NOW_S - 10, untilS: NOW_S + 10 })];
    const given = { recognitions, others: ['FR'], cosignatures: [cosigned(HOME, NOW_S - 60)] };
    const trust = trustOf(given);
    for (const [offsetS, of] of [
      [0, 2],
      [-10, 2],
      [-11, 1],
      [9, 2],
      [10, 1],
      [0, 2],
    ] as const) {
      const nowS = NOW_S + offsetS;
      assert.equal(reportAt(trust, nowS).witnesses.of, of, `at ${offsetS}`);
      assert.equal(
        reportAt(trustOf(given), nowS).witnesses.of,
        of,
        `at ${offsetS}, judging for the first time`,
      );
    }
  });

  it('counts a region of which nothing is known, so that leaving it out lowers no quorum', () => {
    const recognitions = [ISSUER, 'FR', 'IT', 'ES'].map((region) => recognised(region));
    const report = reportAt(trustOf({ recognitions, cosignatures: [cosigned(HOME, NOW_S)] }));
    assert.deepEqual(report.witnesses, { counted: 1, needed: 3, of: 4 });
  });

  it('without witnesses takes the time of the region itself', () => {
    const home = (cosignatures: readonly Cosigned[]) =>
      new Trust(
        { home: HOME, network: NETWORK, regions: [stubKnowledge({ region: HOME }, cosignatures)] },
        { sha256 },
      );
    const report = reportAt(home([cosigned(HOME, NOW_S - 7)]), NOW_S, HOME);
    assert.deepEqual(report.witnesses, { counted: 0, needed: 0, of: 0 });
    assert.equal(report.ageS, 7);
    assert.equal(reportAt(home([]), NOW_S, HOME).knowledgeAtS, undefined);
  });

  const crowd = (count: number) =>
    Array.from({ length: count }, (_, i) => `X${String.fromCharCode(65 + (i % 26))}-${i}`);

  it('is all of 64 regions, and 16 of 65', () => {
    const withWitnesses = (count: number) => trustOf({ others: crowd(count - 1) });
    assert.deepEqual(reportAt(withWitnesses(64)).witnesses, { counted: 0, needed: 43, of: 64 });
    assert.deepEqual(reportAt(withWitnesses(65)).witnesses, { counted: 0, needed: 11, of: 16 });
  });

  it('chooses the 16 with the lowest hash of origin and region', () => {
    const others = crowd(80);
    const origin = `${ISSUER}.${NETWORK}/trust`;
    const ranked = [HOME, ...others]
      .map((region) => ({ region, rank: sha256(asciiBytes(`${origin}\n${region}`)) }))
      .sort((a, b) => compareBytes(a.rank, b.rank))
      .map(({ region }) => region);
    const countedOf = (regions: readonly string[]) =>
      reportAt(trustOf({ others, cosignatures: regions.map((region) => cosigned(region, NOW_S)) })).witnesses;
    assert.deepEqual(countedOf(ranked.slice(0, 16)), { counted: 16, needed: 11, of: 16 });
    assert.deepEqual(countedOf(ranked.slice(16)), { counted: 0, needed: 11, of: 16 });
  });
});

describe('assess: silence and checkpoint key', () => {
  it('measures silence from the newest time by the own witness key', () => {
    const cosignatures = [cosigned(ISSUER, NOW_S - 30), cosigned(ISSUER, NOW_S - 20), cosigned(HOME, NOW_S)];
    assert.equal(reportAt(trustOf({ cosignatures })).silenceS, 20);
    assert.equal(reportAt(trustOf({ cosignatures: [cosigned(HOME, NOW_S)] })).silenceS, undefined);
  });

  it('wants a checkpoint key whose window holds the knowledge time', () => {
    const key = keyNamed('CN-33 short');
    const fitAt = (fromS: number, untilS: number, changes: object = {}) => {
      const trust = trustOf({
        cosignatures: [cosigned(HOME, NOW_S - 10)],
        issuer: { keys: [{ key, role: 'checkpoint', fromS, untilS, ...changes }] },
        knowledge: { logKeyIds: [key.keyId] },
      });
      return trust.assess(ISSUER, NOW_S)?.isCheckpointKeyFit;
    };
    assert.equal(fitAt(NOW_S - 10, NOW_S - 9), true);
    assert.equal(fitAt(NOW_S - 9, NOW_S + 9), false);
    assert.equal(fitAt(NOW_S - 20, NOW_S - 10), false);
    assert.equal(fitAt(0, 1e12, { compromise: { version: 1, cutOffs: new Map() } }), false);
    assert.equal(fitAt(0, 1e12, { role: 'witness' }), false);
  });

  it('is content with one fit key of several signatures', () => {
    const trust = trustOf({
      cosignatures: [cosigned(HOME, NOW_S)],
      knowledge: { logKeyIds: ['0000000000000000', keyNamed('CN-33 checkpoint').keyId] },
    });
    assert.equal(trust.assess(ISSUER, NOW_S)?.isCheckpointKeyFit, true);
  });
});

describe('Trust', () => {
  it('T19: leaves out regions that the home does not recognise, has withdrawn or pins otherwise', () => {
    const recognitions: Recognition[] = [
      recognised('FR'),
      recognised('IT', { fingerprint: stubFingerprint('another root') }),
      recognised('AT', { standing: 'suspended' }),
      { standing: 'withdrawn', region: 'ES', version: 2 },
    ];
    const regions = ['PT', 'FR', 'IT', 'AT', 'ES'].map((region) => stubKnowledge({ region }, []));
    const home = stubKnowledge({ region: HOME, recognitions }, []);
    const trust = new Trust({ home: HOME, network: NETWORK, regions: [...regions, home] }, { sha256 });
    assert.deepEqual([...trust.regions.keys()].sort(), ['AT', HOME, 'FR']);
  });

  it('knows nothing without its home', () => {
    const trust = new Trust(
      { home: HOME, network: NETWORK, regions: [stubKnowledge({ region: 'FR' }, [])] },
      { sha256 },
    );
    assert.equal(trust.regions.size, 0);
    assert.equal(trust.assess('FR', NOW_S), undefined);
    assert.equal(assessKnowledge(trust, 'FR', NOW_S), undefined);
  });

  it('takes no knowledge of another network', () => {
    const regions = [stubKnowledge({ region: HOME, network: 'other' }, [])];
    assert.throws(() => new Trust({ home: HOME, network: NETWORK, regions }, { sha256 }), TypeError);
  });

  it('remembers an assessment only for as long as it holds', () => {
    const cosignatures = [HOME, 'FR', 'IT'].flatMap((region, i) =>
      [0, 1, 2].map((j) => cosigned(region, NOW_S + 200 * j + 31 * i)),
    );
    const recognitions = [
      recognised(ISSUER),
      recognised('FR', { fromS: NOW_S + 100, untilS: NOW_S + 400 }),
      recognised('IT', { fromS: NOW_S - 100, untilS: NOW_S + 250 }),
    ];
    const trust = trustOf({ others: ['FR', 'IT'], recognitions, cosignatures });
    const knowledge = trust.regions.get(ISSUER);
    assert.ok(knowledge);
    for (let i = 0; i < 2_000; i++) {
      const nowS = NOW_S - 300 + ((i * 617) % 1_200);
      const { fromS, untilS, ...remembered } = trust.assess(ISSUER, nowS) ?? assert.fail();
      const fresh = assess(trust, knowledge, nowS);
      assert.ok(fromS <= nowS && nowS < untilS);
      assert.deepEqual({ ...fresh, fromS, untilS }, { ...remembered, fromS, untilS }, `at ${nowS}`);
    }
  });
});
