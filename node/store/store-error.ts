/** The errors of disks and of the store: what each code says about trying again, and what to do about it. */
import { NodeError, type NodeErrorCode, type NodeErrorOptions } from '../node-error.ts';

interface Traits {
  readonly retry: boolean;
  readonly fatal: boolean;
  readonly hint: string;
}

const again = (hint: string): Traits => ({ retry: true, fatal: false, hint });
const refused = (hint: string): Traits => ({ retry: false, fatal: false, hint });
const fatal = (hint: string): Traits => ({ retry: false, fatal: true, hint });

const TRAITS = {
  DISK_FULL: again('Free space on this disk.'),
  DISK_IO: again('Look at the disk and its cables; the kernel log may say more.'),
  DISK_CLOSED: again('Wait until the store serves again.'),
  DISK_UNWRITABLE: fatal('Mount the disk for writing, and let the node own its data directory.'),
  STORE_WRITE_UNKNOWN: again('Read what is there, or write the same again.'),
  STORE_BUSY: again('Offer less at a time, or try again later.'),
  STORE_FULL: again('Free space on the disk; the store then goes on by itself.'),
  STORE_DOWN: again('The cause says what to mend.'),
  STORE_READ_ONLY: refused('Mend the cause, then restart the node.'),
  STORE_CLOSED: refused('Start the node.'),
  STORE_LOCKED: fatal('Stop the other process that has the store open.'),
  STORE_FOREIGN: fatal('Check the path of the data directory.'),
  STORE_CORRUPT: fatal('Run `entente fsck`: it salvages what is whole, then peers make good the rest.'),
  SCHEMA_NEWER: fatal('Run the program that wrote the store, or a later one.'),
  VALUE_CORRUPT: refused('Heal the value from a peer, or run `entente fsck`.'),
  SECOND_PLACE_BEHIND: fatal('Do not sign: let the node catch up from its peers first.'),
  SECOND_PLACE_CORRUPT: fatal('Compare with peers, then restore the file or remove it.'),
} as const satisfies Partial<Record<NodeErrorCode, Traits>>;

export type StoreErrorCode = keyof typeof TRAITS;

/** The error of a code, with the traits that the code always has. */
export function storeError(
  code: StoreErrorCode,
  message: string,
  options: Pick<NodeErrorOptions, 'cause' | 'key'> = {},
): NodeError {
  return new NodeError(code, message, { ...TRAITS[code], ...options });
}
