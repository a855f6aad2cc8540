import assert from 'node:assert/strict';
import { ProtocolError } from '../../../protocol/fault.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { BAN_MS, FAULTS_WITHIN_MS } from '../../../node/sync/sync-limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('PeerBook', () => {
  const fault = new ProtocolError('NOTE_MALFORMED', 'not a note');
  const bench = () => {
    const clock = new ManualClock(1_000_000);
    return { clock, book: new PeerBook({ clock }) };
  };

  it('T20: the third fault within ten minutes bans a peer for ten minutes', async () => {
    const { clock, book } = bench();
    for (let i = 0; i < 2; i++) book.fault('FR', fault);
    await clock.advance(FAULTS_WITHIN_MS - 1);
    assert.equal(book.isBanned('FR'), false);
    book.fault('FR', fault);
    assert.equal(book.isBanned('FR'), true);
    assert.equal(book.isBanned('IT'), false);
    await clock.advance(BAN_MS);
    assert.equal(book.isBanned('FR'), false);
    assert.deepEqual([book.recordOf('FR').faultsMs, book.recordOf('FR').faultsInAll], [[], 3]);
  });

  it('T20: what is older than ten minutes counts no more, however often it comes', async () => {
    const { clock, book } = bench();
    for (let i = 0; i < 9; i++) {
      book.fault('FR', fault);
      await clock.advance(FAULTS_WITHIN_MS / 2);
      assert.equal(book.isBanned('FR'), false, `after ${i + 1}`);
    }
    assert.equal(book.recordOf('FR').faultsInAll, 9);
  });
});
