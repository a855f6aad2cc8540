import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { LOG_STREAM_CHILD, type Report } from '../../support/log-stream-child.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/**
 * About three times as much as either end may grow: who holds all of it is found out. With TEST_LONG=1 as many entries as a large log has, as
 * long as attestations are. Both processes run as a node does, with no flags of the engine.
 */
const [ENTRIES, ENTRY_BYTES] = process.env['TEST_LONG'] === '1' ? [1_000_000, 145] : [20_000, 8_000];
const PAUSE_MS = 2;
const GROWTH_MB_MAX = 50;

type ReportOf<K extends Report['kind']> = Extract<Report, { kind: K }>;

describe('A log streamed between two processes', function () {
  this.timeout(300_000);
  const folder = temporaryFolders();
  const children: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  });

  function start(...args: readonly string[]): ChildProcess {
    const child = fork(LOG_STREAM_CHILD, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    children.push(child);
    return child;
  }

  async function next<K extends Report['kind']>(child: ChildProcess, kind: K): Promise<ReportOf<K>> {
    const ended = once(child, 'exit').then(() => assert.fail(`the process ended before ${kind}`));
    for (;;) {
      const [message] = (await Promise.race([once(child, 'message'), ended])) as [Report];
      if (message.kind === kind) return message as ReportOf<K>;
    }
  }

  it(`T13, F10: ${ENTRIES} entries of ${ENTRY_BYTES} bytes reach a slow reader whole, and neither end takes ${GROWTH_MB_MAX} MB for it`, async () => {
    const server = start('serve', folder(), String(ENTRIES), String(ENTRY_BYTES));
    const { address, root } = await next(server, 'serving');
    const reader = start('read', address, String(ENTRIES), String(ENTRY_BYTES), String(PAUSE_MS));
    await next(reader, 'reading');
    server.send('watch');
    const read = await next(reader, 'read');
    const memory = next(server, 'memory');
    server.send('report');
    const { grownMb } = await memory;
    console.log(
      `        ${read.seconds.toFixed(1)} s; grown by ${read.grownMb.toFixed(0)} MB (reader), ${grownMb.toFixed(0)} MB (sender)`,
    );
    assert.equal(read.entries, ENTRIES);
    assert.equal(read.root, root);
    assert.ok(read.grownMb < GROWTH_MB_MAX, `the reader grew by ${read.grownMb} MB`);
    assert.ok(grownMb < GROWTH_MB_MAX, `the sender grew by ${grownMb} MB`);
  });
});
