import assert from 'node:assert/strict';
import { type Logger } from '@libp2p/interface';
import { StreamState, YamuxStream } from '@libp2p/yamux/stream';
import '../../../node/network/window-updates.ts';

const WINDOW = 262_144;

type DataFrame = Parameters<YamuxStream['handleData']>[0];

const nothing = () => undefined;
const silent: Logger = Object.assign(nothing, {
  enabled: false,
  trace: nothing,
  error: nothing,
  newScope: () => silent,
});

describe('Window updates of yamux', () => {
  function streamIn(state: StreamState) {
    const told: number[] = [];
    const stream = new YamuxStream({
      id: '1',
      streamId: 1,
      direction: 'outbound',
      state,
      log: silent,
      getRTT: () => -1,
      sendFrame: ({ length }) => {
        told.push(length);
        return true;
      },
    });
    const take = (bytes: number) => {
      const header = { type: 0, flag: 0, streamID: 1, length: bytes };
      stream.handleData({ header, data: new Uint8Array(bytes) } as unknown as DataFrame);
    };
    return { stream, told, take };
  }

  it('tell the sender once half of the window is used, and of all of that', () => {
    const { told, take } = streamIn(StreamState.Established);
    take(WINDOW / 2 - 1);
    assert.deepEqual(told, []);
    take(1);
    assert.deepEqual(told, [WINDOW / 2]);
    for (let i = 0; i < 8; i++) take(WINDOW / 8);
    assert.deepEqual(told, [WINDOW / 2, WINDOW / 2, WINDOW / 2]);
  });

  it('open a stream and accept one at once', () => {
    for (const state of [StreamState.Init, StreamState.SYNReceived]) {
      const { stream, told } = streamIn(state);
      stream.sendWindowUpdate();
      assert.deepEqual(told, [0]);
    }
  });

  it('wait while the reader rests, and tell of all when it goes on', () => {
    const { stream, told, take } = streamIn(StreamState.Established);
    stream.sendPause();
    take(WINDOW);
    assert.deepEqual(told, []);
    assert.throws(() => take(1), /window exceeded/i);
    stream.sendResume();
    assert.deepEqual(told, [WINDOW]);
  });
});
