/** What a command asks of a region that no other command does: by its directory, or by the node that holds that open. */
import { type AdminClient } from '../../node/http/admin-client.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Region } from '../../node/region/region.ts';
import { type Cli } from '../cli.ts';
import { withRegion } from '../region.ts';
import { asked } from './node-answers.ts';
import { orByNode } from './with-desk.ts';

/** Neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;

/** What `open` gives, or else what the node answers. Rejects as `withDesk`, and with what the node refuses. */
export function atRegion<T>(
  cli: Cli,
  path: string,
  open: (region: Region, modules: RegionModules) => Promise<T>,
  ask: (client: AdminClient) => Promise<unknown>,
): Promise<T> {
  return orByNode(
    cli,
    path,
    () => withRegion(cli, path, open, QUIETLY),
    async () => {
      const { adminOf } = await import('./admin-of.ts');
      return (await asked(ask(await adminOf(path, cli.surroundings.environment ?? {})))) as T;
    },
  );
}
