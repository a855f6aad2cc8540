/** Files of keys of others, as command lines name them. */
import { KEY_LIST_BYTES_MAX, type KeyList, readKeyList } from '../node/foreign/key-list.ts';
import { readFileIfPresent } from '../node/region/files.ts';
import { type Cli } from './cli.ts';
import { usageError } from './exit.ts';
import { counted } from './output.ts';
import { printable } from './printable.ts';

const REASONS_SHOWN = 3;

/** A file of keys, or `https://issuer=FILE` for a key set that does not say whose it is. */
export async function readKeySource(cli: Cli, source: string): Promise<KeyList> {
  const [, issuer, path = source] = /^(https:\/\/[^=]+)=(.+)$/.exec(source) ?? [];
  const bytes = await readFileIfPresent(path, KEY_LIST_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(path)}`);
  const list = readKeyList(bytes, { issuer });
  for (const reason of list.leftOut.slice(0, REASONS_SHOWN))
    cli.output.note(`${printable(path)}: ${printable(reason)}`);
  const more = list.leftOut.length - REASONS_SHOWN;
  if (more > 0) cli.output.note(`${printable(path)}: ${counted(more, 'key')} more left out`);
  return list;
}
