import assert from 'node:assert/strict';
import { stopInTime } from '../../../cli/commands/stop-in-time.ts';
import { EXIT } from '../../../cli/exit.ts';
import { processSurroundings } from '../../../cli/surroundings.ts';
import { ProcessFederation } from '../../support/process-federation.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** A network thread that cannot be stopped. */
const STUCK = `data:text/javascript,${encodeURIComponent(`
import { Worker } from 'node:worker_threads';
const { postMessage } = Worker.prototype;
Worker.prototype.terminate = () => new Promise(() => {});
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.value?.kind !== 'stop') return postMessage.call(this, message, ...rest);
};
`)}`;

describe('stopInTime', () => {
  /** What it was given, and what it did with it. */
  function surroundings() {
    const listeners: (() => void)[] = [];
    const told: string[] = [];
    let end: (exit: number) => void = () => undefined;
    const ended = new Promise<number>((resolve) => (end = resolve));
    const given = {
      ...processSurroundings(),
      onSignal: (_name: string, listener: () => void) => void listeners.push(listener),
      writeErr: (text: string) => void told.push(text),
      endNow: (exit: number) => end(exit),
    };
    return { given, told, ended, signal: () => listeners[0]?.() };
  }

  it('aborts with the first signal, and ends with the second', async () => {
    const { given, told, ended, signal } = surroundings();
    const stopping = stopInTime({ patienceMs: 60_000 }, given);
    assert.equal(stopping.aborted, false);
    signal();
    assert.equal(stopping.aborted, true);
    assert.deepEqual(told, []);
    signal();
    assert.equal(await ended, EXIT.failure);
    assert.match(told.join(''), /^Told to stop twice: .*\n$/);
  });

  it('ends what has not stopped in time, and says so', async () => {
    const { given, told, ended, signal } = surroundings();
    stopInTime({ patienceMs: 10 }, given);
    signal();
    // Its own timer keeps no process.
    const kept = setInterval(() => undefined, 1_000);
    assert.equal(await ended, EXIT.failure);
    clearInterval(kept);
    assert.match(told.join(''), /^Not stopped 0\.01 s after .*\n$/);
  });
});

describe('entente run', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();

  it('F4: a node that cannot stop ends by itself some seconds after SIGTERM, says so, and starts again', async () => {
    const federation = await ProcessFederation.found(folder(), ['DE']);
    const stuck = await federation.start('DE', { NODE_OPTIONS: `--import "${STUCK}"` });
    assert.equal(await stuck.end('SIGTERM'), EXIT.failure);
    assert.match(stuck.log, /Not stopped 9 s after it was told to/);
    const again = await federation.start('DE');
    assert.equal(await again.end('SIGTERM'), EXIT.ok);
  });
});
