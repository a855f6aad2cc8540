import assert from 'node:assert/strict';
import { type IncomingMessage } from 'node:http';
import { Admission, type Work } from '../../../node/http/admission.ts';
import { Entrance, type Visit } from '../../../node/http/entrance.ts';
import { WATCHING_MAX } from '../../../node/http/watching.ts';

/** Places of one address for watching, with a quarter of all. */
const WATCHING_OF_ONE = 16;

describe('Entrance', () => {
  /** Sixteen in hand, four of one address. Each request comes on a connection of its own. */
  function opened({ addressSharePercent = 25 } = {}) {
    const admission = new Admission({ inFlightMax: 16, delayMsMax: 50 });
    const entrance = new Entrance({ inFlightMax: 16, addressSharePercent }, { admission });
    const enter = (
      remoteAddress: string,
      work: Work = 'verdict',
      socket = { remoteAddress },
    ): Visit | undefined => entrance.enter(work, { socket } as IncomingMessage);
    const times = (count: number, ...args: Parameters<typeof enter>): Visit[] =>
      Array.from({ length: count }, () => enter(...args) ?? assert.fail('turned away'));
    return { admission, entrance, enter, times };
  }

  it('T17: one address has its share of the places in hand, and others get theirs', () => {
    const { admission, entrance, enter, times } = opened();
    const [first] = times(4, '192.0.2.1');
    assert.equal(enter('192.0.2.1'), undefined);
    assert.equal(entrance.overShare, 1);
    assert.equal(admission.inFlight, 4);
    for (const other of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) times(4, other);
    assert.equal(enter('192.0.2.5'), undefined);
    assert.deepEqual([entrance.overShare, admission.shed.verdict], [1, 1]);
    for (let i = 0; i < 2; i++) {
      first?.answered();
      first?.over();
    }
    assert.equal(admission.inFlight, 15);
    times(1, '192.0.2.1');
  });

  it('T17: who hangs up keeps place and share until the work that he began is done', () => {
    const { admission, entrance, enter, times } = opened();
    const held = times(4, '192.0.2.1', 'snapshot');
    for (const visit of held) visit.over();
    assert.deepEqual([admission.inFlight, entrance.unread], [4, 0]);
    assert.equal(enter('192.0.2.1'), undefined);
    for (const visit of held) visit.answered();
    assert.deepEqual([admission.inFlight, entrance.unread, entrance.isIdle], [0, 0, true]);
    times(4, '192.0.2.1');
  });

  it('T17: the addresses of one /64 share', () => {
    const { enter, times } = opened();
    for (const end of ['1', '2', '3', '4']) times(1, `2001:db8::${end}`);
    assert.equal(enter('2001:db8::5'), undefined);
    times(1, '2001:db8:0:1::1');
  });

  it('T17: the addresses of one /48 have half of all places together, and of all that watch', () => {
    const { enter, times } = opened();
    for (const site of ['1', '2']) times(4, `2001:db8:0:${site}::1`);
    assert.equal(enter('2001:db8:0:3::1'), undefined);
    times(4, '2001:db8:1:1::1');
    for (const site of ['1', '2']) times(WATCHING_OF_ONE, `2001:db8:0:${site}::1`, 'watch');
    assert.equal(enter('2001:db8:0:3::1', 'watch'), undefined);
    times(1, '2001:db8:1:1::1', 'watch');
  });

  it('T17: an answer that is not taken is not in hand, and counts with its address alone', () => {
    const { admission, entrance, enter, times } = opened();
    const [first, ...rest] = times(4, '192.0.2.1', 'snapshot');
    for (const visit of [first, ...rest]) visit?.answered();
    assert.deepEqual([admission.inFlight, entrance.unread], [0, 4]);
    assert.equal(enter('192.0.2.1', 'snapshot'), undefined);
    times(4, '192.0.2.2', 'batch');
    for (const visit of [first, ...rest].slice(0, 3)) visit?.over();
    assert.equal(entrance.unread, 1);
    times(1, '192.0.2.1', 'snapshot');
    assert.equal(admission.inFlight, 5);
  });

  it('T17: answers that are not taken hold half a share, and verdicts of neighbours have the rest', () => {
    const { enter, times, entrance } = opened();
    const slow = times(4, '192.0.2.1', 'snapshot');
    for (const visit of slow) visit.answered();
    for (const work of ['snapshot', 'batch', 'log', 'read'] as const)
      assert.equal(enter('192.0.2.1', work), undefined, work);
    times(2, '192.0.2.1');
    assert.equal(enter('192.0.2.1'), undefined);
    assert.equal(entrance.overShare, 5);
  });

  it('T17: a verdict behind an answer that is not taken counts as that does', () => {
    const { enter } = opened();
    const socket = { remoteAddress: '192.0.2.1' };
    const slow = [enter('192.0.2.1', 'snapshot', socket), enter('192.0.2.1', 'verdict', socket)];
    for (const visit of slow) visit?.answered();
    assert.equal(enter('192.0.2.1', 'verdict', socket), undefined);
    slow[1]?.over();
    assert.ok(enter('192.0.2.1', 'verdict', socket));
  });

  it('one place alone is share and half of it', () => {
    const { enter, times } = opened({ addressSharePercent: 1 });
    const [visit] = times(1, '192.0.2.1', 'snapshot');
    visit?.answered();
    assert.equal(enter('192.0.2.1'), undefined);
    visit?.over();
    times(1, '192.0.2.1', 'snapshot');
  });

  it('an answer counts with its address until it is over, in whatever order that is told', () => {
    const { admission, entrance, times } = opened();
    const [first] = times(1, '192.0.2.1');
    first?.over();
    first?.answered();
    assert.deepEqual([admission.inFlight, entrance.unread], [0, 0]);
    const [second] = times(1, '192.0.2.1');
    second?.answered();
    second?.answered();
    assert.deepEqual([admission.inFlight, entrance.unread], [0, 1]);
    assert.ok(!entrance.isIdle);
    second?.over();
    assert.deepEqual([admission.inFlight, entrance.unread, entrance.isIdle], [0, 0, true]);
  });

  it('T17: who watches takes no place in hand, and only so many; where all are taken, whoever has none gets one', () => {
    const { admission, enter, times } = opened();
    const held: Visit[] = [];
    for (let i = 1; i <= WATCHING_MAX / WATCHING_OF_ONE; i++) {
      held.push(...times(WATCHING_OF_ONE, `192.0.2.${i}`, 'watch'));
      assert.equal(enter(`192.0.2.${i}`, 'watch'), undefined);
    }
    assert.equal(admission.inFlight, 0);
    const [visit] = times(1, '192.0.2.9', 'watch');
    assert.equal(enter('192.0.2.9', 'watch'), undefined);
    assert.equal(admission.shed.watch, WATCHING_MAX / WATCHING_OF_ONE + 1);
    for (const one of [...held, visit, ...held, visit]) {
      one?.over();
      one?.answered();
    }
    times(WATCHING_OF_ONE, '192.0.2.1', 'watch');
    times(4, '192.0.2.1');
  });

  it('behind a proxy on the same host, watching has as much of its places as the share says', () => {
    const { enter, times } = opened({ addressSharePercent: 100 });
    times(WATCHING_MAX, '127.0.0.1', 'watch');
    assert.equal(enter('127.0.0.1', 'watch'), undefined);
  });
});
