/** Directories of regions that are to run side by side: each with ports of its own, an address that its operator can use. */
import { join } from 'node:path';
import { editConfig } from '../../node/config/config-file.ts';
import { SOCKET_PATH_BYTES_MAX } from '../../node/http/admin-address.ts';
import { RegionLayout } from '../../node/region/layout.ts';
import { freePorts } from './free-port.ts';

/** Gives the region in `dir` free ports, which it keeps; a port for its operator too where the path of a socket would be too long. */
export async function giveAddresses(dir: string): Promise<void> {
  const layout = new RegionLayout(dir);
  const [http = 0, p2p = 0, admin = 0] = await freePorts(3);
  const isTooLong = Buffer.byteLength(join(layout.path, 'admin.sock')) > SOCKET_PATH_BYTES_MAX;
  await editConfig(layout.config, [
    { at: ['http', 'port'], value: http },
    { at: ['p2p', 'listen'], value: [`/ip4/127.0.0.1/tcp/${p2p}`] },
    ...(isTooLong ? [{ at: ['admin', 'listen'], value: `127.0.0.1:${admin}` }] : []),
  ]);
}
