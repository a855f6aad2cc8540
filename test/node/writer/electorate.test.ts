import assert from 'node:assert/strict';
import { liarsBorne, mayHavePassed, permitsNeeded } from '../../../node/writer/electorate.ts';

describe('permitsNeeded', () => {
  it('T5: two quorums of 1 to 64 witnesses share more of them than may lie, and from four on a third may, near enough', () => {
    for (let witnesses = 1; witnesses <= 64; witnesses++) {
      const needed = permitsNeeded(witnesses);
      assert.ok(needed <= witnesses);
      const shared = 2 * needed - witnesses;
      assert.ok(shared > liarsBorne(witnesses));
      if (witnesses >= 4) assert.ok(liarsBorne(witnesses) >= Math.floor((witnesses - 1) / 3));
    }
    assert.deepEqual([1, 2, 3, 4, 5, 7, 10].map(permitsNeeded), [1, 2, 2, 3, 4, 5, 7]);
  });

  it('is of no use where there is no witness', () => {
    for (const witnesses of [0, -1, 1.5]) assert.throws(() => permitsNeeded(witnesses), RangeError);
  });
});

describe('mayHavePassed', () => {
  it('reckons with all that did not answer and with the liars, and rules out what could have no quorum even so', () => {
    for (let witnesses = 1; witnesses <= 16; witnesses++) {
      const needed = permitsNeeded(witnesses);
      for (let permitted = 0; permitted <= witnesses; permitted++) {
        for (let answered = needed; answered <= witnesses; answered++) {
          // The fewest holders that a new writer can be shown: the silent and the liars are all among those who permitted.
          const hidden = witnesses - answered + liarsBorne(witnesses);
          const holders = Math.max(0, permitted - hidden);
          if (permitted >= needed) assert.ok(mayHavePassed({ witnesses, answered, holders }));
        }
      }
    }
    assert.equal(mayHavePassed({ witnesses: 3, answered: 3, holders: 1 }), false);
    assert.equal(mayHavePassed({ witnesses: 3, answered: 2, holders: 1 }), true);
    assert.equal(mayHavePassed({ witnesses: 4, answered: 4, holders: 1 }), false);
  });
});
