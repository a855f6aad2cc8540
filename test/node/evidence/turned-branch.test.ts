import assert from 'node:assert/strict';
import { CopyWatch } from '../../../node/evidence/copy-watch.ts';
import { EVIDENCE_PREFIX, EvidenceBook } from '../../../node/evidence/evidence-book.ts';
import { LogTree } from '../../../node/log/log-tree.ts';
import { NodeError } from '../../../node/node-error.ts';
import { type Store } from '../../../node/store/store.ts';
import { AuditedFixture, growStored } from '../../support/audit-fixture.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { trustModules } from '../../support/region-fixture.ts';
import { hurriedClock, medium, startedStore } from '../../support/store-fixture.ts';
import { until } from '../../support/until.ts';

describe('EvidenceBook and CopyWatch, where a region has named another branch', () => {
  let store: Store;
  let tree: LogTree;
  let fixture: AuditedFixture;
  let book: EvidenceBook;
  let watch: CopyWatch;
  let branch: number;
  let lack: () => Promise<boolean>;
  let made: number;
  const looks: Promise<void>[] = [];
  const troubles: unknown[] = [];

  /** A log with three entries at a wrong place, which is copied here and does not grow any more. */
  beforeEach(async () => {
    [branch, lack, made] = [1, () => Promise.resolve(false), 0];
    looks.length = 0;
    troubles.length = 0;
    fixture = new AuditedFixture(20);
    for (let i = 0; i < 3; i++) fixture.attest({ index: 7 });
    store = await startedStore(medium());
    await growStored(fixture, store);
    const { origin } = fixture;
    tree = await LogTree.open(origin, { store, secondPlace: new MemorySecondPlace(), sha256 });
    const modules = {
      ...trustModules,
      store,
      clock: hurriedClock,
      stateOf: () => fixture.region.state,
      onTrouble: (error: unknown) => void troubles.push(error),
    };
    book = new EvidenceBook({
      ...modules,
      named: {
        stand: () => Promise.resolve(true),
        have: () => Promise.resolve(true),
        lack: () => lack(),
        lookUp: () => Promise.resolve(),
        wasGivenUp: () => false,
        branchOf: () => branch,
      },
      run: (work) => void looks.push(work().catch(modules.onTrouble)),
      onNew: () => made++,
      onRecount: () => watch.wakeProven(),
    });
    await book.open();
    const logs = () => new Map([[origin, { tree }]]);
    watch = new CopyWatch({ region: 'FR' }, { ...modules, logs, evidence: book });
    watch.start();
    await until(() => made === 3, 'all is proven');
  });
  afterEach(async () => {
    await watch.stop();
    await Promise.all(looks);
    tree.close();
    await store.stop();
    assert.deepEqual(troubles, []);
  });

  it('T3: a copy at rest is read anew when proofs count no more by the branch that is held', async () => {
    branch++;
    lack = () => Promise.resolve(true);
    book.heed();
    await until(() => made === 6, 'all is proven anew');
    assert.equal(book.accusations.length, 3);
  });

  it('T9: and when what is kept of a region was put away with another root', async () => {
    for await (const [key] of store.entries(`${EVIDENCE_PREFIX}/`, `${EVIDENCE_PREFIX}0`))
      await store.write([{ del: key }]);
    book.reread(`${fixture.region.region}.`);
    await until(() => made === 6, 'all is proven anew');
    assert.equal(book.accusations.length, 3);
  });

  for (const code of ['VALUE_CORRUPT', 'LOG_CORRUPT'] as const)
    it(`F4: heed goes on behind what cannot be read, tells of it once, and looks again when the log is longer: ${code}`, async () => {
      await watch.stop();
      const damage = new NodeError(code, 'damaged');
      const [{ name } = assert.fail()] = book.accusations;
      let [asked, isDamaged] = ['', true];
      const isBad = () => isDamaged && asked.endsWith(name);
      const get = store.get.bind(store);
      store.get = (key) => {
        asked = key;
        return isBad() && code === 'VALUE_CORRUPT' ? Promise.reject(damage) : get(key);
      };
      lack = () => (isBad() ? Promise.reject(damage) : Promise.resolve(true));
      const heeded = async (): Promise<[looks: number, standing: number]> => {
        book.heed();
        const [count] = [looks.length, await Promise.all(looks.splice(0))];
        return [count, book.accusations.length];
      };
      branch++;
      assert.deepEqual(await heeded(), [1, 1], 'all but that one');
      assert.deepEqual(await heeded(), [0, 1], 'nothing is another');
      const { region } = fixture;
      for (const [version, standing] of [1, 0].entries()) {
        isDamaged = standing === 1;
        region.add(region.compromise(region.keys.witness, {}, version + 1));
        assert.deepEqual(await heeded(), [1, standing]);
      }
      assert.deepEqual(troubles.splice(0), [damage]);
    });
});
