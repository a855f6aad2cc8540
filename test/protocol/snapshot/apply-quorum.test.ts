import assert from 'node:assert/strict';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { encodeSnapshot, parseSnapshot } from '../../../protocol/snapshot/snapshot.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import {
  Federation,
  NETWORK,
  noteOf,
  NOW_S,
  effectsOf,
  faultOf,
  five,
  HOME,
  outcomeOf,
  PLACE,
} from '../../support/snapshot-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

describe('applySnapshot: quorum', () => {
  it('refuses a home that lacks its quorum', async () => {
    const federation = five();
    const others = federation.sources().filter(({ region }) => region !== HOME);
    const withHome = (by: readonly string[]) =>
      federation.snapshotOf(federation.source(HOME, { by }), ...others);
    const lacking = await withHome([HOME, 'FR', 'IT']);
    const fault = faultOf(() => federation.apply(HOME, lacking));
    assert.deepEqual(fault, {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: HOME, counted: 2, needed: 3 },
    });
    assert.equal(federation.apply(HOME, await withHome(['FR', 'IT', 'ES'])).outcomes.length, 5);
  });

  it('leaves out a region that lacks its quorum, if it holds nothing of it', async () => {
    const federation = five();
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const bytes = await federation.snapshotOf(
      federation.source('CN-33', { by: ['CN-33', HOME, 'FR'] }),
      ...others,
    );
    const applied = federation.apply(HOME, bytes);
    assert.equal(effectsOf(applied)['CN-33'], 'left-out');
    assert.equal(
      outcomeOf(applied.holdings, federation.issue('CN-33', 1).text),
      'undetermined TRUST_MISSING',
    );
  });

  it('of an unwitnessed part takes the revocations, and keeps what it held', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const first = federation.apply(HOME, await federation.snapshot());
    region.revoke([1]);
    region.add({ kind: 'log', log: '2026-12', minimum: 0 });
    const by = ['CN-33', HOME, 'FR'];
    const beside = federation.apply(HOME, await federation.snapshot({ by }, first.holdings), first.holdings);
    assert.deepEqual(effectsOf(beside), {
      'CN-33': 'beside',
      DE: 'confirmed',
      ES: 'confirmed',
      FR: 'confirmed',
      IT: 'confirmed',
    });
    assert.equal(outcomeOf(beside.holdings, federation.issue('CN-33', 1).text), 'stop REVOKED');
    assert.equal(outcomeOf(beside.holdings, federation.issue('CN-33', 2).text), 'pass');
    assert.equal(beside.holdings.logs.get('CN-33')?.fold.size, 7);
    assert.equal(beside.holdings.trust.regions.get('CN-33')?.state.log('2026-12'), undefined);

    region.revoke([2]);
    const more = federation.apply(HOME, await federation.snapshot({ by }, beside.holdings), beside.holdings);
    for (const index of [1, 2]) {
      assert.equal(outcomeOf(more.holdings, federation.issue('CN-33', index).text), 'stop REVOKED');
    }
    const taken = federation.apply(HOME, await federation.snapshot({}, more.holdings), more.holdings);
    assert.equal(effectsOf(taken)['CN-33'], 'taken');
    assert.equal(taken.holdings.trust.regions.get('CN-33')?.revokedBeside, undefined);
    assert.equal(outcomeOf(taken.holdings, federation.issue('CN-33', 2).text), 'stop REVOKED');
  });

  it('T4: an unwitnessed fork does not keep the reader from the log that the others saw', async () => {
    const federation = five();
    const twin = five();
    const first = federation.apply(HOME, await federation.snapshot());
    twin.region('CN-33').revoke([66]);
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const forged = await federation.snapshotOf(twin.source('CN-33', { by: ['CN-33', 'FR'] }), ...others);
    const misled = federation.apply(HOME, forged, first.holdings);
    assert.equal(effectsOf(misled)['CN-33'], 'beside');
    federation.region('CN-33').revoke([5]);
    const { holdings } = federation.apply(
      HOME,
      await federation.snapshot({}, misled.holdings),
      misled.holdings,
    );
    assert.equal(outcomeOf(holdings, federation.issue('CN-33', 5).text), 'stop REVOKED');
    assert.equal(outcomeOf(holdings, federation.issue('CN-33', 66).text), 'pass');
  });

  it('T12: lowers no quorum by leaving out the parts of witnesses', async () => {
    const federation = five();
    const only = (...names: string[]) =>
      federation.snapshotOf(...names.map((name) => federation.source(name)));
    const two = await only(HOME, 'CN-33');
    const fault = faultOf(() => federation.apply(HOME, two));
    // CN-33 lacks its own quorum, so that its key does not count either.
    assert.deepEqual(fault, {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: HOME, counted: 0, needed: 3 },
    });
    assert.equal(federation.apply(HOME, await only(HOME, 'CN-33', 'FR', 'IT')).outcomes.length, 4);
  });

  it('of an unwitnessed part takes the revocations of logs, too, that are not announced in it', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const cutOff = region.cutOff();
    region.add({ kind: 'log', log: '2026-11.2', minimum: 0 });
    const first = federation.apply(HOME, await federation.snapshot());
    const { text } = federation.issue('CN-33', 3, { log: '2026-11.2' });
    assert.equal(outcomeOf(first.holdings, text), 'pass');
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    region.add(region.revocation([3], '2026-11.2'), 'root');
    const unwitnessed = await federation.snapshot({ by: ['CN-33', HOME] }, first.holdings);
    const beside = federation.apply(HOME, unwitnessed, first.holdings);
    assert.equal(effectsOf(beside)['CN-33'], 'beside');
    assert.equal(outcomeOf(beside.holdings, text), 'stop REVOKED');
  });

  it('T3: a witness key that is known to be stolen vouches for no part, though another part keeps silent about it', async () => {
    const federation = new Federation(HOME, 'FR', 'IT');
    const [robbed, liar] = [federation.region('FR'), federation.region('IT')];
    robbed.add(robbed.compromise(robbed.keys.witness, {}));
    const by = [HOME, 'IT'];
    const first = federation.apply(HOME, await federation.snapshot({ by }));

    // A log of FR without the compromise, as far ahead that nothing of what is held is in it.
    const { frontier } = new RegionFixture({ region: 'FR', network: NETWORK }).fold;
    const twin = new RegionFixture({ region: 'FR', network: NETWORK });
    const { items, root } = twin.fold.commitmentAt(twin.nowS);
    const from = 19;
    const entry = robbed.entryOf({ kind: 'state', format: 1, items: items.length, root });
    const hashes = [...frontier, sha256(entry)];
    const tree = Frontier.of(sha256, from, hashes);
    tree.append(leafHash(sha256, entry));
    const silent = {
      region: 'FR',
      from,
      entries: [entry],
      base: { frontier: hashes, items },
      checkpoint: noteOf(robbed, [robbed], { checkpoint: { size: tree.size, root: tree.root() } }),
    };
    const fork = new Federation(HOME, 'FR', 'IT');
    fork.region('IT').revoke([66]);
    liar.revoke([1]);
    const honest = await federation.snapshot({ by });
    const forked = parseSnapshot(await fork.snapshotOf(fork.source('IT', { by: ['IT', 'FR'] })));
    const parts = parseSnapshot(honest).parts.map((part) =>
      part.region === 'FR' ? silent : (forked.parts.find(({ region }) => region === part.region) ?? part),
    );
    const misled = federation.apply(HOME, encodeSnapshot({ network: NETWORK, parts }), first.holdings);
    assert.deepEqual(effectsOf(misled), { DE: 'confirmed', FR: 'beside', IT: 'beside' });
    assert.equal(effectsOf(federation.apply(HOME, honest, misled.holdings))['IT'], 'taken');
  });

  it('bridges a gap only where a quorum vouches for it', async () => {
    const alone = new Federation(HOME);
    const first = alone.apply(HOME, await alone.snapshot());
    alone.region(HOME).revoke([1]);
    alone.region(HOME).commit();
    const gapped = await alone.snapshot();
    assert.equal(parseSnapshot(gapped).parts[0]?.from, 4);
    assert.deepEqual(
      faultOf(() => alone.apply(HOME, gapped, first.holdings)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: { region: HOME, held: 3, offered: 5 },
      },
    );
    const whole = await alone.snapshotOf({ ...alone.source(HOME), newestBase: () => undefined });
    assert.equal(alone.apply(HOME, whole, first.holdings).holdings.logs.get(HOME)?.fold.size, 5);
    assert.equal(alone.apply(HOME, gapped).holdings.logs.get(HOME)?.fold.size, 5);

    const federation = five();
    const before = federation.apply(HOME, await federation.snapshot());
    federation.region('CN-33').revoke([1]);
    federation.region('CN-33').commit();
    const over = await federation.snapshot();
    assert.equal(parseSnapshot(over).parts[0]?.from, 8);
    assert.equal(effectsOf(federation.apply(HOME, over, before.holdings))['CN-33'], 'taken');
  });

  it('lets no gap lower the quorum of the home: fewer witnesses count only where their withdrawals are seen', async () => {
    const federation = five();
    const before = federation.apply(HOME, await federation.snapshot());
    const home = federation.region(HOME);
    for (const region of ['IT', 'ES', 'CN-33']) home.add({ kind: 'withdrawal', region, version: 2 });
    home.commit();
    const by = [HOME, 'FR'];
    const gapped = await federation.snapshotOf(federation.source(HOME, { by }));
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, gapped, before.holdings)),
      { code: 'SNAPSHOT_INCOMPLETE', details: { region: HOME, counted: 1, needed: 3 } },
    );
    const whole = await federation.snapshotOf({
      ...federation.source(HOME, { by }),
      newestBase: () => undefined,
    });
    assert.equal(effectsOf(federation.apply(HOME, whole, before.holdings))[HOME], 'taken');

    const fewer = five();
    const held = fewer.apply(HOME, await fewer.snapshot());
    fewer.region(HOME).add({ kind: 'withdrawal', region: 'IT', version: 2 });
    fewer.region(HOME).commit();
    const vouched = await fewer.snapshotOf(fewer.source(HOME));
    assert.equal(effectsOf(fewer.apply(HOME, vouched, held.holdings))[HOME], 'taken');
  });

  it('takes the word of a region that nobody witnesses, and says so', async () => {
    const alone = new Federation(HOME);
    const { holdings } = alone.apply(HOME, await alone.snapshot());
    const context = { place: PLACE, mode: 'offline' } as const;
    const { outcome, reasons } = verify(
      trustModules,
      alone.issue(HOME, 1).text,
      holdings.trust,
      context,
      NOW_S,
    );
    assert.equal(outcome, 'pass');
    assert.ok(reasons.some(({ code }) => code === 'NO_WITNESSES'));
  });
});
