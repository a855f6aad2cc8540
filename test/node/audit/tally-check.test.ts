import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { missingFrom } from '../../../node/audit/tally-check.ts';
import { type Colour } from '../../../protocol/code/status.ts';
import { TALLY_CELLS_MAX } from '../../../protocol/limits.ts';
import { TALLY_COLOURS, TallyCounter, type TallyCounts } from '../../../protocol/trust/tally.ts';

type Code = readonly [rule: string, colour: Colour];

function counted(codes: readonly Code[]): TallyCounter {
  const counter = new TallyCounter();
  for (const [ruleId, colour] of codes) counter.add({ ruleId, colour }, undefined);
  return counter;
}

const codes = (...cells: readonly (readonly [rule: string, colour: Colour, count: number])[]): Code[] =>
  cells.flatMap(([rule, colour, count]) => Array.from({ length: count }, () => [rule, colour] as const));

const colour = fc.constantFrom(...TALLY_COLOURS);
/** Of few cells, or of about as many as a tally has room for. */
const everybody = fc
  .oneof(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'manual'), colour, fc.nat(25)), { maxLength: 6 }),
    fc
      .array(fc.integer({ min: 8, max: 12 }), {
        minLength: TALLY_CELLS_MAX - 2,
        maxLength: TALLY_CELLS_MAX + 4,
      })
      .map((counts) => counts.map((count, i) => [`r${i}`, 'red', count] as const)),
  )
  .map((cells) => codes(...cells));

describe('missingFrom', () => {
  it('takes what a region told of all, whoever of them was forgotten since', () => {
    fc.assert(
      fc.property(everybody, fc.infiniteStream(fc.boolean()), fc.nat(3), (all, isForgotten, before) => {
        const opened = all.filter(() => isForgotten.next().value !== true);
        const missing = all.length - opened.length;
        const { counts } = counted(all);
        assert.equal(missingFrom(counts, counted(opened), missing + before), missing);
        if (missing > 0) assert.equal(missingFrom(counts, counted(opened), missing - 1), undefined);
      }),
    );
  });

  it('where all are opened, takes nothing but what the region has to tell', () => {
    fc.assert(
      fc.property(everybody, fc.nat(), fc.nat(3), (all, which, more) => {
        const { counts } = counted(all);
        const { cells, merged } = counts;
        const hidden = cells[which % Math.max(1, cells.length)];
        const others: TallyCounts[] = [
          { ...counts, merged: merged + more },
          { ...counts, overrides: counts.overrides.slice(1) },
          { ...counts, cells: [...cells, { rule: 'x', colour: 0, count: 10 }], merged: merged - 10 },
        ];
        if (hidden !== undefined)
          others.push(
            { ...counts, cells: cells.filter((cell) => cell !== hidden), merged: merged + hidden.count },
            {
              ...counts,
              cells: cells.map((cell) =>
                cell === hidden ? { ...cell, colour: (cell.colour + 1) % 3 } : cell,
              ),
            },
          );
        for (const other of others)
          assert.equal(missingFrom(other, counted(all), 0), isDeepStrictEqual(other, counts) ? 0 : undefined);
      }),
    );
  });

  const cell = (rule: string, count: number) => ({ rule, colour: 2, count });
  for (const [what, cells, merged, opened, closed, isFit] of [
    ['many, and nobody besides', [], 30, [['a', 30]], 5, false],
    ['many with one who was forgotten', [], 31, [['a', 30]], 5, true],
    ['many with nine', [], 39, [['a', 30]], 9, true],
    [
      'more than go with nine of others',
      [],
      40,
      [
        ['a', 20],
        ['b', 9],
        ['c', 1],
      ],
      20,
      false,
    ],
    [
      'two times many',
      [],
      21,
      [
        ['a', 10],
        ['b', 10],
      ],
      5,
      false,
    ],
    [
      'what is not the smallest',
      [cell('b', 29)],
      31,
      [
        ['a', 30],
        ['b', 29],
      ],
      5,
      false,
    ],
    [
      'what is as small and the first',
      [cell('b', 30)],
      31,
      [
        ['a', 30],
        ['b', 30],
      ],
      5,
      true,
    ],
    [
      'what is as small and not the first',
      [cell('a', 30)],
      31,
      [
        ['a', 30],
        ['b', 30],
      ],
      5,
      false,
    ],
    [
      'what all that is forgotten makes larger than another',
      [cell('b', 35)],
      45,
      [
        ['a', 30],
        ['b', 35],
      ],
      15,
      false,
    ],
    [
      'few where there is a cell to go with them',
      [cell('a', 30)],
      3,
      [
        ['a', 30],
        ['b', 3],
      ],
      0,
      false,
    ],
    ['few alone', [], 3, [['b', 3]], 0, true],
    [
      'ten of two',
      [cell('a', 30)],
      10,
      [
        ['a', 30],
        ['b', 5],
        ['c', 5],
      ],
      0,
      true,
    ],
    [
      'fewer than were opened',
      [cell('a', 30)],
      10,
      [
        ['a', 30],
        ['b', 9],
        ['c', 9],
      ],
      9,
      false,
    ],
  ] as const)
    it(`${isFit ? 'takes' : 'finds'} a tally that merges ${what}`, () => {
      const all = codes(...opened.map(([rule, count]) => [rule, 'red', count] as const));
      assert.equal(missingFrom({ cells, merged, overrides: [] }, counted(all), closed) !== undefined, isFit);
    });
});
