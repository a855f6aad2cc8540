/** What a region has published, for commands that pass it on to verifiers of others: these refuse what is old, as the routes of a node do. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { isNewEnough } from '../node/foreign/passing-on.ts';
import { requirePublishesHere } from '../node/region/moved.ts';
import { type PublicRegion, readPublicRegion } from '../node/region/public-region.ts';
import { saidAtS } from '../node/region/witnessed-checkpoint.ts';
import { type Cli } from './cli.ts';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';
import { publicPathOf, regionModules } from './region.ts';
import { spanText, timeText } from './times.ts';

export interface StaleOption {
  readonly stale?: true;
}

export interface RecentRegion extends PublicRegion {
  readonly path: string;
  /** The newest time that what is published proves, in seconds. */
  readonly atS: number;
  /** It is too old, and wanted all the same. */
  readonly isStale: boolean;
}

export function staleOption(): Option {
  return new Option(
    '--stale',
    'although what is published is more than 10 minutes old: where the form has a place for it, it says of when it is',
  );
}

/**
 * @throws {CliError} KNOWLEDGE_STALE, without `stale`; {NodeError} REGION_MOVED where the region has left: what it published there has keys that are given
 * up since; and as `publicPathOf` and `readPublicRegion`.
 */
export async function readRecentRegion(
  cli: Cli,
  named: string,
  { stale }: StaleOption,
): Promise<RecentRegion> {
  const path = await publicPathOf(named);
  await requirePublishesHere(path);
  const modules = await regionModules(cli);
  const published = await readPublicRegion(path, {}, modules);
  const { region } = published;
  const nowS = modules.nowS();
  const atS = saidAtS(published, modules);
  if (isNewEnough(atS, nowS)) return { ...published, path, atS, isStale: false };
  const age = `what ${region} has published in ${printable(path)} is of ${timeText(atS)}, ${spanText(nowS - atS)} ago`;
  const lost = 'keys that were given up since are in it, and codes that were revoked since are not';
  if (stale !== true)
    throw new CliError(EXIT.undetermined, 'KNOWLEDGE_STALE', `${age}: ${lost}`, {
      hint: `${path === resolve(named) ? FETCH : renewing(named)} --stale goes on all the same.`,
    });
  cli.output.note(`Warning: ${age}: ${lost}`);
  return { ...published, path, atS, isStale: true };
}

const FETCH = 'Nothing was written. Fetch it anew from where the region publishes.';

function renewing(directory: string): string {
  const path = printable(directory);
  return `Nothing was written. Start its node (\`entente run ${path}\`), or bring it up to date: entente witness ${path}.`;
}
