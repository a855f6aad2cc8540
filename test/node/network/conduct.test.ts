import assert from 'node:assert/strict';
import { Conduct } from '../../../node/network/conduct.ts';
import { BREACHES, PEERS_REMEMBERED, REASONS_MAX } from '../../../node/network/network-limits.ts';

function bench() {
  let nowMs = 1_000_000;
  const shutOut: string[] = [];
  const conduct = new Conduct({ clock: { nowMs: () => nowMs }, onShutOut: (peer) => shutOut.push(peer) });
  return { conduct, shutOut, pass: (ms: number) => (nowMs += ms) };
}

describe('Conduct', () => {
  it('shuts a peer out at the third breach within ten minutes, for ten minutes, and no other', () => {
    const { conduct, shutOut, pass } = bench();
    for (let i = 1; i < BREACHES.max; i++) conduct.breach('FR', 'frame');
    assert.equal(conduct.isShutOut('FR'), false);
    conduct.breach('FR', 'frame');
    assert.deepEqual(shutOut, ['FR']);
    assert.equal(conduct.isShutOut('FR'), true);
    assert.equal(conduct.isShutOut('IT'), false);
    pass(BREACHES.shutOutMs);
    assert.equal(conduct.isShutOut('FR'), false);
  });

  it('forgets a breach after ten minutes, and a note is none', () => {
    const { conduct, pass } = bench();
    for (let i = 0; i < 10; i++) {
      conduct.breach('FR', 'frame');
      conduct.note('FR', 'slow-reader');
      pass(BREACHES.withinMs / (BREACHES.max - 1));
    }
    assert.equal(conduct.isShutOut('FR'), false);
    assert.deepEqual(conduct.report, [
      { peer: 'FR', counts: { frame: 10, 'slow-reader': 10 }, isShutOut: false },
    ]);
  });

  it('A clock that is set back shuts nobody out for longer', () => {
    const { conduct, pass } = bench();
    for (let i = 0; i < BREACHES.max; i++) conduct.breach('FR', 'frame');
    pass(-1);
    assert.equal(conduct.isShutOut('FR'), false);
  });

  it('keeps no more peers and reasons than its bounds', () => {
    const { conduct } = bench();
    for (let i = 0; i < REASONS_MAX + 5; i++) conduct.note('FR', `r${i}`);
    const [report] = conduct.report;
    assert.equal(Object.keys(report?.counts ?? {}).length, REASONS_MAX + 1);
    assert.equal(report?.counts['other'], 5);
    for (let i = 0; i < PEERS_REMEMBERED; i++) conduct.note(`p${i}`, 'r');
    assert.equal(conduct.report.length, PEERS_REMEMBERED);
  });
});
