/** What the root signs: here, where enough of its keys are at hand, or elsewhere, by a draft. */
import { existsSync } from 'node:fs';
import { writeFileAtomically } from '../../node/region/files.ts';
import { draftOf, encodeDraft, type RootDraft } from '../../node/region/root-draft.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';

/** Ends a command whose statements wait in a draft: nothing that it would say of them is true yet. */
export class Drafted extends Error {
  constructor() {
    super('nothing was logged yet');
    this.name = 'Drafted';
  }
}

/**
 * Logs statements that the root signs here, and gives the index of the first.
 * @throws {Drafted} with `draft`: the file is written, and the person told. Rejects as `Desk.appendByRoot` and `writeDraft`.
 */
export async function appendByRoot(
  cli: Cli,
  desk: Desk,
  statements: readonly StatementDraft[],
  { draft }: { readonly draft?: string },
): Promise<number> {
  if (draft === undefined) return desk.appendByRoot(statements);
  await writeDraft(draft, draftOf(desk.state, statements, cli.surroundings.nowS()));
  cli.output.result({ draft, statements: statements.length }, () => [
    `Nothing is logged yet. ${printable(draft)} holds ${counted(statements.length, 'statement')} for the root to sign:`,
    `  entente root sign ${printable(draft)} --key <sealed key>     where each key is`,
    `  entente root submit ${printable(desk.layout.path)} ${printable(draft)}     here, once enough have signed`,
  ]);
  throw new Drafted();
}

/** @throws {CliError} USAGE if something is there already: it may hold signatures. */
export async function writeDraft(path: string, draft: RootDraft): Promise<void> {
  if (existsSync(path)) throw usageError(`${printable(path)} is there already`, 'Name another file.');
  await writeFileAtomically(path, encodeDraft(draft));
}
