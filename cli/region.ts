/** Region directories as commands name them. */
import { resolve } from 'node:path';
import { isRegion } from '../protocol/log/origin.ts';
import { hexBytes } from '../protocol/bytes.ts';
import { admitPublicKey } from '../protocol/signature/noble.ts';
import { type RegionModules } from '../node/region/modules.ts';
import { readConfig } from '../node/region/config.ts';
import { type PublicRegion, readPublicRegion } from '../node/region/public-region.ts';
import { RegionDirectory } from '../node/region/region-directory.ts';
import { RegionLayout, trustLogPath } from '../node/region/layout.ts';
import { LogFiles } from '../node/region/log-files.ts';
import { systemClock } from '../node/system-clock.ts';
import { type Cli } from './cli.ts';
import { usageError } from './exit.ts';
import { counted } from './output.ts';
import { printable } from './printable.ts';

export async function regionModules(cli: Cli): Promise<RegionModules> {
  const { nowS, random } = cli.surroundings;
  const clock = { ...systemClock, nowMs: () => 1_000 * nowS() };
  return { ...(await cli.crypto()), admitPublicKey, nowS, clock, random };
}

/** Opens the region at `path` for writing and closes it whatever happens. */
export async function withRegion<T>(
  cli: Cli,
  path: string,
  use: (directory: RegionDirectory, modules: RegionModules) => Promise<T>,
): Promise<T> {
  const modules = await regionModules(cli);
  const directory = await RegionDirectory.open(path, modules);
  try {
    for (const { log, index, count } of directory.recovered) {
      const leaves = `leaves ${index} to ${index + count - 1}`;
      cli.output.note(
        `A run that broke off was finished: ${counted(count, 'code')} in log ${log}, ${leaves}. To have them: entente codes ${printable(path)} --log ${log}`,
      );
    }
    return await use(directory, modules);
  } finally {
    await directory.close();
  }
}

/** Reads what the region directory at `path` publishes, without writing to it. */
export async function readRegion(cli: Cli, path: string): Promise<PublicRegion> {
  const layout = new RegionLayout(resolve(path));
  const { region, network } = await readConfig(layout.config);
  return readPublicRegion(layout.public, { region, network }, await regionModules(cli));
}

/** The public directory that `path` names: itself, or the one of a region directory. */
export async function publicPathOf(path: string): Promise<string> {
  const { public: below } = new RegionLayout(resolve(path));
  const isBelow = (await new LogFiles(trustLogPath(below)).checkpoint()) !== undefined;
  return isBelow ? below : resolve(path);
}

/** @throws {CliError} unless `text` is a region's id in ASCII. */
export function parseRegionId(text: string): string {
  if (isRegion(text)) return text;
  throw usageError(
    `expected the id of a region, not ${printable(text)}`,
    'An id is an ISO 3166 code in ASCII, such as DE or CN-33.',
  );
}

/** A fingerprint as `init` and `recognise` print it; spaces and colons between groups do not matter. */
export function parseFingerprint(text: string): Uint8Array {
  const digits = text.replaceAll(/[\s:]/g, '');
  if (/^[0-9a-fA-F]{64}$/.test(digits)) return hexBytes(digits);
  throw usageError(
    'expected a fingerprint of 64 hexadecimal digits',
    'The region prints it at `entente init`.',
  );
}

/** A fingerprint for people to compare: sixteen groups of four digits. */
export function fingerprintText(fingerprint: Uint8Array): string {
  return (Buffer.from(fingerprint).toString('hex').match(/.{4}/g) ?? []).join(' ');
}
