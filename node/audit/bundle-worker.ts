/** A thread that checks bundles: gets a context for each log, then jobs, some at a time, and answers in turn. */
import { parentPort } from 'node:worker_threads';
import { openNativeCrypto } from '../crypto/native.ts';
import { type BundleContext, type BundleJob, type BundleReport, checkBundle } from './bundle-check.ts';

export interface WorkerRequest {
  readonly number: number;
  readonly log: number;
  readonly jobs: readonly BundleJob[];
  /** Present with the first job of a log. */
  readonly context?: BundleContext;
}

export interface WorkerReply {
  readonly number: number;
  readonly reports: BundleReport[];
}

const primitives = await openNativeCrypto();
const contexts = new Map<number, BundleContext>();

parentPort?.on('message', ({ number, log, jobs, context }: WorkerRequest) => {
  // One log is checked after the other, so that only the newest context is ever needed.
  if (context !== undefined) {
    contexts.clear();
    contexts.set(log, context);
  }
  const known = contexts.get(log);
  if (known === undefined) throw new TypeError('a job came before the context of its log');
  const reports = jobs.map((job) => checkBundle(job, known, primitives));
  parentPort?.postMessage({ number, reports } satisfies WorkerReply);
});
