/** `entente forget`: destroys what opens the codes of a person. */
import { type Command } from 'commander';
import { type Forgotten } from '../../node/issuing/forgetting.ts';
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
      'Destroys, for ever, all that opens the codes of a person and says whose they are. Their leaves stay in the logs, and every proof holds, but nobody can tell any more what they say. The other machine of a region with a standby forgets the codes too, as soon as it answers; what was declared while that one wrote is forgotten where the order is given there: on a standby the command says so. Backups that hold it have to be destroyed too, and so have old rows where the registry lies in PostgreSQL (docs/postgres.md).',
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
  const [done, copies] = await withDesk(
    cli,
    path,
    async (desk) => {
      const { store } = desk.config.storage;
      return [await desk.forget(order), await damagedStores(new RegionLayout(path).resolve(store))] as const;
    },
    { reading: true, silent: true },
  );
  for (const copy of copies)
    cli.output.note(`${printable(copy)} holds what the store held when it was salvaged: destroy it too.`);
  const { other, declared } = done;
  if (other === 'awaited')
    cli.output.note(
      'The other machine of this region keeps a copy of the codes: it forgets them as soon as it answers. `entente status` says how many are left.',
    );
  if (declared !== undefined)
    cli.output.note(
      'This is the standby: the machine that writes keeps what the person declared. Give the same order there.',
    );
  cli.output.result({ ...done, proven: provenIn(done), copies }, () => forgottenLines(done));
}

function provenIn({ leaves }: Forgotten): number {
  return leaves.filter((leaf) => leaf.proven !== undefined).length;
}

/** What is done. */
export function forgottenLines(done: Forgotten): string[] {
  const { leaves, other, declared } = done;
  const places = shortened(leaves.map(({ log, index }) => `${log}/${index}`).join(' '), 60);
  const isElsewhere = other === 'awaited' || declared !== undefined;
  return [
    wrapped(
      `Forgotten${isElsewhere ? ' on this machine' : ''}: nothing here opens ${counted(leaves.length, 'code')} any more (${places}). Leaves proven to stand in the logs as before: ${provenIn(done)}.`,
    ),
    ...(other === 'forgot'
      ? [
          `The other machine of this region has forgotten ${declared === undefined ? 'them' : 'the codes'} too.`,
        ]
      : []),
  ];
}
