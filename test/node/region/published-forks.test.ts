import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { evidencePath } from '../../../node/region/layout.ts';
import { isProvenForked, publishForks } from '../../../node/region/published-forks.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { encodeEvidence, type EvidenceOf } from '../../../protocol/evidence/evidence.ts';
import { encodeNote, type Note, parseNote } from '../../../protocol/log/note.ts';
import { keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import {
  DAY_S,
  HOUR_S,
  RegionFixture,
  START_S,
  type TestKey,
  trustModules,
} from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('isProvenForked', () => {
  const folder = temporaryFolders();

  /** Two logs of FR that begin with a key by its first root, and the proof that this key signed both. */
  function forkBy(key: TestKey): EvidenceOf<'fork'> {
    const [one, other] = [1, 2].map((revocationsPerHour) => {
      const log = new RegionFixture({ region: 'FR', begins: 'root' });
      log.admit([{ key, role: 'checkpoint' }]);
      log.add({ kind: 'limits', version: 1, revocationsPerHour });
      return log;
    }) as [RegionFixture, RegionFixture];
    const side = (log: RegionFixture) => ({ note: noteOf(log, 3, key), root: log.rootAt(3), path: [] });
    return { kind: 'fork', grounds: [one.entries.slice(0, 2)], size: 3, sides: [side(one), side(other)] };
  }

  /** By a proof in the directory of the reader, or in that of another region. */
  function isForked(
    region: RegionFixture,
    evidence: EvidenceOf<'fork'>,
    whose: 'own' | 'other' = 'other',
  ): Promise<boolean> {
    const { fingerprint, state, entries, origin } = region;
    const path = folder();
    const name = `${hexOf(fingerprint).slice(0, 32)}-${'0'.repeat(32)}.evidence`;
    const file = join(evidencePath(path, origin), name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, encodeEvidence(evidence));
    const suspect = { region: 'FR', network: 'test', fingerprint, state, entries };
    const places = whose === 'own' ? { own: path, others: [] } : { own: folder(), others: [path] };
    return isProvenForked(suspect, places, trustModules);
  }

  it('T5, T19: heeds no key that a thief of a replaced root has named, since the log never did', async () => {
    const region = new RegionFixture({ region: 'FR' });
    const next = region.key('next root');
    region.add(region.rootStatement({ version: 2, keys: [next] }), [...region.rootKeys, next]);
    const evidence = forkBy(region.key('key of the thief'));
    assert.equal(await isForked(region, evidence), false);
    assert.equal(await isForked(region, evidence, 'own'), false);
  });

  it('T4: heeds a key that the state has forgotten only in the directory of the reader, whose node took the proof before', async () => {
    const region = new RegionFixture({ region: 'FR', begins: 'root' });
    const key = region.key('of a day');
    region.admit([{ key, role: 'checkpoint', from: START_S, until: START_S + HOUR_S }]);
    assert.equal(await isForked(region, forkBy(key)), true);
    assert.equal(await isForked(region, forkBy(key), 'own'), true);
    forget(region);
    assert.equal(region.state.key(key.keyId), undefined);
    assert.equal(await isForked(region, forkBy(key)), false, 'its root could not give it up any more');
    assert.equal(await isForked(region, forkBy(key), 'own'), true);
  });

  it('heeds no key of another role', async () => {
    const region = new RegionFixture({ region: 'FR', begins: 'root' });
    const key = region.key('of a day');
    region.admit([{ key, role: 'witness', from: START_S, until: START_S + HOUR_S }]);
    assert.equal(await isForked(region, forkBy(key)), false);
    assert.equal(await isForked(region, forkBy(key), 'own'), false);
  });

  it('T4: is published anew once a key that has signed both sides is named, which then counts for readers of files too', async () => {
    const [region, other] = [1, 2].map((index) => {
      const log = new RegionFixture({ region: 'FR' });
      log.revoke([index]);
      return log;
    }) as [RegionFixture, RegionFixture];
    const [second, third] = [region.key('checkpoint 2'), region.key('checkpoint 3')];
    const size = region.entries.length;
    const sideOf = (log: RegionFixture) => {
      const [{ text, signatures }, more] = [noteOf(log), noteOf(log, size, third)].map(parseNote) as [
        Note,
        Note,
      ];
      const note = encodeNote({ text, signatures: [...signatures, ...more.signatures] });
      return { note, root: log.rootAt(size), path: [] };
    };
    const path = folder();
    const { keeper } = await keeperOf(region);
    await keeper.apply({ from: 0, entries: region.entries, note: noteOf(region) });
    await keeper.accuse({ size, sides: [sideOf(region), sideOf(other)] });
    const isForkedNow = async () => {
      const { fingerprint, state, entries } = region;
      const from = keeper.tree.size;
      await keeper.apply({ from, entries: entries.slice(from), note: noteOf(region, undefined, second) });
      await publishForks(path, keeper, trustModules);
      const suspect = { region: 'FR', network: 'test', fingerprint, state, entries };
      return isProvenForked(suspect, { own: folder(), others: [path] }, trustModules);
    };
    region.admit([{ key: second, role: 'checkpoint' }]);
    assert.equal(await isForkedNow(), true);
    region.add(region.compromise(region.keys.checkpoint, {}));
    assert.equal(await isForkedNow(), false);
    region.admit([{ key: third, role: 'checkpoint' }]);
    assert.equal(await isForkedNow(), true);
  });

  it('heeds no key that the root has given up, however long ago', async () => {
    const region = new RegionFixture({ region: 'FR', begins: 'root' });
    const key = region.key('of a day');
    region.admit([{ key, role: 'checkpoint', from: START_S, until: START_S + HOUR_S }]);
    region.add(region.compromise(key, {}));
    for (const whose of ['own', 'other'] as const)
      assert.equal(await isForked(region, forkBy(key), whose), false);
    forget(region);
    for (const whose of ['own', 'other'] as const)
      assert.equal(await isForked(region, forkBy(key), whose), false);
  });

  /** Two months later the state forgets what is over. */
  function forget(region: RegionFixture): void {
    region.nowS = START_S + 62 * DAY_S;
    const late = region.key('late');
    region.admit([{ key: late, role: 'trust-log' }]);
    region.add(region.stateStatement(), [late]);
  }
});
