/** What the operating system and LevelDB say, as errors of a `Disk`. */
import { isNodeError, type NodeError } from '../node-error.ts';
import { storeError, type StoreErrorCode } from './store-error.ts';

const BY_ERRNO: Readonly<Record<string, StoreErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EROFS: 'DISK_UNWRITABLE',
  EACCES: 'DISK_UNWRITABLE',
  EPERM: 'DISK_UNWRITABLE',
};

/** LevelDB gives no number, only the C library's words: these are those of Linux, macOS and Windows. */
const BY_WORDS: readonly (readonly [RegExp, StoreErrorCode])[] = [
  [/no space left|quota exceeded|not enough space/i, 'DISK_FULL'],
  [/read-only file system|permission denied|operation not permitted|access is denied/i, 'DISK_UNWRITABLE'],
];

const BY_LEVEL_CODE: Readonly<Record<string, StoreErrorCode>> = {
  LEVEL_LOCKED: 'STORE_LOCKED',
  LEVEL_CORRUPTION: 'STORE_CORRUPT',
};

/** The error of a failed call on `what`, such as a path. Errors that are `NodeError`s already pass through. */
export function diskError(error: unknown, what: string): NodeError {
  if (isNodeError(error)) return error;
  const chain = causesOf(error);
  const code = chain.map(meaningOf).find((found) => found !== undefined) ?? 'DISK_IO';
  return storeError(code, `${what}: ${chain.at(-1)?.message ?? 'failed'}`, { cause: error });
}

/** The codes that an error and its causes carry, outermost first: level wraps why a database did not open. */
export function codesOf(error: unknown): string[] {
  return causesOf(error).map(codeOf);
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let next = error; next instanceof Error && chain.length < 5; next = next.cause) chain.push(next);
  return chain;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

function meaningOf(error: Error): StoreErrorCode | undefined {
  const code = codeOf(error);
  const words = BY_WORDS.find(([pattern]) => pattern.test(error.message));
  return BY_ERRNO[code] ?? BY_LEVEL_CODE[code] ?? words?.[1];
}
