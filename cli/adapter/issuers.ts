/** Whose keys of a directory of issuers of cards a region announces: it lists those of many countries, and whoever is announced speaks for the region. */
import { type KeyList } from '../../node/foreign/key-list.ts';
import { type AdapterFormat } from '../../protocol/foreign/adapter.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';

export interface IssuerOptions {
  /** Addresses of issuers. */
  readonly issuer?: readonly string[];
  readonly allIssuers?: true;
  /** Only keys of this format are taken. */
  readonly format?: AdapterFormat;
}

/** Issuers that are named where there are more. */
const NAMED_MAX = 5;

/**
 * The keys of all lists; of directories those of the issuers that were chosen.
 * @throws {CliError} USAGE where a directory is given and nothing is chosen, where an issuer is named that none has, and where there is none to choose from.
 */
export function keysOfChosen(
  lists: readonly KeyList[],
  { issuer: named, allIssuers, format }: IssuerOptions,
): readonly ForeignKey[] {
  if (named !== undefined && allIssuers === true)
    throw usageError('give --issuer or --all-issuers, not both');
  const taken = lists.map(({ keys, isDirectory }) => ({
    keys: keys.filter((key) => format === undefined || key.format === format),
    isDirectory,
  }));
  const known = issuersOf(taken.filter(({ isDirectory }) => isDirectory).flatMap(({ keys }) => keys));
  if (known.length === 0 && (named ?? allIssuers) !== undefined)
    throw usageError('none of the lists is a directory of issuers of cards: there is nothing to choose from');
  if (known.length > 0 && (named ?? allIssuers) === undefined)
    throw usageError(
      `the keys are those of a directory, of ${issuersText(known)}: whoever is announced speaks for the region`,
      'Nothing was announced. Name the issuers of this region by --issuer URL (several times for several), or say --all-issuers.',
    );
  const absent = (named ?? []).filter((one) => !known.includes(one));
  if (absent.length > 0)
    throw usageError(
      `the directory has no key of ${absent.map((one) => printable(one)).join(', ')}`,
      `Nothing was announced. It has those of ${issuersText(known)}.`,
    );
  const chosen = new Set(named ?? known);
  return taken.flatMap(({ keys, isDirectory }) =>
    isDirectory === true ? keys.filter(({ issuer }) => chosen.has(issuer)) : keys,
  );
}

/** Each once, in the order of the keys. */
export function issuersOf(keys: readonly ForeignKey[]): readonly string[] {
  return [...new Set(keys.map(({ issuer }) => issuer))];
}

/** How many, and the first of them. */
export function issuersText(issuers: readonly string[]): string {
  const names = issuers.slice(0, NAMED_MAX).map((one) => printable(one));
  const more = issuers.length > NAMED_MAX ? ', ...' : '';
  return `${counted(issuers.length, 'issuer')} (${names.join(', ')}${more})`;
}
