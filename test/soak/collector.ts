/**
 * Loaded into each thread of a node that is soaked: collects garbage often, so that its memory is what it holds and nothing that
 * merely lies about, and notes what that is in a file of SOAK_FIGURES. With SOAK_PLANT it holds on to so many MB more each
 * minute, to see that the judge sees that.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const { SOAK_FIGURES = '', SOAK_PLANT = '0', SOAK_COLLECT_MS = '5000' } = process.env;
const PLANT_MS = 1_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const file = join(SOAK_FIGURES, `${process.pid}-${threadId}.jsonl`);
setInterval(() => {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  appendFileSync(file, `${JSON.stringify({ atMs: Date.now(), value: heapUsed + external })}\n`);
}, Number(SOAK_COLLECT_MS)).unref();

const bytesPerMinute = Number(SOAK_PLANT) * 2 ** 20;
if (isMainThread && bytesPerMinute > 0) {
  const planted: Buffer[] = [];
  setInterval(() => planted.push(Buffer.alloc((bytesPerMinute * PLANT_MS) / 60_000, 1)), PLANT_MS).unref();
}
