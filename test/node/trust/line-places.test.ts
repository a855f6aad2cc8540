import assert from 'node:assert/strict';
import { placeFor } from '../../../node/trust/line-places.ts';
import { LOG_LINES_MAX, NOTE_SIGNATURES_MAX } from '../../../protocol/limits.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';

const PLACES = NOTE_SIGNATURES_MAX - LOG_LINES_MAX;

/** A line of the witness with this number, whose rank is the number; nothing of it is signed. */
function lineOf(witness: number, atS: number, keyId = 1): NoteSignature {
  const bytes = new Uint8Array(72);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(atS));
  return { name: `witness ${witness}`, keyId, bytes };
}
const rankOf = (name: string) => Uint8Array.of(Number(name.split(' ')[1]));
/** One line each of the first witnesses, at 1,000. */
const linesOf = (count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => lineOf(first + i, 1_000));
const placeIn = (held: readonly NoteSignature[], line: NoteSignature) => placeFor(line, held, rankOf);

describe('placeFor', () => {
  it('gives a new line a place of its own while there is one, and the second of a region too', () => {
    assert.equal(placeIn(linesOf(PLACES - 1, 1), lineOf(0, 1)), PLACES - 1);
    assert.equal(placeIn(linesOf(PLACES - 1), lineOf(0, 1, 2)), PLACES - 1);
  });

  it('where all are taken by one region each, goes by their order among the witnesses, whatever their times', () => {
    const held = linesOf(PLACES, 1);
    assert.equal(placeIn(held, lineOf(0, 1)), PLACES - 1, 'in the place of the last');
    assert.equal(placeIn(held, lineOf(PLACES, 9_999, 2)), PLACES - 1, 'the newer one of the last itself');
    assert.equal(placeIn(held, lineOf(PLACES + 1, 9_999)), undefined);
  });

  it('T3: where all are taken, the newer line of a region by another key has the place of its older one', () => {
    const held = linesOf(PLACES);
    assert.equal(placeIn(held, lineOf(5, 1_001, 2)), 5);
    assert.equal(placeIn(held, lineOf(5, 999, 2)), undefined);
    assert.equal(placeIn(held, lineOf(5, 1_000, 2)), 5, 'of equal times the higher key id stays');
    assert.equal(placeIn(held, lineOf(5, 1_000, 0)), undefined);
  });

  it('where all are taken, the oldest of the second lines goes first, and no only one before it', () => {
    const held = [...linesOf(PLACES - 2), lineOf(0, 900, 2), lineOf(1, 800, 2)];
    const [second, oldest] = [PLACES - 2, PLACES - 1];
    assert.equal(placeIn(held, lineOf(200, 1)), oldest, 'for the only line of another, whatever its rank');
    assert.equal(placeIn(held, lineOf(2, 850, 2)), oldest, 'for a second line that is newer');
    assert.equal(placeIn(held, lineOf(2, 700, 2)), undefined);
    assert.equal(placeIn(held, lineOf(0, 1_100, 3)), second, 'of a region that has two its own goes');
    assert.equal(placeIn(held, lineOf(0, 850, 3)), undefined);
    const alike = [...linesOf(PLACES - 2), lineOf(3, 800, 2), lineOf(1, 800, 2)];
    assert.equal(placeIn(alike, lineOf(200, 1)), oldest, 'of equal ones that of the lesser name');
  });
});
