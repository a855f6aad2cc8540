/** Exit codes of every command. They are stable API, listed in README.md. */
import { type FaultCode, isProtocolError } from '../protocol/fault.ts';
import { NodeError, type NodeErrorCode } from '../node/node-error.ts';

export const EXIT = {
  /** The verdict is pass, or the command did what it was asked to. */
  ok: 0,
  failure: 1,
  usage: 2,
  /** The verdict is act or stop. */
  stop: 3,
  /** The verdict is undetermined, or somebody who was needed did not answer. */
  undetermined: 4,
  /** Data contradicts its signatures, its proofs or what was seen before. */
  inconsistent: 5,
  /** A key file or the configuration cannot be used, and nothing was begun: to try again is of no use. As `EX_CONFIG` of sysexits. */
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface CliErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly details?: readonly object[];
}

/** Ends a command. `code` is for programs, the message and the hint for people. */
export class CliError extends Error {
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: readonly object[];

  constructor(exit: ExitCode, code: string, message: string, { hint, details }: CliErrorOptions = {}) {
    super(message);
    this.name = 'CliError';
    this.exit = exit;
    this.code = code;
    this.hint = hint;
    this.details = details ?? [];
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, 'USAGE', message, hint === undefined ? {} : { hint });
}

/** Says of any thrown value how the process ends. An error that nobody foresaw keeps its own message. */
export function cliErrorOf(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof NodeError) {
    const options = error.hint === undefined ? {} : { hint: error.hint };
    return new CliError(EXIT_OF_NODE_ERROR[error.code] ?? EXIT.failure, error.code, error.message, options);
  }
  if (isProtocolError(error)) {
    const text = error.message.slice(error.fault.code.length + 2);
    return new CliError(exitOfFault(error.fault.code), error.fault.code, text, {
      details: [error.fault.details],
    });
  }
  const { code, syscall } = systemErrorOf(error);
  if (code === 'EISDIR')
    return usageError('a folder stands where a file was expected', 'Name the file itself.');
  // A folder that is to be made, or is in the way of a path, where a file lies.
  if (code === 'ENOTDIR' || (code === 'EEXIST' && syscall === 'mkdir'))
    return usageError('a file stands where a folder was expected', 'Name the folder itself.');
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.failure, code ?? 'ERROR', message, isOfRights(code) ? { hint: RIGHTS_HINT } : {});
}

const RIGHTS_HINT = 'Run it as the user to whom that belongs, or give this user the rights to it.';

function isOfRights(code: string | undefined): boolean {
  return code === 'EACCES' || code === 'EPERM';
}

function systemErrorOf(error: unknown): { readonly code?: string; readonly syscall?: unknown } {
  const isCoded = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isCoded ? (error as Error & { readonly code: string; readonly syscall?: unknown }) : {};
}

/** How a command ends that met a fault in bytes of others. */
export function exitOfFault(code: FaultCode): ExitCode {
  return EXIT_OF_FAULT[code] ?? EXIT.inconsistent;
}

/** How a command ends by an error or fault of this code. */
export function exitOfCode(code: string): ExitCode {
  const known = { ...EXIT_OF_NODE_ERROR, ...EXIT_OF_FAULT } as Readonly<Partial<Record<string, ExitCode>>>;
  return known[code] ?? EXIT.failure;
}

/** Faults that contradict nothing: something is missing, and may come. */
const EXIT_OF_FAULT: Partial<Record<FaultCode, ExitCode>> = {
  SNAPSHOT_INCOMPLETE: EXIT.undetermined,
};

const EXIT_OF_NODE_ERROR: Partial<Record<NodeErrorCode, ExitCode>> = {
  DIRECTORY_MISSING: EXIT.usage,
  CONFIG_INVALID: EXIT.config,
  KEY_FILE_MISSING: EXIT.config,
  KEY_FILE_MODE: EXIT.config,
  KEY_FILE_INVALID: EXIT.config,
  PASSPHRASE_WRONG: EXIT.config,
  PASSPHRASE_WEAK: EXIT.usage,
  DRAFT_INVALID: EXIT.inconsistent,
  DRAFT_INCOMPLETE: EXIT.undetermined,
  DATA_INCONSISTENT: EXIT.inconsistent,
  STORE_CORRUPT: EXIT.inconsistent,
  STORE_FOREIGN: EXIT.inconsistent,
  VALUE_CORRUPT: EXIT.inconsistent,
  SECOND_PLACE_BEHIND: EXIT.inconsistent,
  SECOND_PLACE_CORRUPT: EXIT.inconsistent,
  LOG_BEHIND: EXIT.inconsistent,
  LOG_CONTRADICTED: EXIT.inconsistent,
  LOG_CORRUPT: EXIT.inconsistent,
  REGISTRY_CORRUPT: EXIT.inconsistent,
  REGISTRY_BEHIND: EXIT.inconsistent,
  PEER_UNREACHABLE: EXIT.undetermined,
  NODE_SILENT: EXIT.undetermined,
  REGISTRY_AWAY: EXIT.undetermined,
};
