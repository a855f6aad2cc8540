/** The inner side of a second thread: one answer to each job, in the order in which they came. */
import { type MessagePort, type TransferListItem } from 'node:worker_threads';

export interface AnsweredJob {
  readonly answer: unknown;
  /** What of it is given away rather than copied. */
  readonly transfer?: readonly TransferListItem[];
}

/**
 * Answers all that comes by this port; null, outside of a thread, has nobody to answer. What cannot be answered, or came over broken, ends the
 * thread: whoever asks tells answers by their order alone, and would take each later one for that to another job.
 */
export function answerJobs<Job>(
  port: Pick<MessagePort, 'on' | 'postMessage'> | null,
  answerTo: (job: Job) => AnsweredJob,
): void {
  port?.on('message', (job: Job) => {
    const { answer, transfer = [] } = answerTo(job);
    port.postMessage(answer, transfer);
  });
  port?.on('messageerror', (error) => {
    throw error;
  });
}
