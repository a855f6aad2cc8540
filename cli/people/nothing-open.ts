/** Codes that an earlier command issued, and may not have given out. */
import { type Handover } from '../../node/issuing/handovers.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { handoverText } from '../region.ts';

/** Whoever runs a command again that broke off would give everybody a second code. */
export async function requireNothingOpen(
  cli: Cli,
  desk: Desk,
  path: string,
  isOurs: (handover: Handover) => boolean = () => false,
): Promise<void> {
  const open = (await desk.openHandovers()).filter((handover) => !isOurs(handover));
  if (open.length === 0) return;
  for (const handover of open) cli.output.note(handoverText(handover, path));
  await desk.closeHandovers(open);
  throw new CliError(
    EXIT.failure,
    'RECOVERED',
    'nothing new was issued, since a run that broke off had to be finished first',
    {
      hint: 'If this was the same command, print its codes with `entente codes`. If not, run it again.',
      details: open,
    },
  );
}
