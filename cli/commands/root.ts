/** `entente root ...`: the keys of the root, and what they sign, away from the machine that runs the region. */
import { type Command } from 'commander';
import { type Cli } from '../cli.ts';
import { addRootDrafts } from '../ceremony/drafts.ts';
import { addRootKeys } from '../ceremony/keys.ts';

export function addRoot(program: Command, cli: Cli): void {
  const root = program
    .command('root')
    .summary('root keys, and what they sign, away from the network')
    .description(
      'The root says who the region is. Its keys are kept sealed on media of their own, and sign on machines that need no network: a command with --draft writes what is to be signed, the file goes from key to key, and is logged where the region is.',
    );
  addRootKeys(root, cli);
  addRootDrafts(root, cli);
}
