/** Text in lines that a terminal of 80 columns shows whole. */

export const COLUMNS_MAX = 80;

/** Words in lines of at most `COLUMNS_MAX`; the second and later ones begin with `indent`. A word that is longer stays whole. */
export function wrapped(text: string, indent = ''): string {
  return linesOf(text.split(' '), indent, COLUMNS_MAX).join('\n');
}

/** A command to type, continued with a backslash where it is long, at a space outside of quotation marks. */
export function wrappedCommand(command: string, indent: string): string {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return linesOf(words, indent, COLUMNS_MAX - 2).join(' \\\n');
}

function linesOf(words: readonly string[], indent: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}
