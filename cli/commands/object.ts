/** `entente object open|decide|list`: objections to colours. */
import { type Command, InvalidArgumentError } from 'commander';
import { OBJECTION_TEXT_CHARS_MAX } from '../../node/life/dossier.ts';
import { type OpenObjection } from '../../node/life/objecting.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';
import { wrapped } from '../wrap.ts';
import { objectionLines } from './holder.ts';

/** Neither signs nor needs its peers. */
const QUIETLY = { reading: true, silent: true } as const;

interface OpenOptions {
  readonly subject: string;
  readonly text: string;
}

interface DecideOptions {
  readonly subject: string;
  readonly number: number;
  readonly uphold?: true;
  readonly reject?: true;
  readonly answer: string;
}

export function addObject(program: Command, cli: Cli): void {
  const object = program
    .command('object')
    .summary('objections to colours')
    .description(
      'Objections of people to their colour: each has a day by which it is to be decided. One that is upheld is corrected once the data is mended, by the next update.',
    );
  object
    .command('open')
    .description('Opens an objection of a person to their colour.')
    .argument('<region>', 'directory of the region')
    .requiredOption('--subject <text>', 'the person', (text) => text.trim())
    .requiredOption('--text <text>', 'what they say')
    .addHelpText(
      'after',
      examples([
        "entente object open DE --subject 'Person 00007' --text 'I was not there.'",
        'with the day by which it is to be decided',
      ]),
    )
    .action((region: string, options: OpenOptions) => open(cli, region, options));
  object
    .command('decide')
    .description(
      'Decides an objection. Upheld: mend the list or take a new declaration, and update. Where operators are named, another one than who opened it upholds it.',
    )
    .argument('<region>', 'directory of the region')
    .requiredOption('--subject <text>', 'the person', (text) => text.trim())
    .requiredOption('--number <n>', 'which of their objections', parseNumber)
    .option('--uphold', 'the region was wrong')
    .option('--reject', 'it was right')
    .requiredOption('--answer <text>', 'what the person is told')
    .addHelpText(
      'after',
      examples([
        "entente object decide DE --subject 'Person 00008' --number 1 --answer 'It was another person.' --uphold",
        'the next update corrects it, where the data is mended',
      ]),
    )
    .action((region: string, options: DecideOptions) => decide(cli, region, options));
  object
    .command('list')
    .description('Objections that are not settled, the overdue ones first.')
    .argument('<region>', 'directory of the region')
    .addHelpText('after', examples(['entente object list DE', 'what is to be decided, and by when']))
    .action((region: string) => list(cli, region));
}

async function open(cli: Cli, path: string, { subject, text: given }: OpenOptions): Promise<void> {
  const text = textOf('--text', given);
  const objection = await withDesk(cli, path, (desk) => desk.life.object(subject, text), QUIETLY);
  cli.output.result(objection, () => [
    `Objection ${objection.number} is open, to be decided by ${timeText(objection.dueAtS)}.`,
  ]);
}

async function decide(cli: Cli, path: string, options: DecideOptions): Promise<void> {
  const { subject, number, uphold = false, reject = false, answer } = options;
  if (uphold === reject) throw usageError('say --uphold or --reject');
  const deciding = { number, isUpheld: uphold, answer: textOf('--answer', answer) };
  const objection = await withDesk(cli, path, (desk) => desk.life.decide(subject, deciding), QUIETLY);
  cli.output.result(objection, () => objectionLines(objection));
}

async function list(cli: Cli, path: string): Promise<void> {
  const all = await withDesk(
    cli,
    path,
    async (desk) => {
      const found: OpenObjection[] = [];
      for await (const one of desk.life.objections()) found.push(one);
      return found;
    },
    QUIETLY,
  );
  const sorted = all.toSorted((a, b) => a.objection.dueAtS - b.objection.dueAtS);
  cli.output.result({ objections: sorted }, () =>
    sorted.length === 0
      ? ['No objection is open.']
      : sorted.flatMap(({ subject, objection, isOverdue }) => [
          wrapped(printable(`${subject}${isOverdue ? ' OVERDUE' : ''}`)),
          ...objectionLines(objection),
        ]),
  );
}

/** Not told by whoever parses options: that would repeat all of what somebody wrote. */
function textOf(option: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= OBJECTION_TEXT_CHARS_MAX) return trimmed;
  throw usageError(
    `${option}: expected a text of 1 to ${OBJECTION_TEXT_CHARS_MAX} characters, this has ${trimmed.length}`,
  );
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number from 1.');
}
