/** What may go wrong with our own disk, keys and surroundings. Foreign bytes are a `ProtocolError` instead. */

export const NODE_ERROR_CODES = [
  'DIRECTORY_EXISTS',
  'DIRECTORY_MISSING',
  'DIRECTORY_LOCKED',
  'CONFIG_INVALID',
  'KEY_FILE_MISSING',
  'KEY_FILE_MODE',
  'KEY_FILE_INVALID',
  'KEY_NOT_IN_FORCE',
  'LOG_NOT_ANNOUNCED',
  'DATA_INCONSISTENT',
  'PEER_UNREACHABLE',
  'NOT_FOUND',
  'REFUSED',
] as const;

export type NodeErrorCode = (typeof NODE_ERROR_CODES)[number];

export interface NodeErrorOptions extends ErrorOptions {
  /** What the operator can do about it, one sentence. */
  readonly hint?: string;
  /** The same call may succeed later without anybody mending anything. */
  readonly retry?: boolean;
  /** What is on disk is not what was written: nothing may be signed until somebody looked at it. */
  readonly fatal?: boolean;
}

/** The message says what was expected and what came; it never holds a secret or a person's data. */
export class NodeError extends Error {
  readonly code: NodeErrorCode;
  readonly hint: string | undefined;
  readonly retry: boolean;
  readonly fatal: boolean;

  constructor(code: NodeErrorCode, message: string, options: NodeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? false;
    this.fatal = options.fatal ?? false;
  }
}
