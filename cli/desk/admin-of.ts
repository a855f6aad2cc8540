/** The admin address of a region's node, from its directory. */
import { resolve } from 'node:path';
import { isAdminPort } from '../../node/http/admin-address.ts';
import { AdminClient } from '../../node/http/admin-client.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { requireNotMoved } from '../../node/region/moved.ts';
import { configuredOperator } from './actor.ts';

/** Where the node of a region's directory is asked by its operator. @throws {NodeError} REGION_MOVED where none can run any more; and as `readRegionConfig`. */
export async function adminOf(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<AdminClient> {
  const layout = new RegionLayout(resolve(path));
  const config = await readRegionConfig(layout, { environment });
  await requireNotMoved(layout);
  const { listen, secretFile } = config.admin;
  return new AdminClient({
    listen: isAdminPort(listen) ? listen : layout.resolve(listen),
    secretFile: layout.resolve(secretFile),
    operator: await configuredOperator(layout, config),
  });
}
