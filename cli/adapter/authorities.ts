/** Which authorities (CSCA) a region announces: whoever they make a signer seals for the region, so that an operator picks them one by one. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command } from 'commander';
import {
  AUTHORITY_FILE_BYTES_MAX,
  type AuthorityInFile,
  certificatesIn,
  readAuthorityFile,
} from '../../node/foreign/authority-file.ts';
import { sealKeyOf } from '../../node/foreign/seal-key.ts';
import { nativeSha256 } from '../../node/crypto/native.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { isIssuerOf } from '../../protocol/foreign/announced-codes.ts';
import { sealSignerName } from '../../protocol/foreign/seal-authority.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';

export interface AuthorityOptions {
  /** Files, and directories of them. */
  readonly authorities?: readonly string[];
  /** Beginnings of fingerprints. */
  readonly authority?: readonly string[];
  readonly allAuthorities?: true;
  /** Files with certificates of signers. */
  readonly refuse?: readonly string[];
}

/** Files of one directory that are looked at, and reasons that are shown of each. */
const FILES_MAX = 1_024;
const REASONS_SHOWN = 3;
const NAMED = /\.(?:cer|crt|der|pem)$/i;
/** The shortest beginning of a fingerprint that names one. */
const FINGERPRINT = /^[0-9a-f]{8,64}$/;

const several = (value: string, before: readonly string[] = []) => [...before, value];

export function addAuthorityOptions(command: Command): Command {
  return command
    .option(
      '--authorities <path>',
      'certificates of authorities (CSCA) that vouch for signers of seals, or a directory of them; several times for several',
      several,
    )
    .option(
      '--authority <fingerprint>',
      'of the certificates of authorities, announce this one, by the beginning of its SHA-256; several times for several',
      several,
    )
    .option('--all-authorities', 'of the certificates of authorities, announce every one of the region')
    .option(
      '--refuse <file>',
      'certificate of a signer for whom no authority vouches any more: for good; several times for several',
      several,
    );
}

/**
 * The authorities that a region announces, of all files.
 * @throws {CliError} USAGE where nothing is chosen, with what there is to choose from; KEY_FOREIGN, KEY_INVALID where there is none of the region, or none at all.
 */
export async function chosenAuthorities(
  cli: Cli,
  region: string,
  options: AuthorityOptions,
): Promise<readonly AuthorityInFile[]> {
  const { authorities: sources = [], authority: named, allAuthorities } = options;
  if (sources.length === 0) {
    if ((named ?? allAuthorities ?? options.refuse) !== undefined)
      throw usageError('--authority, --all-authorities and --refuse go with --authorities');
    return [];
  }
  if (named !== undefined && allAuthorities === true)
    throw usageError('give --authority or --all-authorities, not both');
  const all = await readSources(cli, sources);
  const own = all.filter(({ authority }) => isIssuerOf(region, authority.country));
  if (all.length === 0)
    throw new CliError(
      EXIT.failure,
      'KEY_INVALID',
      'there is no certificate of an authority (CSCA) in the files',
    );
  if (own.length === 0)
    throw new CliError(EXIT.failure, 'KEY_FOREIGN', `none of the authorities is of ${region}`, {
      hint: 'A region announces the authorities of its own country. Others announce theirs, and are recognised for them.',
    });
  if (own.length < all.length)
    cli.output.note(
      `${counted(all.length - own.length, 'certificate')} of authorities of other countries left out: ${region} announces its own alone`,
    );
  if (named === undefined && allAuthorities === undefined) {
    tell(cli, own);
    throw usageError(
      `the files have ${counted(own.length, 'certificate')} of authorities of ${region}`,
      'Nothing was announced. Whoever they make a signer seals for the region: name them by --authority and the beginning of a fingerprint (several times for several), or say --all-authorities.',
    );
  }
  return named === undefined ? own : named.map((one) => pick(cli, own, one));
}

/** The names of the keys of signers that are refused. @throws {CliError} USAGE for what is no certificate of a signer of seals. */
export async function refusedSigners({ refuse = [] }: AuthorityOptions): Promise<readonly Uint8Array[]> {
  const names: Uint8Array[] = [];
  for (const path of refuse)
    for (const der of certificatesIn(await contentOf(path))) {
      try {
        const { publicKey } = sealKeyOf(der);
        if (publicKey.kind !== 'ed25519') names.push(sealSignerName(nativeSha256, publicKey));
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        throw usageError(`${printable(path)}: ${printable(error.message)}`, 'Nothing was announced.');
      }
    }
  return names;
}

/** Name, validity and fingerprint, for people. */
export function lineOf({ name, fingerprint, authority: { fromS, untilS } }: AuthorityInFile): string {
  return `${fingerprint.slice(0, 16)}  ${printable(name)}, ${timeText(fromS)} to ${timeText(untilS)}`;
}

/** How many keys and authorities, as people say it. */
export function announcedText(keys: number, authorities: number): string {
  const of = authorities === 1 ? '1 authority' : `${figure(authorities)} authorities`;
  if (authorities === 0) return counted(keys, 'key');
  return keys === 0 ? of : `${counted(keys, 'key')} and ${of}`;
}

/** Why a list without signers announces nothing. */
export function onlyAuthorities(count: number): CliError {
  return new CliError(
    EXIT.failure,
    'KEY_INVALID',
    `the lists have ${counted(count, 'certificate')} of authorities (CSCA) and no signer's: authorities sign no codes`,
    {
      hint: "Name them by --authorities, so that they vouch for signers of seals. By --keys name the certificates of the signers: of a seal it stands under sig.cer, and lists of a country's signers have them.",
    },
  );
}

function tell(cli: Cli, all: readonly AuthorityInFile[]): void {
  for (const one of all) cli.output.note(lineOf(one));
}

function pick(cli: Cli, own: readonly AuthorityInFile[], beginning: string): AuthorityInFile {
  const wanted = beginning.replaceAll(':', '').toLowerCase();
  if (!FINGERPRINT.test(wanted))
    throw usageError(
      `${printable(beginning)} is no beginning of a fingerprint: expected 8 to 64 hexadecimal digits`,
    );
  const [first, ...more] = own.filter(({ fingerprint }) => fingerprint.startsWith(wanted));
  if (first !== undefined && more.length === 0) return first;
  tell(cli, own);
  throw usageError(
    first === undefined
      ? `no authority has a fingerprint that begins with ${wanted}`
      : `several fingerprints begin with ${wanted}`,
    'Nothing was announced. Those of the region stand above.',
  );
}

/** Of all files, each certificate once. */
async function readSources(cli: Cli, sources: readonly string[]): Promise<readonly AuthorityInFile[]> {
  const found = new Map<string, AuthorityInFile>();
  for (const source of sources)
    for (const path of await filesOf(source)) {
      const { authorities, leftOut } = readAuthorityFile(await contentOf(path));
      for (const one of authorities) found.set(one.fingerprint, one);
      for (const reason of leftOut.slice(0, REASONS_SHOWN))
        cli.output.note(`${printable(path)}: ${printable(reason)}`);
      const more = leftOut.length - REASONS_SHOWN;
      if (more > 0) cli.output.note(`${printable(path)}: ${counted(more, 'certificate')} more left out`);
    }
  return [...found.values()];
}

/** The file, or those of a directory that are called as certificates are, in the order of their names. */
async function filesOf(source: string): Promise<readonly string[]> {
  const isDirectory = await stat(source).then(
    (known) => known.isDirectory(),
    () => false,
  );
  if (!isDirectory) return [source];
  const names = (await readdir(source)).filter((name) => NAMED.test(name)).sort();
  if (names.length > FILES_MAX)
    throw usageError(`expected at most ${FILES_MAX} files in ${printable(source)}`);
  if (names.length === 0)
    throw usageError(`there is no file in ${printable(source)} that ends in .cer, .crt, .der or .pem`);
  return names.map((name) => join(source, name));
}

async function contentOf(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path, AUTHORITY_FILE_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(path)}`);
  return bytes;
}
