import assert from 'node:assert/strict';
import { applySnapshot, type Holdings } from '../../../protocol/snapshot/apply.ts';
import { makeSnapshot } from '../../../protocol/snapshot/make.ts';
import { encodeSnapshot, parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import {
  Federation,
  NETWORK,
  NOW_S,
  noteOf,
  sourceOf,
  stateRootOf,
  effectsOf,
  faultIn,
  faultOf,
  five,
  HOME,
  outcomeOf,
  withPart,
} from '../../support/snapshot-fixture.ts';
import { DAY_S, RegionFixture, trustModules } from '../../support/region-fixture.ts';

describe('applySnapshot: a full snapshot', () => {
  it('lets a reader that knows only its pin judge codes of all regions offline', async () => {
    const federation = five();
    const { holdings, outcomes } = federation.apply(HOME, await federation.snapshot());
    assert.deepEqual(
      outcomes.map(({ region, effect, heldSize, size }) => [region, effect, heldSize, size]),
      [
        ['CN-33', 'taken', 0, 7],
        ['DE', 'taken', 0, 7],
        ['ES', 'taken', 0, 7],
        ['FR', 'taken', 0, 7],
        ['IT', 'taken', 0, 7],
      ],
    );
    for (const name of federation.regions.keys()) {
      assert.equal(outcomeOf(holdings, federation.issue(name, 5).text), 'pass');
    }
    assert.equal(
      outcomeOf(holdings, federation.issue('CN-33', 5, { network: 'other' }).text),
      'stop SIGNATURE_INVALID',
    );
  });

  it('comes to the same state from index 0 and from the newest state entry', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    region.revoke([3, 70_000]);
    region.commit();
    region.revoke([4]);
    const based = await federation.snapshot();
    const whole = await makeSnapshot(
      NETWORK,
      [...federation.regions.keys()].map((name) => ({
        ...federation.source(name),
        newestBase: () => undefined,
      })),
    );
    const roots = [based, whole].map((bytes) => {
      const { holdings } = federation.apply(HOME, bytes);
      assert.equal(outcomeOf(holdings, federation.issue('CN-33', 4).text), 'stop REVOKED');
      assert.equal(outcomeOf(holdings, federation.issue('CN-33', 70_000).text), 'stop REVOKED');
      assert.equal(outcomeOf(holdings, federation.issue('CN-33', 5).text), 'pass');
      return stateRootOf(holdings, 'CN-33');
    });
    assert.deepEqual(
      [based, whole].map((bytes) => parseSnapshot(bytes).parts[0]?.from),
      [8, 0],
    );
    assert.equal(roots[0], roots[1]);
    assert.equal(roots[0], Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'));
  });

  it('A11, T15: refuses a state that is more than 120 s ahead of its own clock', async () => {
    const federation = five();
    const region = federation.region('FR');
    region.nowS = NOW_S + 120;
    region.revoke([5]);
    const { holdings } = federation.apply(HOME, await federation.snapshot());
    assert.match(outcomeOf(holdings, federation.issue('FR', 5).text), /^stop REVOKED/);
    region.nowS += 1;
    region.revoke([6]);
    const bytes = await federation.snapshot();
    const early = federation.apply(HOME, bytes, holdings);
    assert.equal(faultIn(early, 'FR').code, 'STATE_AHEAD');
    assert.equal(outcomeOf(early.holdings, federation.issue('FR', 6).text), 'pass');
    const late = federation.apply(HOME, bytes, holdings, NOW_S + 1);
    assert.equal(effectsOf(late)['FR'], 'taken');
  });

  it('T10 freeze: passes up to the offline limit and is open a second later', async () => {
    const federation = five();
    const bytes = await federation.snapshot({ atS: NOW_S - 3 * DAY_S });
    const { holdings } = federation.apply(HOME, bytes);
    const { text } = federation.issue('CN-33', 5, { issuedAtS: NOW_S - 4 * DAY_S });
    assert.equal(outcomeOf(holdings, text, NOW_S - 2 * DAY_S), 'pass');
    assert.match(outcomeOf(holdings, text, NOW_S - 2 * DAY_S + 1), /^undetermined .*KNOWLEDGE_STALE/);
  });

  it('refuses a snapshot without the home, and one of another network', async () => {
    const federation = five();
    const bytes = await federation.snapshotOf(federation.source('FR'));
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, bytes)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: { region: HOME },
      },
    );
    const { parts } = parseSnapshot(await federation.snapshot());
    const elsewhere = encodeSnapshot({ network: 'other', parts });
    assert.equal(faultOf(() => federation.apply(HOME, elsewhere)).code, 'PIN_MISMATCH');
  });
});

describe('applySnapshot: pins', () => {
  it('T19: refuses a home under another root', async () => {
    const federation = five();
    const bytes = await federation.snapshot();
    const reader = { ...federation.reader(HOME), pin: new Uint8Array(32) };
    const fault = faultOf(() => applySnapshot(trustModules, bytes, reader, undefined, NOW_S));
    assert.deepEqual(fault, { code: 'PIN_MISMATCH', details: { region: HOME } });
  });

  it('T19: refuses a region under another root than the home pins', async () => {
    const federation = five();
    const impostor = new RegionFixture({ region: 'FR', network: NETWORK, rootKeys: 2 });
    const note = noteOf(impostor, [...federation.regions.values()]);
    const only = federation.sources().filter(({ region }) => region !== 'FR');
    const applied = federation.apply(HOME, await federation.snapshotOf(...only, sourceOf(impostor, note)));
    assert.deepEqual(faultIn(applied, 'FR'), { code: 'PIN_MISMATCH', details: { region: 'FR' } });
    assert.equal(applied.holdings.trust.regions.has('FR'), false);
  });

  it('T5: leaves out what the home does not recognise, even if a recognised region does', async () => {
    const federation = new Federation(HOME, 'FR');
    const stranger = new RegionFixture({ region: 'PT', network: NETWORK });
    federation.region('FR').recognise(stranger);
    const note = noteOf(stranger, [...federation.regions.values()]);
    const bytes = await federation.snapshotOf(
      federation.source(HOME),
      federation.source('FR'),
      sourceOf(stranger, note),
    );
    const applied = federation.apply(HOME, bytes);
    assert.deepEqual(effectsOf(applied), { DE: 'taken', FR: 'taken', PT: 'left-out' });
    assert.equal(applied.holdings.logs.has('PT'), false);
    const { text } = federation.issue('FR', 1, { region: 'PT', key: stranger.keys.attest });
    assert.equal(outcomeOf(applied.holdings, text), 'stop NOT_RECOGNISED');
  });

  it('drops a region when the home withdraws, and stops its codes', async () => {
    const federation = five();
    const first = federation.apply(HOME, await federation.snapshot());
    federation.region(HOME).add({ kind: 'withdrawal', region: 'CN-33', version: 2 });
    const applied = federation.apply(HOME, await federation.snapshot(), first.holdings);
    assert.equal(effectsOf(applied)['CN-33'], 'left-out');
    assert.equal(applied.holdings.trust.regions.has('CN-33'), false);
    const { text } = federation.issue('CN-33', 5);
    assert.equal(outcomeOf(applied.holdings, text), 'stop RECOGNITION_WITHDRAWN');
    assert.equal(outcomeOf(first.holdings, text), 'pass');
  });

  it('stops the codes of a suspended region and goes on holding it', async () => {
    const federation = five();
    const first = federation.apply(HOME, await federation.snapshot());
    federation.region(HOME).add({ kind: 'suspension', region: 'CN-33', version: 1 });
    const applied = federation.apply(HOME, await federation.snapshot(), first.holdings);
    assert.equal(effectsOf(applied)['CN-33'], 'confirmed');
    assert.equal(
      outcomeOf(applied.holdings, federation.issue('CN-33', 5).text),
      'stop RECOGNITION_SUSPENDED',
    );
  });

  it('is not bound by what it held of a region under a root that the home no longer pins', async () => {
    const federation = five();
    for (let i = 0; i < 5; i++) federation.region('FR').revoke([i]);
    const first = federation.apply(HOME, await federation.snapshot());
    const anew = new RegionFixture({ region: 'FR', network: NETWORK, rootKeys: 2 });
    federation.region(HOME).recognise(anew, 2);
    const others = ['IT', 'ES', 'CN-33'].map((name) => federation.region(name));
    const note = noteOf(anew, [federation.region(HOME), ...others]);
    const bytes = await federation.snapshotOf(federation.source(HOME), sourceOf(anew, note));
    const applied = federation.apply(HOME, bytes, first.holdings);
    assert.equal(effectsOf(applied)['FR'], 'taken');
    assert.equal(applied.holdings.trust.regions.get('FR')?.state.size, 3);
  });
});

describe('applySnapshot: what was held before', () => {
  it('T9 rollback: refuses an older part, names both sizes and keeps what it held', async () => {
    const federation = five();
    const yesterday = await federation.snapshot({ atS: NOW_S - DAY_S });
    federation.region('CN-33').revoke([5]);
    const today = federation.apply(HOME, await federation.snapshot());
    const applied = federation.apply(HOME, yesterday, today.holdings);
    const fault = { code: 'ROLLBACK', details: { region: 'CN-33', held: 8, offered: 7 } };
    assert.deepEqual(faultIn(applied, 'CN-33'), fault);
    assert.equal(outcomeOf(applied.holdings, federation.issue('CN-33', 5).text), 'stop REVOKED');
    assert.equal(federation.apply(HOME, yesterday).outcomes.length, 5, 'a reader without a past takes it');
  });

  it('T9 rollback: also of the home', async () => {
    const federation = five();
    const yesterday = await federation.snapshot({ atS: NOW_S - DAY_S });
    federation.region(HOME).add({ kind: 'withdrawal', region: 'CN-33', version: 2 });
    const today = federation.apply(HOME, await federation.snapshot());
    const fault = faultOf(() => federation.apply(HOME, yesterday, today.holdings));
    assert.deepEqual(fault, { code: 'ROLLBACK', details: { region: HOME, held: 8, offered: 7 } });
  });

  it('T4: a fork of the home refuses all, and one by a disowned key marks nobody', async () => {
    const federation = five();
    const twin = five();
    for (const name of ['CN-33', HOME]) {
      federation.region(name).revoke([1]);
      twin.region(name).revoke([2]);
    }
    const { holdings } = federation.apply(HOME, await federation.snapshot());
    const ofTwin = await twin.snapshot();
    assert.equal(faultOf(() => twin.apply(HOME, ofTwin, holdings)).code, 'FORK');
    const region = federation.region('CN-33');
    const fresh = region.key('fresh checkpoint');
    region.admit([{ key: fresh, role: 'checkpoint' }]);
    region.add(region.compromise(region.keys.checkpoint, {}));
    const others = federation.sources().filter(({ region: name }) => name !== 'CN-33');
    const source = federation.source('CN-33', { checkpointKey: fresh });
    const known = federation.apply(HOME, await federation.snapshotOf(source, ...others), holdings).holdings;
    twin.region('CN-33').revoke([3]);
    twin.region('CN-33').revoke([4]);
    const forged = federation.apply(
      HOME,
      await federation.snapshotOf(twin.source('CN-33'), ...others),
      known,
    );
    assert.equal(faultIn(forged, 'CN-33').code, 'FORK');
    assert.equal(effectsOf(forged)['CN-33'], 'faulty');
    assert.equal(outcomeOf(forged.holdings, federation.issue('CN-33', 5).text), 'pass');
  });

  it('F6: a bad peer blinds the gate to nobody but itself, whatever is wrong with its part', async () => {
    const federation = five();
    const held = federation.apply(HOME, await federation.snapshot({ atS: NOW_S - 3600 })).holdings;
    federation.region('FR').revoke([1]);
    federation.region('IT').revoke([1]);
    const bytes = withPart(await federation.snapshot({}, held), 'FR', (part) => ({
      ...part,
      checkpoint: Uint8Array.of(1),
    }));
    const applied = federation.apply(HOME, bytes, held);
    assert.deepEqual(effectsOf(applied), {
      'CN-33': 'confirmed',
      DE: 'confirmed',
      ES: 'confirmed',
      FR: 'faulty',
      IT: 'taken',
    });
    assert.equal(applied.holdings.trust.assess('FR', NOW_S)?.knowledgeAtS, NOW_S - 3600);
    assert.equal(outcomeOf(applied.holdings, federation.issue('FR', 1).text), 'pass');
    assert.equal(outcomeOf(applied.holdings, federation.issue('IT', 1).text), 'stop REVOKED');
    const anew = withPart(await federation.snapshot(), 'FR', (part) => ({ ...part, entries: [] }));
    const { holdings } = federation.apply(HOME, anew);
    assert.equal(outcomeOf(holdings, federation.issue('FR', 5).text), 'undetermined TRUST_MISSING');
    assert.equal(outcomeOf(holdings, federation.issue('IT', 5).text), 'pass');
  });

  for (const [what, more] of [
    ['of the same size', 0],
    ['that is longer', 3],
  ] as const) {
    for (const [by, reason] of [
      [undefined, 'QUARANTINED'],
      [['CN-33', HOME], 'FORKED'],
    ] as const) {
      it(`T4: marks a region by a fork ${what} as ${reason}, counts what both sides revoke, and goes on with the others`, async () => {
        const federation = five();
        const twin = five();
        federation.region('CN-33').revoke([1]);
        twin.region('CN-33').revoke([2]);
        for (let i = 0; i < more; i++) twin.region('CN-33').revoke([100 + i]);
        const first = federation.apply(HOME, await federation.snapshot());
        const others = twin.sources().filter(({ region }) => region !== 'CN-33');
        const vouched = by === undefined ? {} : { by };
        const applied = twin.apply(
          HOME,
          await twin.snapshotOf(twin.source('CN-33', vouched), ...others),
          first.holdings,
        );
        const details = { region: 'CN-33', held: 8, offered: 8 + more };
        assert.deepEqual(faultIn(applied, 'CN-33'), { code: 'FORK', details });
        assert.equal(effectsOf(applied)['CN-33'], 'forked');
        const outcomes = [1, 2, 5].map((index) =>
          outcomeOf(applied.holdings, twin.issue('CN-33', index).text),
        );
        assert.match(outcomes[0] ?? '', /^stop .*REVOKED/);
        assert.match(outcomes[1] ?? '', /^stop .*REVOKED/);
        assert.equal(outcomes[2], `undetermined ${reason}`);
        assert.equal(outcomeOf(applied.holdings, twin.issue('FR', 5).text), 'pass');
      });
    }
  }

  it('keeps a region of which the snapshot has no part', async () => {
    const federation = five();
    const first = federation.apply(HOME, await federation.snapshot());
    federation.region('FR').revoke([1]);
    const bytes = await federation.snapshotOf(federation.source('FR'));
    const applied = federation.apply(HOME, bytes, first.holdings);
    assert.deepEqual(effectsOf(applied), { FR: 'taken' });
    assert.deepEqual([...applied.holdings.logs.keys()].sort(), ['CN-33', 'DE', 'ES', 'FR', 'IT']);
    assert.equal(outcomeOf(applied.holdings, federation.issue('CN-33', 5).text), 'pass');
    assert.equal(outcomeOf(applied.holdings, federation.issue('FR', 1).text), 'stop REVOKED');
  });

  it('takes newer cosignatures on the same checkpoint, and is not robbed of those it has', async () => {
    const federation = five();
    const first = federation.apply(HOME, await federation.snapshot({ atS: NOW_S - DAY_S }));
    const ageOf = ({ holdings }: { holdings: Holdings }) =>
      holdings.trust.assess('CN-33', NOW_S)?.knowledgeAtS;
    assert.equal(ageOf(first), NOW_S - DAY_S);
    const fresh = federation.apply(HOME, await federation.snapshot(), first.holdings);
    assert.deepEqual(new Set(Object.values(effectsOf(fresh))), new Set(['confirmed']));
    assert.equal(ageOf(fresh), NOW_S);
    const stripped = federation.apply(HOME, await federation.snapshot({ by: [] }), fresh.holdings);
    assert.equal(ageOf(stripped), NOW_S);
    const older = federation.apply(HOME, await federation.snapshot({ atS: NOW_S - DAY_S }), fresh.holdings);
    assert.equal(ageOf(older), NOW_S);
    const ahead = federation.apply(HOME, await federation.snapshot({ atS: NOW_S + 121 }), fresh.holdings);
    assert.equal(ageOf(ahead), NOW_S);
    const near = federation.apply(HOME, await federation.snapshot({ atS: NOW_S + 120 }), fresh.holdings);
    assert.equal(ageOf(near), NOW_S + 120);
  });

  it('lets what is no fault of the snapshot through as it is', async () => {
    const bytes = await five().snapshot();
    const broken = new Error('no hash');
    const modules = {
      ...trustModules,
      sha256: () => {
        throw broken;
      },
    };
    const reader = { home: HOME, network: NETWORK, pin: new Uint8Array(32) };
    const isBroken = (error: unknown) => error === broken;
    assert.throws(() => applySnapshot(modules, bytes, reader, undefined, NOW_S), isBroken);
  });

  it('takes holdings of the same reader only', async () => {
    const federation = five();
    const bytes = await federation.snapshot();
    const { holdings } = federation.apply(HOME, bytes);
    assert.throws(() => federation.apply('FR', bytes, holdings), TypeError);
  });
});
