/** What may go wrong with our own disk, keys and surroundings. Foreign bytes are a `ProtocolError` instead. */

export const NODE_ERROR_CODES = [
  'DIRECTORY_EXISTS',
  'DIRECTORY_MISSING',
  'DIRECTORY_OLD',
  'REGION_MOVED',
  'CONFIG_INVALID',
  'ADDRESS_UNUSABLE',
  'KEY_FILE_MISSING',
  'KEY_FILE_MODE',
  'KEY_FILE_INVALID',
  'KEY_NOT_IN_FORCE',
  'PASSPHRASE_WEAK',
  'PASSPHRASE_WRONG',
  // What the root signs elsewhere
  'DRAFT_INVALID',
  'DRAFT_INCOMPLETE',
  'LOG_NOT_ANNOUNCED',
  'DATA_INCONSISTENT',
  'KEEP_BUSY',
  'PEER_UNREACHABLE',
  'NODE_SILENT',
  'NETWORK_FAILED',
  'THREAD_FAILED',
  'NOT_FOUND',
  'REFUSED',
  'SCOPE_MISSING',
  // A disk, by what its driver reported
  'DISK_FULL',
  'DISK_IO',
  'DISK_CLOSED',
  'DISK_UNWRITABLE',
  // The store
  'STORE_WRITE_UNKNOWN',
  'STORE_BUSY',
  'STORE_FULL',
  'STORE_DOWN',
  'STORE_READ_ONLY',
  'STORE_CLOSED',
  'STORE_LOCKED',
  'STORE_FOREIGN',
  'STORE_CORRUPT',
  'SCHEMA_NEWER',
  'VALUE_CORRUPT',
  // The second place
  'SECOND_PLACE_BEHIND',
  'SECOND_PLACE_CORRUPT',
  // Logs
  'LOG_BEHIND',
  'LOG_CONTRADICTED',
  'LOG_FENCED',
  'LOG_CORRUPT',
  'LOG_UNCHECKED',
  'LOG_BUSY',
  'LOG_UNSETTLED',
  'LOG_NOT_WRITTEN',
  'LOG_FAILED',
  'LOG_STOPPED',
  'LOG_SEALED',
  'LOG_PRUNED',
  'LOG_OVER',
  'CLOCK_BEHIND',
  'CLOCK_ASTRAY',
  'SIGNER_FAULTY',
  // Registry and revoking
  'REGISTRY_KEY_WRONG',
  'REGISTRY_CORRUPT',
  'REGISTRY_AWAY',
  'REGISTRY_TAKEN',
  'REGISTRY_BEHIND',
  'REGISTRY_ELSEWHERE',
  'ORDER_DIFFERS',
  'FORGOTTEN',
  'REVOCATIONS_EXCEEDED',
  'BULK_CHANGE',
] as const;

export type NodeErrorCode = (typeof NODE_ERROR_CODES)[number];

export interface NodeErrorOptions extends ErrorOptions {
  /** What the operator can do about it, one sentence. */
  readonly hint?: string;
  /** The same call may succeed later without anybody mending anything. */
  readonly retry?: boolean;
  /** Of VALUE_CORRUPT: the key of the value. */
  readonly key?: string;
  /** What is on disk is not what was written: nothing may be signed until somebody looked at it. */
  readonly fatal?: boolean;
}

/** The message says what was expected and what came; it never holds a secret or a person's data. */
export class NodeError extends Error {
  readonly code: NodeErrorCode;
  readonly hint: string | undefined;
  readonly retry: boolean;
  readonly fatal: boolean;
  readonly key: string | undefined;

  constructor(code: NodeErrorCode, message: string, options: NodeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeError';
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? false;
    this.fatal = options.fatal ?? false;
    this.key = options.key;
  }
}

/** Total: tells whether `error` is a `NodeError`, optionally with the given code. */
export function isNodeError(error: unknown, code?: NodeErrorCode): error is NodeError {
  return error instanceof NodeError && (code === undefined || error.code === code);
}
