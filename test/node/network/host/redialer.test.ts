import assert from 'node:assert/strict';
import { NotWelcome } from '../../../../node/network/host/dial-trouble.ts';
import { Redialer } from '../../../../node/network/host/redialer.ts';
import { DIALS_AT_ONCE } from '../../../../node/network/network-limits.ts';
import { until } from '../../../support/until.ts';

describe('Redialer', () => {
  let dialled: string[];
  let redialer: Redialer;
  beforeEach(() => {
    dialled = [];
  });
  afterEach(() => redialer.stop());

  function start(self: string, peers: readonly string[], answer: (peer: string) => Promise<void>): void {
    redialer = new Redialer(
      { self },
      {
        random: () => 0,
        missing: () => new Map(peers.map((peer) => [peer, []])),
        dial: (peer) => {
          dialled.push(peer);
          return answer(peer);
        },
      },
    );
    redialer.start();
  }

  const times = (peer: string) => dialled.filter((one) => one === peer).length;

  it('T18: dials few at the same time, and the next when one is done', async () => {
    const peers = Array.from({ length: DIALS_AT_ONCE + 4 }, (_, i) => `peer ${i}`);
    const underWay: (() => void)[] = [];
    start('a', peers, () => new Promise((resolve) => underWay.push(resolve)));
    await until(() => dialled.length === DIALS_AT_ONCE, 'as many as may');
    redialer.look();
    assert.equal(dialled.length, DIALS_AT_ONCE);
    underWay[0]?.();
    await until(() => dialled.length === DIALS_AT_ONCE + 1, 'the next');
    for (const resolve of underWay) resolve();
  });

  it('lets a peer go first whose name comes before its own, so that they do not meet twice', async () => {
    start('m', ['a', 'z'], () => new Promise(() => undefined));
    await until(() => dialled.length === 2, 'both');
    assert.deepEqual(dialled, ['z', 'a']);
  });

  it('leaves a peer alone for longer that answers and does not know it', async () => {
    start('a', ['down', 'wary'], (peer) => {
      return Promise.reject(peer === 'wary' ? new NotWelcome() : new Error('connect ECONNREFUSED'));
    });
    await until(() => times('down') === 3, 'dialled again and again');
    assert.equal(times('wary'), 1);
    assert.equal(redialer.failures.get('wary')?.trouble, 'not-welcome');
    assert.equal(redialer.failures.get('down')?.trouble, 'refused');
    await until(() => times('wary') === 2, 'but not for ever');
  });
});
