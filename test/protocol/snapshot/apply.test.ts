import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type FaultCode, isProtocolError, type ProtocolError } from '../../../protocol/fault.ts';
import { applySnapshot, type Holdings } from '../../../protocol/snapshot/apply.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { makeSnapshot } from '../../../protocol/snapshot/make.ts';
import { encodeSnapshot, parseSnapshot, type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { type LeafProof } from '../../../protocol/verdict/cut-off.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { verify } from '../../../protocol/verdict/verify.ts';
import { Federation, NETWORK, NOW_S, noteOf, sourceOf, stateRootOf } from '../../support/snapshot-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, LOG_ID, RegionFixture, trustModules } from '../../support/region-fixture.ts';

const HOME = 'DE';
const PLACE = { risk: 'low', kind: 'gate', gradeNeeded: 'static' } as const;

/** DE, FR, IT, ES and CN-33: four witnesses for each log, of which three are needed. */
const five = () => new Federation(HOME, 'FR', 'IT', 'ES', 'CN-33');

function outcomeOf(
  holdings: Holdings,
  text: string,
  nowS = NOW_S,
  proofs: readonly LeafProof[] = [],
): string {
  const verdict = verify(trustModules, text, holdings.trust, { place: PLACE, mode: 'offline', proofs }, nowS);
  const reasons = verdict.reasons.filter(({ outcome }) => outcome !== 'note').map(({ code }) => code);
  return [verdict.outcome, ...reasons].join(' ');
}

function faultOf(action: () => unknown): ProtocolError['fault'] {
  try {
    action();
  } catch (error) {
    if (isProtocolError(error)) return error.fault;
    throw error;
  }
  return assert.fail('expected a fault');
}

/** The snapshot with one part changed. */
function withPart(
  bytes: Uint8Array,
  region: string,
  change: (part: SnapshotPart) => SnapshotPart,
): Uint8Array {
  const { network, parts } = parseSnapshot(bytes);
  return encodeSnapshot({
    network,
    parts: parts.map((part) => (part.region === region ? change(part) : part)),
  });
}

const effectsOf = (applied: ReturnType<Federation['apply']>) =>
  Object.fromEntries(applied.outcomes.map(({ region, effect }) => [region, effect]));

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
    const bytes = await federation.snapshotOf(federation.source(HOME), sourceOf(impostor, note));
    const fault = faultOf(() => federation.apply(HOME, bytes));
    assert.deepEqual(fault, { code: 'PIN_MISMATCH', details: { region: 'FR' } });
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
  it('T9 rollback: refuses an older snapshot, names both sizes and keeps what it held', async () => {
    const federation = five();
    const yesterday = await federation.snapshot({ atS: NOW_S - DAY_S });
    federation.region('CN-33').revoke([5]);
    const today = federation.apply(HOME, await federation.snapshot());
    const fault = faultOf(() => federation.apply(HOME, yesterday, today.holdings));
    assert.deepEqual(fault, { code: 'ROLLBACK', details: { region: 'CN-33', held: 8, offered: 7 } });
    assert.equal(outcomeOf(today.holdings, federation.issue('CN-33', 5).text), 'stop REVOKED');
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

  for (const [what, more] of [
    ['of the same size', 0],
    ['that is longer', 3],
  ] as const) {
    it(`T4: refuses a fork ${what}`, async () => {
      const federation = five();
      const twin = five();
      federation.region('CN-33').revoke([1]);
      twin.region('CN-33').revoke([2]);
      for (let i = 0; i < more; i++) twin.region('CN-33').revoke([100 + i]);
      const first = federation.apply(HOME, await federation.snapshot());
      const forked = await twin.snapshot();
      const fault = faultOf(() => twin.apply(HOME, forked, first.holdings));
      assert.deepEqual(fault, { code: 'FORK', details: { region: 'CN-33', held: 8, offered: 8 + more } });
    });
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
  });

  it('takes holdings of the same reader only', async () => {
    const federation = five();
    const bytes = await federation.snapshot();
    const { holdings } = federation.apply(HOME, bytes);
    assert.throws(() => federation.apply('FR', bytes, holdings), TypeError);
  });
});

describe('applySnapshot: deltas', () => {
  it('comes by a chain of deltas to what one full snapshot gives, to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.constantFrom('revoke', 'commit', 'rules', 'limits', 'forge'), { maxLength: 4 }),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        async (steps) => {
          const federation = new Federation(HOME, 'FR', 'CN-33');
          const region = federation.region('CN-33');
          let held = federation.apply(HOME, await federation.snapshot()).holdings;
          let index = 0;
          for (const step of steps) {
            for (const kind of step) {
              region.nowS += 60;
              if (kind === 'revoke') region.revoke([index, 65_536 + 7 * index]);
              else if (kind === 'commit') region.commit();
              else if (kind === 'rules') {
                region.add({
                  kind: 'rules',
                  id: `r${index}`,
                  version: 1,
                  from: region.nowS,
                  data: { a: index },
                });
              } else if (kind === 'limits') {
                region.add({ kind: 'limits', version: index + 1, revocationsPerHour: 1_000 + index });
              } else region.offer(Uint8Array.of(index));
              index++;
            }
            const bytes = await federation.snapshot({}, held);
            assert.ok(parseSnapshot(bytes).parts.every(({ base }) => base === undefined));
            const before = held.logs.get('CN-33')?.fold.size;
            const applied = federation.apply(HOME, bytes, held);
            assert.equal(held.logs.get('CN-33')?.fold.size, before, 'what was held stays as it was');
            held = applied.holdings;
          }
          const full = federation.apply(HOME, await federation.snapshot()).holdings;
          for (const name of federation.regions.keys()) {
            assert.equal(stateRootOf(held, name), stateRootOf(full, name));
            const [chain, whole] = [held, full].map(({ logs }) => logs.get(name)?.fold.frontier);
            assert.deepEqual(chain, whole);
          }
          assert.equal(
            stateRootOf(held, 'CN-33'),
            Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'),
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  it('refuses a delta that does not start where the reader is', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const first = federation.apply(HOME, await federation.snapshot());
    region.revoke([1]);
    const toSecond = await federation.snapshot({}, first.holdings);
    const second = federation.apply(HOME, toSecond, first.holdings);
    region.revoke([2]);
    const toThird = await federation.snapshot({}, second.holdings);
    const details = (from: number, held: number) => ({ region: 'CN-33', from, held });
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, toThird, first.holdings)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: details(8, 7),
      },
    );
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, toSecond, second.holdings)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: details(7, 8),
      },
    );
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, toThird)),
      {
        code: 'SNAPSHOT_INCOMPLETE',
        details: { region: HOME, from: 7, held: 0 },
      },
    );
    assert.equal(federation.apply(HOME, toThird, second.holdings).holdings.logs.get('CN-33')?.fold.size, 9);
  });

  it('asks for a full part where a compromise reaches back before what it holds', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const stolen = region.keys['trust-log'];
    const cutOff = region.cutOff();
    region.revoke([1]);
    region.commit();
    region.revoke([2]);
    const first = federation.apply(HOME, await federation.snapshot());
    assert.equal(outcomeOf(first.holdings, federation.issue('CN-33', 1).text), 'stop REVOKED');
    region.add(region.compromise(stolen, { trust: cutOff }));
    const delta = await federation.snapshot({}, first.holdings);
    const fault = faultOf(() => federation.apply(HOME, delta, first.holdings));
    assert.deepEqual([fault.code, fault.details['region']], ['HISTORY_NEEDED', 'CN-33']);

    const sources = federation.sources().map((source) => ({ ...source, newestBase: () => undefined }));
    const { holdings } = federation.apply(HOME, await federation.snapshotOf(...sources), first.holdings);
    assert.equal(
      outcomeOf(holdings, federation.issue('CN-33', 1).text),
      'pass',
      'what the thief revoked is void',
    );
    assert.equal(
      stateRootOf(holdings, 'CN-33'),
      Buffer.from(region.fold.commitmentAt(NOW_S).root).toString('hex'),
    );
  });

  it('voids within what it holds', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const cutOff = region.cutOff();
    region.revoke([1]);
    const first = federation.apply(HOME, await federation.snapshot());
    region.add(region.compromise(region.keys['trust-log'], { trust: cutOff }));
    const { holdings } = federation.apply(
      HOME,
      await federation.snapshot({}, first.holdings),
      first.holdings,
    );
    assert.equal(outcomeOf(holdings, federation.issue('CN-33', 1).text), 'pass');
    assert.equal(outcomeOf(first.holdings, federation.issue('CN-33', 1).text), 'stop REVOKED');
  });

  it('T3: a stolen attest key reaches the reader with the delta, genuine codes live on with their proof', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    const genuine = federation.issue('CN-33', 0);
    const [backdated, forged] = [federation.issue('CN-33', 0), federation.issue('CN-33', 1)];
    const first = federation.apply(HOME, await federation.snapshot());
    for (const { text } of [genuine, backdated, forged])
      assert.equal(outcomeOf(first.holdings, text), 'pass');

    const root = leafHash(sha256, genuine.attestation);
    region.add(region.compromise(region.keys.attest, { [LOG_ID]: { size: 1, root } }));
    const { holdings } = federation.apply(
      HOME,
      await federation.snapshot({}, first.holdings),
      first.holdings,
    );
    const proof = { log: LOG_ID, index: 0, size: 1, leafHash: root, path: [] };
    assert.equal(outcomeOf(holdings, genuine.text, NOW_S, [proof]), 'pass');
    assert.equal(outcomeOf(holdings, genuine.text), 'undetermined PROOF_NEEDED');
    assert.equal(outcomeOf(holdings, backdated.text, NOW_S, [proof]), 'stop LEAF_MISMATCH');
    assert.equal(outcomeOf(holdings, backdated.text), 'undetermined PROOF_NEEDED');
    assert.equal(outcomeOf(holdings, forged.text, NOW_S, [proof]), 'stop BEYOND_CUT_OFF');
  });
});

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
    assert.deepEqual(fault, {
      code: 'SNAPSHOT_INCOMPLETE',
      details: { region: HOME, counted: 1, needed: 3 },
    });
    assert.equal(federation.apply(HOME, await only(HOME, 'CN-33', 'FR', 'IT')).outcomes.length, 4);
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

describe('applySnapshot: T12 mix-and-match', () => {
  const setup = async () => {
    const federation = five();
    const region = federation.region('CN-33');
    region.revoke([1]);
    region.commit();
    region.revoke([2]);
    const early = await federation.snapshot();
    region.revoke([3]);
    region.commit();
    region.revoke([4]);
    const late = await federation.snapshot();
    const partOf = (bytes: Uint8Array) => parseSnapshot(bytes).parts[0] ?? assert.fail();
    return { federation, late, earlyPart: partOf(early), latePart: partOf(late) };
  };

  it('refuses parts of a part from another snapshot', async () => {
    const { federation, late, earlyPart, latePart } = await setup();
    const mixed: [FaultCode, Partial<SnapshotPart>][] = [
      ['SNAPSHOT_INCOMPLETE', { checkpoint: earlyPart.checkpoint }],
      ['SNAPSHOT_INCOMPLETE', { from: earlyPart.from, base: earlyPart.base }],
      ['SNAPSHOT_INCOMPLETE', { entries: [...earlyPart.entries, ...latePart.entries] }],
      ['PROOF_INVALID', { entries: earlyPart.entries }],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: earlyPart.base?.items ?? [] } },
      ],
      ['STATE_MISMATCH', { base: { frontier: latePart.base?.frontier ?? [], items: [] } }],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: latePart.base?.items.slice(1) ?? [] } },
      ],
      [
        'STATE_MISMATCH',
        { base: { frontier: latePart.base?.frontier ?? [], items: latePart.base?.items.toReversed() ?? [] } },
      ],
    ];
    assert.deepEqual([earlyPart.from, latePart.from], [8, 11]);
    assert.equal(earlyPart.entries.length, latePart.entries.length);
    for (const [code, changes] of mixed) {
      const bytes = withPart(late, 'CN-33', (part) => ({ ...part, ...changes }));
      const { details, ...fault } = faultOf(() => federation.apply(HOME, bytes));
      assert.deepEqual([fault.code, details['region']], [code, 'CN-33'], Object.keys(changes).join());
    }
    const frontier = latePart.base?.frontier.toReversed() ?? [];
    const turned = withPart(late, 'CN-33', (part) => ({
      ...part,
      base: { frontier, items: part.base?.items ?? [] },
    }));
    assert.equal(faultOf(() => federation.apply(HOME, turned)).code, 'PROOF_INVALID');
  });

  it('refuses the part of one region in the name of another', async () => {
    const { federation, late } = await setup();
    const french = parseSnapshot(late).parts.find(({ region }) => region === 'FR') ?? assert.fail();
    const swapped = withPart(late, 'CN-33', () => ({ ...french, region: 'CN-33' }));
    assert.deepEqual(
      faultOf(() => federation.apply(HOME, swapped)),
      {
        code: 'PIN_MISMATCH',
        details: { region: 'CN-33' },
      },
    );
  });

  it('refuses a checkpoint that the region did not sign, or signed for another log', async () => {
    const { federation } = await setup();
    const others = federation.sources().filter(({ region }) => region !== 'CN-33');
    const region = federation.region('CN-33');
    const cases: [FaultCode, Parameters<Federation['source']>[1]][] = [
      ['NOTE_UNSIGNED', { checkpointKey: region.keys.attest }],
      ['NOTE_UNSIGNED', { checkpointKey: federation.region('FR').keys.checkpoint }],
      ['NOTE_UNSIGNED', { checkpoint: { origin: federation.region('FR').origin } }],
      ['NOTE_UNSIGNED', { checkpoint: { origin: 'CN-33.other/trust' } }],
      ['PROOF_INVALID', { checkpoint: { root: new Uint8Array(32) } }],
      ['SNAPSHOT_INCOMPLETE', { checkpoint: { size: region.fold.size + 1 } }],
    ];
    for (const [code, vouched] of cases) {
      const bytes = await federation.snapshotOf(federation.source('CN-33', vouched), ...others);
      assert.equal(faultOf(() => federation.apply(HOME, bytes)).code, code, JSON.stringify(vouched));
    }
  });

  it('refuses a checkpoint by a key that is compromised', async () => {
    const federation = five();
    const region = federation.region('CN-33');
    region.add(region.compromise(region.keys.checkpoint, {}));
    const bytes = await federation.snapshot();
    assert.equal(faultOf(() => federation.apply(HOME, bytes)).code, 'NOTE_UNSIGNED');
  });

  it('refuses entries that are cut, added, doubled, swapped or altered', async () => {
    const { federation, late } = await setup();
    const changes: [FaultCode, (entries: readonly Uint8Array[]) => Uint8Array[]][] = [
      ['SNAPSHOT_INCOMPLETE', (entries) => entries.slice(0, -1)],
      ['SNAPSHOT_INCOMPLETE', (entries) => entries.slice(1)],
      ['SNAPSHOT_INCOMPLETE', () => []],
      ['SNAPSHOT_INCOMPLETE', (entries) => [...entries, Uint8Array.of(1)]],
      ['SNAPSHOT_INCOMPLETE', ([first = assert.fail(), ...rest]) => [first, first, ...rest]],
      ['PROOF_INVALID', (entries) => entries.toReversed()],
      [
        'PROOF_INVALID',
        ([first = assert.fail(), ...rest]) => [...rest.slice(0, 0), first, ...rest.map(() => first)],
      ],
      ['PROOF_INVALID', (entries) => entries.map((entry, i) => (i === 1 ? entry.subarray(1) : entry))],
    ];
    for (const [code, change] of changes) {
      for (const name of ['CN-33', HOME]) {
        const bytes = withPart(late, name, (part) => ({ ...part, entries: change(part.entries) }));
        assert.deepEqual(
          [faultOf(() => federation.apply(HOME, bytes))].map((fault) => [
            fault.code,
            fault.details['region'],
          ]),
          [[code, name]],
        );
      }
    }
  });

  it('refuses any flipped bit, but in the line of a cosigner, who then counts for nothing', async () => {
    const federation = new Federation(HOME, 'FR', 'CN-33');
    federation.region('CN-33').revoke([1]);
    federation.region('CN-33').commit();
    federation.region('CN-33').revoke([2]);
    const bytes = await federation.snapshot();
    const { holdings } = federation.apply(HOME, bytes);
    const lines = parseSnapshot(bytes).parts.map(({ checkpoint }) => {
      const end = checkpoint.byteOffset - bytes.byteOffset + checkpoint.length;
      return { start: end - checkpoint.length + parseNote(checkpoint).text.length, end };
    });
    const inLine = fc
      .constantFrom(...lines)
      .chain(({ start, end }) => fc.integer({ min: start * 8, max: end * 8 - 1 }));
    const vouchers = ({ trust }: Holdings, region: string) =>
      (trust.regions.get(region)?.cosignatures ?? []).map((cosigned) => JSON.stringify(cosigned));
    fc.assert(
      fc.property(fc.oneof(fc.nat(bytes.length * 8 - 1), inLine), (bit) => {
        const at = bit >> 3;
        const altered = bytes.slice();
        altered[at] = (altered[at] ?? 0) ^ (1 << (bit & 7));
        let applied;
        try {
          applied = federation.apply(HOME, altered);
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
          return;
        }
        assert.ok(
          lines.some(({ start, end }) => start <= at && at < end),
          `bit ${bit} was borne`,
        );
        for (const [region, { fold }] of applied.holdings.logs) {
          assert.deepEqual(fold.root, holdings.logs.get(region)?.fold.root);
          assert.equal(stateRootOf(applied.holdings, region), stateRootOf(holdings, region));
          const before = vouchers(holdings, region);
          assert.ok(vouchers(applied.holdings, region).every((cosigned) => before.includes(cosigned)));
        }
      }),
      { numRuns: 500 },
    );
  });
});
