import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decideClaim, decidePermit } from '../../../node/writer/writer-rule.ts';
import { NO_RECORD, type WriterRecord } from '../../../node/writer/writer-record.ts';
import { permitsNeeded } from '../../../node/writer/electorate.ts';
import { ATTEST, claimOf, permitOf, type Reign } from '../../support/writer-words.ts';

const first = claimOf({ epoch: 5, machine: 1 });
const second = claimOf({ epoch: 6, machine: 2 });

function after(record: WriterRecord, decision: ReturnType<typeof decideClaim>): WriterRecord {
  assert.ok(decision.granted, `refused: ${decision.granted ? '' : decision.refusal}`);
  return decision.granted ? decision.record : record;
}

describe('decideClaim', () => {
  it('grants a higher epoch, the same claim again, and no epoch twice', () => {
    const record = after(NO_RECORD, decideClaim(NO_RECORD, first));
    const again = decideClaim(record, first);
    assert.ok(again.granted && !again.isNew);
    for (const late of [
      claimOf({ epoch: 5, machine: 2 }),
      claimOf({ epoch: 4 }),
      claimOf({ epoch: 5, session: 7 }),
    ]) {
      const refused = decideClaim(record, late);
      assert.ok(!refused.granted && refused.refusal === 'fenced');
      assert.equal(refused.claim, first);
    }
    assert.equal(after(record, decideClaim(record, second)).claim, second);
  });
});

describe('decideClaim where the key of the standing claim was given up', () => {
  it('T11: grants no epoch below that of a permit that counts on, nor that epoch to another process', () => {
    const permits = new Map([[ATTEST, permitOf({ epoch: 5 }, { from: 0, size: 4, origin: ATTEST })]]);
    const record = { changes: 2, claim: undefined, permits };
    for (const late of [claimOf({ epoch: 1, machine: 2 }), claimOf({ epoch: 5, machine: 2 })]) {
      const refused = decideClaim(record, late);
      assert.ok(!refused.granted && refused.refusal === 'taken');
      const { epoch } = late.word;
      const asked = permitOf({ epoch, machine: 2 }, { from: 4, size: 6 });
      assert.ok(!decidePermit(record, late, asked).granted, 'of another log of the region neither');
    }
    assert.ok(decideClaim(record, first).granted);
    assert.ok(decideClaim(record, second).granted);
  });
});

describe('decidePermit', () => {
  const record = after(
    NO_RECORD,
    decidePermit(NO_RECORD, first, permitOf({ epoch: 5 }, { from: 0, size: 10 })),
  );

  it('T4: within an epoch each permit begins where the one before ended; the same one again is granted', () => {
    const again = decidePermit(record, first, permitOf({ epoch: 5 }, { from: 0, size: 10 }));
    assert.ok(again.granted && !again.isNew);
    for (const asked of [
      { from: 0, size: 10, tree: 1 },
      { from: 9, size: 12 },
      { from: 0, size: 9 },
    ]) {
      const refused = decidePermit(record, first, permitOf({ epoch: 5 }, asked));
      assert.ok(!refused.granted && refused.refusal === 'taken', JSON.stringify(asked));
    }
    assert.ok(decidePermit(record, first, permitOf({ epoch: 5 }, { from: 10, size: 11 })).granted);
    // One that this witness was not asked for may lie in between.
    assert.ok(decidePermit(record, first, permitOf({ epoch: 5 }, { from: 20, size: 21 })).granted);
    const other = permitOf({ epoch: 5 }, { from: 0, size: 3, origin: ATTEST });
    assert.ok(decidePermit(record, first, other).granted);
  });

  it('T9: a fenced writer is told who writes, whatever it asks for; the new one may begin elsewhere', () => {
    const fenced = after(record, decideClaim(record, second));
    const refused = decidePermit(fenced, first, permitOf({ epoch: 5 }, { from: 10, size: 11 }));
    assert.ok(!refused.granted && refused.refusal === 'fenced' && refused.claim === second);
    assert.ok(decidePermit(fenced, second, permitOf({ epoch: 6, machine: 2 }, { from: 7, size: 8 })).granted);
  });

  it('takes a claim that it has not heard of with the permit', () => {
    const taken = after(
      record,
      decidePermit(record, second, permitOf({ epoch: 6, machine: 2 }, { from: 10, size: 12 })),
    );
    assert.equal(taken.claim, second);
    assert.equal(taken.changes, record.changes + 1);
  });

  it('T4: whatever two copies of a writer and a new one ask whom in which order, no two trees that part have a quorum', () => {
    const asked = fc.record({
      reign: fc.constantFrom<Reign>({ epoch: 5 }, { epoch: 6, machine: 2 }),
      tree: fc.integer({ min: 0, max: 1 }),
      size: fc.integer({ min: 1, max: 3 }),
      whom: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 40 }), (run) => {
        const records = [NO_RECORD, NO_RECORD, NO_RECORD];
        const granted = new Map<string, Set<number>>();
        for (const { reign, tree, size, whom } of run) {
          // As a writer asks that has what it signed before permitted: one entry more than that.
          const before = records[whom] as WriterRecord;
          const permit = permitOf(reign, { from: size - 1, size, tree });
          const decision = decidePermit(before, claimOf(reign), permit);
          if (!decision.granted) continue;
          records[whom] = decision.record;
          const key = `${reign.epoch} ${size} ${tree}`;
          granted.set(key, (granted.get(key) ?? new Set()).add(whom));
        }
        for (const epoch of [5, 6])
          for (const size of [1, 2, 3]) {
            const passed = [0, 1].filter(
              (tree) => (granted.get(`${epoch} ${size} ${tree}`)?.size ?? 0) >= permitsNeeded(3),
            );
            assert.ok(passed.length < 2, `epoch ${epoch}, size ${size}`);
          }
      }),
      { numRuns: 120 },
    );
  });
});
