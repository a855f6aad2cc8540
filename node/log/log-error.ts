/** The errors of logs: what each code says about trying again, and what to do about it. */
import { NodeError, type NodeErrorCode } from '../node-error.ts';

const TRAITS = {
  LOG_BEHIND: {
    fatal: true,
    hint: 'Do not sign: let the log catch up from peers, or restore the newer store. A restored backup looks like this.',
  },
  LOG_CONTRADICTED: {
    fatal: true,
    hint: 'Do not sign: compare the log with what peers hold of it. Two stores that took turns look like this.',
  },
  LOG_FENCED: {
    fatal: true,
    hint: 'This machine follows as the standby. `entente promote DIR` lets it write, and stops the one that does.',
  },
  LOG_CORRUPT: {
    fatal: true,
    hint: 'Run `entente fsck`. Where entries are gone, restore a backup of the store and start it with its peers at hand.',
  },
  LOG_UNCHECKED: { retry: true, hint: 'Mend the disk of the second place.' },
  LOG_BUSY: { retry: true, hint: 'Offer less at a time, or try again later.' },
  LOG_UNSETTLED: { retry: true, hint: 'The entry may yet be logged: look it up before offering it again.' },
  LOG_NOT_WRITTEN: { retry: true, hint: 'Offer it again.' },
  LOG_FAILED: { fatal: true, hint: 'This is a defect of the program: report it with its cause.' },
  LOG_STOPPED: { hint: 'Start the node.' },
  LOG_SEALED: { hint: 'Use the log of the current month.' },
  LOG_PRUNED: { hint: 'Ask an archive of the log.' },
  LOG_OVER: { hint: 'Nothing is left to do, unless the clock of this machine is wrong.' },
  CLOCK_BEHIND: { retry: true, hint: 'Set the clock of this machine, or wait until it has caught up.' },
  CLOCK_ASTRAY: {
    retry: true,
    hint: 'Set the clock of this machine and keep it by NTP: within a minute the node signs again by itself.',
  },
  SIGNER_FAULTY: {
    fatal: true,
    hint: 'Nothing that was signed so has left this machine: check its memory and its key files.',
  },
} as const satisfies Partial<
  Record<NodeErrorCode, { readonly retry?: boolean; readonly fatal?: boolean; readonly hint: string }>
>;

export type LogErrorCode = keyof typeof TRAITS;

/** The error of a code, with the traits that the code always has. */
export function logError(code: LogErrorCode, message: string, options: ErrorOptions = {}): NodeError {
  return new NodeError(code, message, { ...TRAITS[code], ...options });
}
