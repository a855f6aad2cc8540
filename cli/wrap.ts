/** Text in lines that a terminal of 80 columns shows whole. */

export const COLUMNS_MAX = 80;

/** Words in lines of at most `COLUMNS_MAX`; the first begins with `first`, later ones with `indent`. A word that is longer stays whole. */
export function wrapped(text: string, indent = '', first = ''): string {
  return linesOf(text.split(' '), { first, indent, width: COLUMNS_MAX }).join('\n');
}

/** The same of a command to type, continued with a backslash where it is long, at a space outside of quotation marks. */
export function wrappedCommand(command: string, indent: string, first = ''): string {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return linesOf(words, { first, indent, width: COLUMNS_MAX - 2 }).join(' \\\n');
}

interface Columns {
  readonly first: string;
  readonly indent: string;
  readonly width: number;
}

function linesOf(words: readonly string[], { first, indent, width }: Columns): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(first + word);
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}
