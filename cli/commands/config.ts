/** `entente config`: the configuration of a node, for people and editors. */
import { type Command } from 'commander';
import { configJsonSchema } from '../../node/config/schema.ts';
import { type Cli, examples } from '../cli.ts';

export function addConfig(program: Command, cli: Cli): void {
  const config = program.command('config').summary('what the configuration of a node may say');
  config
    .command('schema')
    .summary('print the JSON schema of entente.yaml')
    .description('Prints the JSON schema of entente.yaml, for editors and other programs.')
    .addHelpText('after', examples(['entente config schema > entente.schema.json', 'for an editor']))
    .action(() => {
      const schema = configJsonSchema();
      cli.output.result(schema, () => [JSON.stringify(schema, undefined, 2)]);
    });
}
