/** `entente verifier add|list|remove`: for whom a node looks numbers up. */
import { type Command, InvalidArgumentError } from 'commander';
import { hashOfToken, isVerifierName, makeVerifierToken } from '../../node/lookup/verifiers.ts';
import { act } from '../../node/operators/acting.ts';
import { removeFile, writeFileAtomically } from '../../node/region/files.ts';
import { type Cli, examples } from '../cli.ts';
import { actorOf } from '../desk/actor.ts';
import { atRegion } from '../desk/at-region.ts';
import { printable } from '../printable.ts';
import { parseNewFile } from '../region.ts';
import { table } from '../table.ts';
import { timeText } from '../times.ts';

interface AddOptions {
  readonly name: string;
  readonly out: string;
}

interface Listed {
  readonly name: string;
  readonly addedAtS: number;
}

export function addVerifier(program: Command, cli: Cli): void {
  const verifier = program
    .command('verifier')
    .summary('gates for which numbers are looked up')
    .description(
      'Codes that are mere numbers are looked up for enrolled verifiers alone, each with a token of its own and a share that is counted (lookup.verifierPerDay). All other codes are judged for everybody.',
    );
  verifier
    .command('add')
    .description('Enrols a gate, and writes its token to a file, mode 0600. Hand it over, and keep no copy.')
    .argument('<region>', "directory of the gate's own region")
    .requiredOption('--name <name>', 'a-z, 0-9 and hyphens, a letter first', parseName)
    .requiredOption('--out <file>', 'the file to write', parseNewFile)
    .addHelpText(
      'after',
      examples([
        'entente verifier add FR --name gare-du-nord --out gate.token',
        'then: verify --token gate.token',
      ]),
    )
    .action((region: string, options: AddOptions) => add(cli, region, options));
  verifier
    .command('list')
    .description('Lists the enrolled verifiers.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente verifier list FR', 'who they are']))
    .action((region: string) => list(cli, region));
  verifier
    .command('remove')
    .description('Takes a verifier back: no number is looked up for it from then on.')
    .argument('<region>', 'directory of the region')
    .requiredOption('--name <name>', 'the verifier', parseName)
    .addHelpText(
      'after',
      examples(['entente verifier remove FR --name gare-de-lyon', 'whose token was lost']),
    )
    .action((region: string, { name }: { readonly name: string }) => remove(cli, region, name));
}

/** The file is written first: a token that nobody has would be of no use. */
async function add(cli: Cli, path: string, { name, out }: AddOptions): Promise<void> {
  const token = makeVerifierToken(cli.surroundings.random);
  const tokenHash = hashOfToken(token);
  await writeFileAtomically(out, `${token}\n`, { mode: 0o600 });
  try {
    await atRegion(
      cli,
      path,
      async (region, modules) => {
        const actor = await actorOf(region, modules);
        const action = { action: 'verifiers', needs: 'trust', about: name } as const;
        const addedAtS = modules.nowS();
        await act(region.trail, actor, action, () => region.verifiers.add({ name, tokenHash, addedAtS }));
      },
      (client) => client.ask({ method: 'POST', path: '/v1/verifiers', body: { name, tokenHash } }),
    );
  } catch (error) {
    await removeFile(out);
    throw error;
  }
  cli.output.result({ name, file: out }, () => [
    `${name} is enrolled. Its token is in ${printable(out)}: hand it over, and keep no copy.`,
    `It asks: entente verify --node <url> --token ${printable(out)} <number>`,
  ]);
}

async function list(cli: Cli, path: string): Promise<void> {
  const { verifiers } = await atRegion<{ readonly verifiers: readonly Listed[] }>(
    cli,
    path,
    (region) =>
      Promise.resolve({
        verifiers: region.verifiers.all.map(({ name, addedAtS }) => ({ name, addedAtS })),
      }),
    (client) => client.ask({ method: 'GET', path: '/v1/verifiers' }),
  );
  cli.output.result({ verifiers }, () =>
    verifiers.length === 0
      ? ['No verifier is enrolled: numbers are looked up for nobody.']
      : table(
          ['name', 'since'],
          verifiers.map((one) => [one.name, timeText(one.addedAtS)]),
        ),
  );
}

async function remove(cli: Cli, path: string, name: string): Promise<void> {
  await atRegion(
    cli,
    path,
    async (region, modules) => {
      const actor = await actorOf(region, modules);
      const action = { action: 'verifiers/remove', needs: 'trust', about: name } as const;
      await act(region.trail, actor, action, () => region.verifiers.remove(name));
    },
    (client) => client.ask({ method: 'POST', path: '/v1/verifiers/remove', body: { name } }),
  );
  cli.output.result({ name }, () => [`${name} is no verifier any more.`]);
}

function parseName(text: string): string {
  if (isVerifierName(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 32 of a-z, 0-9 and hyphens, a letter first.');
}
