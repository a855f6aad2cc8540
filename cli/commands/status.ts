/** `entente status`: how a node is, as its operator or as anybody sees it. */
import { type Command } from 'commander';
import { z } from 'zod';
import { NodeError } from '../../node/node-error.ts';
import { type Cli, examples } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { aligned, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { spanText } from '../times.ts';

const knowledgeSchema = z.looseObject({
  size: z.number(),
  ageS: z.number().optional(),
  silenceS: z.number().optional(),
  witnesses: z.object({ counted: z.number(), needed: z.number(), of: z.number() }),
});

const regionsSchema = z.looseObject({
  home: z.string(),
  network: z.string(),
  regions: z.array(
    z.looseObject({
      region: z.string(),
      name: z.string().optional(),
      standing: z.string(),
      knowledge: knowledgeSchema.optional(),
    }),
  ),
});

/** What only the operator is told. */
const operatorSchema = z.looseObject({
  writing: z.string(),
  store: z.string(),
  sizes: z.record(z.string(), z.number()),
  forked: z.array(z.string()),
  verdicts: z.record(z.string(), z.number()),
  peers: z.array(
    z.looseObject({
      region: z.string(),
      software: z.string(),
      address: z.string(),
      rttMs: z.number().optional(),
    }),
  ),
});

const healthSchema = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });

const ANSWER_MS_MAX = 5_000;

export function addStatus(program: Command, cli: Cli): void {
  program
    .command('status')
    .summary('how a node is')
    .description('Asks a running node how it is: your own by its directory, any other by its address.')
    .argument('<node>', 'directory of the region, or the URL of a node')
    .addHelpText(
      'after',
      examples(
        ['entente status DE', 'your own node'],
        ['entente status https://node.example:8600', 'any other'],
      ),
    )
    .action((node: string) => status(cli, node));
}

async function status(cli: Cli, node: string): Promise<void> {
  if (/^https?:\/\//.test(node)) await statusByUrl(cli, node);
  else await statusByDirectory(cli, node);
}

async function statusByUrl(cli: Cli, url: string): Promise<void> {
  const health = healthSchema.parse(await ask(url, '/readyz'));
  const regions = regionsSchema.parse(await ask(url, '/v1/regions'));
  cli.output.result({ ...regions, health }, () => [
    headline(regions, health.ready ? 'ready' : `not ready: ${health.reasons.join('; ')}`),
    ...regionLines(regions),
  ]);
  if (!health.ready) cli.exit = EXIT.undetermined;
}

async function statusByDirectory(cli: Cli, path: string): Promise<void> {
  // What asks over HTTP is loaded only where it is used.
  const { adminOf } = await import('../desk/running-desk.ts');
  const client = await adminOf(path, cli.surroundings.environment ?? {});
  const answer = await client.ask({ method: 'GET', path: '/v1/status' });
  const regions = regionsSchema.parse(answer);
  const own = operatorSchema.parse(answer);
  const signs = own.writing === 'writing' ? 'signs' : `does not sign: ${own.writing}`;
  cli.output.result(answer, () => [headline(regions, signs), ...regionLines(regions), '', ...ownLines(own)]);
  if (own.writing !== 'writing') cli.exit = EXIT.undetermined;
}

function headline({ home, network, regions }: z.infer<typeof regionsSchema>, how: string): string {
  const name = regions.find(({ region }) => region === home)?.name;
  return `${home}${name === undefined ? '' : ` (${printable(name)})`} in network ${network}: ${printable(how)}`;
}

function regionLines({ regions }: z.infer<typeof regionsSchema>): string[] {
  const rows = regions.map(({ region, standing, knowledge }) => [
    printable(region),
    printable(standing),
    knowledge?.ageS === undefined ? 'none' : spanText(Math.round(knowledge.ageS)),
    knowledge?.silenceS === undefined ? '-' : spanText(Math.round(knowledge.silenceS)),
    knowledge === undefined ? '-' : witnessText(knowledge.witnesses),
    knowledge === undefined ? '-' : figure(knowledge.size),
  ]);
  return table(['region', 'standing', 'vouched for', 'last signed', 'witnesses', 'entries'], rows);
}

function witnessText({ counted, needed, of }: z.infer<typeof knowledgeSchema>['witnesses']): string {
  return `${counted} of ${of}, ${needed} needed`;
}

function ownLines({ store, sizes, forked, verdicts, peers }: z.infer<typeof operatorSchema>): string[] {
  const given = Object.entries(verdicts).map(([outcome, count]) => `${figure(count)} ${printable(outcome)}`);
  return aligned([
    ['store', printable(store)],
    ['verdicts', given.join(', ')],
    ...Object.entries(sizes).map(
      ([origin, size]) => ['log', `${printable(origin)}: ${figure(size)}`] as const,
    ),
    ...forked.map((origin) => ['FORKED', printable(origin)] as const),
    ...(peers.length === 0 ? [['peers', 'none is connected'] as const] : []),
    ...peers.map(({ region, software, address, rttMs }) => {
      const rtt = rttMs === undefined ? '' : `, ${rttMs.toFixed(1)} ms`;
      return ['peer', `${printable(region)} ${printable(software)} at ${printable(address)}${rtt}`] as const;
    }),
  ]);
}

async function ask(url: string, path: string): Promise<unknown> {
  try {
    const response = await fetch(new URL(path, url), {
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return await response.json();
  } catch (cause) {
    throw new NodeError('PEER_UNREACHABLE', `no node answers at ${printable(url)}`, { cause, retry: true });
  }
}
