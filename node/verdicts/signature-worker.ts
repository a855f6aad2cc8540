/** A thread that checks signatures, one packed run after the other, and answers each with a byte for every check. */
import { parentPort } from 'node:worker_threads';
import { openNativeCrypto } from '../crypto/native.ts';
import { answerJobs } from '../threads/answering-jobs.ts';
import { unpackChecks } from './packed-checks.ts';

const { verifySignature } = await openNativeCrypto();

answerJobs(parentPort, (packed: Uint8Array) => {
  const answers = unpackChecks(packed).map((check) => Number(verifySignature(check)));
  return { answer: Uint8Array.from(answers) };
});
