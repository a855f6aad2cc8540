/** What the help texts say, read as people read them: the tree of commands and their examples. */
import { TestCli } from './cli.ts';

/** A command's words behind `entente`, none for the program itself, and its help. */
export interface HelpText {
  readonly command: readonly string[];
  readonly text: string;
  /** The names of the commands below it. */
  readonly below: readonly string[];
}

const cli = new TestCli('/nowhere');

/** The help of a command and of all below it, the command first. */
export async function helpTree(...command: readonly string[]): Promise<HelpText[]> {
  const { out: text } = await cli.run(...command, '--help');
  const names = [...sectionOf(text, 'Commands').matchAll(/^ {2}([a-z][a-z-]*)/gm)];
  const below = names.flatMap(([, name = '']) => (name === 'help' ? [] : [name]));
  const tree: HelpText[] = [{ command, text, below }];
  for (const name of below) tree.push(...(await helpTree(...command, name)));
  return tree;
}

/** The lines to type below `Examples:`, those that go on behind a backslash joined. */
export function examplesIn({ text }: HelpText): string[] {
  const lines = sectionOf(text, 'Examples')
    .replaceAll(/ \\\n\s*/g, ' ')
    .split('\n');
  return lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim());
}

function sectionOf(text: string, title: string): string {
  return text.split(`\n${title}:\n`)[1]?.split('\n\n')[0] ?? '';
}
