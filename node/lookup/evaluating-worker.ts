/** A thread that evaluates numbers, one job after the other. */
import { parentPort } from 'node:worker_threads';
import { secretOfInput } from '../../protocol/lookup/oblivious.ts';
import { openNativeCrypto } from '../crypto/native.ts';
import { answerJobs } from '../threads/answering-jobs.ts';
import { type EvaluatingJob } from './evaluating-thread.ts';

const { sha256 } = await openNativeCrypto();

answerJobs(parentPort, ({ secretKey, inputs }: EvaluatingJob) => {
  const answer = inputs.map((input) => secretOfInput(sha256, secretKey, input));
  // The copy that came over goes with the job.
  secretKey.fill(0);
  return { answer };
});
