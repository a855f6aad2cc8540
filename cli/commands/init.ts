/** `entente init`: sets up a region in a directory. */
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { foundRegion } from '../../node/region/found.ts';
import { portsBeside } from '../../node/region/ports-beside.ts';
import { REGION_NAME_BYTES_MAX, ROOT_KEYS_MAX } from '../../protocol/limits.ts';
import { isNetwork } from '../../protocol/log/origin.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { aligned, counted } from '../output.ts';
import { printable } from '../printable.ts';
import { fingerprintText, parseRegionId, regionModules } from '../region.ts';

interface InitOptions {
  readonly dir?: string;
  readonly name?: string;
  readonly network: string;
  readonly roots: number;
  readonly threshold?: number;
}

export function addInit(program: Command, cli: Cli): void {
  program
    .command('init')
    .summary('set up a region in a directory')
    .description(
      'Makes root keys, signs trust keys for 90 days and announces the logs of the coming months. Overwrites nothing.',
    )
    .argument('<region>', 'id of the region, an ISO 3166 code such as DE or CN-33')
    .option('--dir <dir>', 'directory to make (default: the id)')
    .option('--name <name>', 'what the region calls itself (default: the id)')
    .option('--network <network>', 'network that the region belongs to', 'demo')
    .option('--roots <n>', 'root keys to make', parseCount, 1)
    .option(
      '--threshold <k>',
      'root keys that sign together (default: 1, or more than half of several)',
      parseCount,
    )
    .addHelpText(
      'after',
      examples(
        ['entente init DE', 'in ./DE, with one root key'],
        [
          'entente init CN-33 --name 浙江 --roots 3 --threshold 2',
          'three root keys, of which two sign together',
        ],
      ),
    )
    .action((region: string, options: InitOptions) => init(cli, region, options));
}

async function init(cli: Cli, id: string, options: InitOptions): Promise<void> {
  const region = parseRegionId(id);
  const { network, roots, name = region, dir = region } = options;
  const threshold = options.threshold ?? (roots === 1 ? 1 : Math.floor(roots / 2) + 1);
  if (!isNetwork(network)) {
    throw usageError(
      `expected the name of a network, not ${printable(network)}`,
      'It has 1 to 32 of a-z, 0-9 and hyphens.',
    );
  }
  if (roots < 1 || roots > ROOT_KEYS_MAX)
    throw usageError(`expected 1 to ${ROOT_KEYS_MAX} root keys, not ${roots}`);
  if (threshold < 1 || threshold > roots)
    throw usageError(`expected a threshold of 1 to ${roots}, not ${threshold}`);
  const nameBytes = Buffer.byteLength(name);
  if (nameBytes < 1 || nameBytes > REGION_NAME_BYTES_MAX) {
    throw usageError(`expected a name of 1 to ${REGION_NAME_BYTES_MAX} bytes, not ${nameBytes}`);
  }
  const modules = await regionModules(cli);
  const ports = await portsBeside(dir);
  const isFirst = ports.http === HTTP_PORT;
  const fingerprint = await foundRegion(
    dir,
    { region, network, name, roots, threshold, ...(!isFirst && { ports }) },
    modules,
  );
  cli.output.result({ region, network, dir, roots, threshold, fingerprint, ports }, () => [
    `Region ${region} is set up in ${printable(dir)}.`,
    ...aligned(
      [
        ['fingerprint', fingerprintText(fingerprint)],
        [
          'root',
          `${threshold} of ${counted(roots, 'key')}, in ${join(printable(dir), 'keys')}: ${KEEP_APART}`,
        ],
        ['to publish', `${join(printable(dir), 'public')}, as static files`],
        ['listens', `on ports ${ports.http} (verdicts) and ${ports.p2p} (peers)${isFirst ? '' : BESIDE}`],
      ],
      '  ',
    ),
  ]);
}

/** Of a region that has none beside it. */
const HTTP_PORT = 8_600;
const BESIDE = ', since regions beside it have those before';
const KEEP_APART =
  'copy root-*.json to offline media, and remove them here when no statement of the root is due';

function parseCount(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}
