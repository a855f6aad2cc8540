/** `entente forget`: destroys what opens the codes of a person. */
import { type Command } from 'commander';
import { RegionLayout } from '../../node/region/layout.ts';
import { damagedStores } from '../../node/store/salvage-directory.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { counted } from '../output.ts';
import { printable, shortened } from '../printable.ts';
import { wrapped } from '../wrap.ts';

interface ForgetOptions {
  readonly subject: string;
  readonly letPass?: true;
}

export function addForget(program: Command, cli: Cli): void {
  program
    .command('forget')
    .summary('destroy what is known of a person')
    .description(
      'Destroys, for ever, all that opens the codes of a person and says whose they are. Their leaves stay in the logs, and every proof holds, but nobody can tell any more what they say. The other machine of a region with a standby forgets the codes too, as soon as it answers; what was declared while that one wrote is forgotten where the order is given there. Backups that hold it have to be destroyed too, and so have old rows where the registry lies in PostgreSQL (docs/postgres.md).',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--subject <text>', 'the person', (text) => text.trim())
    .option('--let-pass', 'codes that still pass too: they count to their end')
    .addHelpText(
      'after',
      examples([
        "entente forget DE --subject 'Person 00004'",
        'somebody whose codes are revoked or have ended',
      ]),
    )
    .action((region: string, options: ForgetOptions) => forget(cli, region, options));
}

async function forget(cli: Cli, path: string, { subject, letPass }: ForgetOptions): Promise<void> {
  const order = { subject, lettingPass: letPass === true };
  const [{ leaves, other }, copies] = await withDesk(
    cli,
    path,
    async (desk) => {
      const { store } = desk.config.storage;
      return [await desk.forget(order), await damagedStores(new RegionLayout(path).resolve(store))] as const;
    },
    { reading: true, silent: true },
  );
  const proven = leaves.filter((leaf) => leaf.proven !== undefined).length;
  const places = shortened(leaves.map(({ log, index }) => `${log}/${index}`).join(' '), 60);
  for (const copy of copies)
    cli.output.note(`${printable(copy)} holds what the store held when it was salvaged: destroy it too.`);
  if (other === 'awaited')
    cli.output.note(
      'The other machine of this region keeps a copy of the codes: it forgets them as soon as it answers. `entente status` says how many are left.',
    );
  cli.output.result({ leaves, proven, copies, ...(other !== undefined && { other }) }, () => [
    wrapped(
      `Forgotten: nothing here opens ${counted(leaves.length, 'code')} any more (${places}). Leaves proven to stand in the logs as before: ${proven}.`,
    ),
    ...(other === 'forgot' ? ['The other machine of this region has forgotten them too.'] : []),
  ]);
}
