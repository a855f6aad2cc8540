/** Text of others on a terminal: it must not move the cursor, change colours or turn the direction of what follows. */

// C0, DEL and C1 controls; marks and overrides of direction; line and paragraph separators; BOM and zero-width characters;
// letters that are drawn as blanks: the fillers of Hangul and the Braille cell without a dot.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u2800\u3164\uffa0]/gu;

/** `text` with each such character shown as its number, as in `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeOf);
}

/** The same, keeping newlines: for texts that have lines of their own. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' ? '\n' : escapeOf(character)));
}

/** At most `charactersMax` characters, the last an ellipsis if some were cut off. */
export function shortened(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

function escapeOf(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
