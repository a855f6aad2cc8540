/** Whose signatures a region announces: keys out of lists, or of a format of its own, and authorities that vouch for signers of seals. */
import { type AuthorityInFile } from '../../node/foreign/authority-file.ts';
import { type KeyList } from '../../node/foreign/key-list.ts';
import { type AdapterFormat } from '../../protocol/foreign/adapter.ts';
import { type ForeignKey } from '../../protocol/foreign/foreign-keys.ts';
import { FOREIGN_KEYS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { readKeySource } from '../key-source.ts';
import { counted } from '../output.ts';
import { formatOf, ownKeys } from './announcement.ts';
import { type AuthorityOptions, chosenAuthorities, onlyAuthorities } from './authorities.ts';
import { type IssuerOptions, keysOfChosen } from './issuers.ts';
import { readLocalFiles } from './local-profile.ts';

export interface SignerOptions extends IssuerOptions, AuthorityOptions {
  /** Files of keys. */
  readonly keys?: readonly string[];
  /** File of the profile of a format of the region's own. */
  readonly profile?: string;
}

/** What the lists of keys have, before it is known which region announces it. */
export interface ListedKeys {
  readonly keys: readonly ForeignKey[];
  /** Certificates of authorities among them, which sign no codes. */
  readonly authorities: number;
}

export interface Signers {
  readonly format: AdapterFormat;
  readonly keys: readonly ForeignKey[];
  readonly authorities: readonly AuthorityInFile[];
  readonly profile: LocalProfile | undefined;
}

/** @throws {CliError} USAGE for options of which one shuts the other out, or none of which says who signs. */
export function requireSigners(options: SignerOptions): void {
  const { keys = [], authorities, profile, format, issuer, allIssuers } = options;
  if (profile !== undefined && format !== undefined)
    throw usageError('--profile has the keys of its own format alone: leave --format out');
  if (profile !== undefined && (issuer ?? allIssuers) !== undefined)
    throw usageError('--issuer and --all-issuers choose from a directory of issuers of cards');
  if (keys.length === 0 && authorities === undefined)
    throw usageError('say by --keys or --authorities who signs the codes');
  if (profile !== undefined && authorities !== undefined)
    throw usageError('--authorities vouch for signers of seals, and --profile is for another format');
}

/** Nothing beside a profile, whose keys are read as it says. @throws {CliError} as `readKeySource`, `keysOfChosen`. */
export async function readListedKeys(cli: Cli, options: SignerOptions): Promise<ListedKeys> {
  const lists: KeyList[] = [];
  const { keys: sources = [], profile } = options;
  for (const source of profile === undefined ? sources : []) lists.push(await readKeySource(cli, source));
  const authorities = lists.reduce((count, list) => count + list.authorities.length, 0);
  return { keys: keysOfChosen(lists, options), authorities };
}

/**
 * Those of all that was named whom the region may announce. Says what is left out.
 * @throws {CliError} KEY_FOREIGN, KEY_INVALID where there is none; USAGE for too many keys, and for several formats; as `readLocalFiles`, `chosenAuthorities`.
 */
export async function signersOf(
  cli: Cli,
  region: string,
  listed: ListedKeys,
  options: SignerOptions,
): Promise<Signers> {
  const { profile, keys: sources = [] } = options;
  const local =
    profile === undefined ? undefined : await readLocalFiles(cli, region, { profile, keys: sources });
  const keys = announceable(cli, region, local?.keys ?? listed.keys);
  const authorities = await chosenAuthorities(cli, region, options);
  if (listed.authorities > 0) {
    if (keys.length + authorities.length === 0) throw onlyAuthorities(listed.authorities);
    cli.output.note(
      `${counted(listed.authorities, 'certificate')} of authorities left out of --keys, which sign codes themselves: name them by --authorities`,
    );
  }
  const format = keys.length === 0 && authorities.length > 0 ? 'vdsnc' : formatOf(keys);
  if (authorities.length > 0 && format !== 'vdsnc')
    throw usageError(`authorities vouch for signers of seals, and the keys are of ${format}`);
  return { format, keys, authorities, profile: local?.profile };
}

/** The region's own keys. */
function announceable(cli: Cli, region: string, wanted: readonly ForeignKey[]): readonly ForeignKey[] {
  if (wanted.length > FOREIGN_KEYS_MAX)
    throw usageError(`expected at most ${counted(FOREIGN_KEYS_MAX, 'key')} together`);
  const { own, others, unnamed } = ownKeys(region, wanted);
  if (others > 0)
    cli.output.note(
      `${counted(others, 'key')} of other countries left out: ${region} announces its own alone`,
    );
  if (unnamed > 0)
    cli.output.note(
      `${counted(unnamed, 'key')} of no country that anything says: whoever has them speaks for ${region} from now on`,
    );
  if (own.length > 0 || others === 0) return own;
  throw new CliError(EXIT.failure, 'KEY_FOREIGN', `none of the keys is of ${region}`, {
    hint: 'A region announces the signers of its own country. Others announce theirs, and are recognised for them.',
  });
}
