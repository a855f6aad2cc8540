import assert from 'node:assert/strict';
import { type Connection } from '@libp2p/interface';
import { echoStream } from '@libp2p/utils';
import { Liveness } from '../../../../node/network/host/liveness.ts';
import { PING_LOOKS } from '../../../../node/network/network-limits.ts';

/** Looks that are waited for: two rounds until everybody is asked, and one more. */
const LOOKS = 2 * PING_LOOKS.echo + 1;

function connectionTo(peer: string) {
  const asked = { times: 0 };
  const connection = {
    remotePeer: { toString: () => peer },
    status: 'open',
    newStream: () => {
      asked.times++;
      return echoStream();
    },
  };
  return { asked, connection: connection as unknown as Connection };
}

describe('Liveness', () => {
  /** How often each of two connections of a peer was asked in `LOOKS` looks. */
  async function askedOf(
    isHeard: (peer: string) => boolean,
    onLook: (liveness: Liveness, first: Connection, looks: number) => void = () => undefined,
  ): Promise<number[]> {
    const both = [connectionTo('peer'), connectionTo('peer')];
    const looks = new Map(both.map(({ connection }) => [connection, 0]));
    let done: () => void = () => undefined;
    const isDone = new Promise<void>((resolve) => (done = resolve));
    const liveness = new Liveness(
      { everyMs: 20, deadlineMs: 60_000 },
      {
        connections: () => [...looks].flatMap(([connection, count]) => (count < LOOKS ? connection : [])),
        isHeard,
        onDead: () => assert.fail('nobody is dead'),
        onAlive: (connection) => {
          const count = (looks.get(connection) ?? 0) + 1;
          looks.set(connection, count);
          if (connection === both[0]?.connection) onLook(liveness, connection, count);
          if ([...looks.values()].every((count) => count === LOOKS)) done();
        },
      },
    );
    liveness.start();
    await isDone;
    liveness.stop();
    return both.map(({ asked }) => asked.times);
  }

  it('asks a peer that is heard at the first look and every sixth after it, on each of several connections', async () => {
    assert.deepEqual(await askedOf((peer) => peer === 'peer'), [3, 3]);
  });

  it('asks a connection at the next look of whose peer there is a newer one, heard or not', async () => {
    const counts = await askedOf(
      () => true,
      (liveness, first, looks) => {
        if (looks < 4) liveness.doubt(first);
      },
    );
    // The doubted one at the first four looks and at the tenth.
    assert.deepEqual(counts, [5, 3]);
  });

  it('asks one that is silent at every look', async () => {
    assert.deepEqual(await askedOf(() => false), [LOOKS, LOOKS]);
  });
});
