/** What a check finds: a line for the operator, and what to type where something has to be done. */
import { type ExitCode } from '../exit.ts';

/** `must`: the node cannot do its work, or soon cannot. `warn`: worth a look. `note`: told, and nothing to be done. */
export type Level = 'ok' | 'note' | 'warn' | 'must';

export interface Finding {
  readonly level: Level;
  readonly text: string;
  /** A command line that can be pasted, or what to do where none can. */
  readonly fix?: string;
  /** Of a `must`, how the command ends; 1 by default. */
  readonly exit?: ExitCode;
}

export function ok(text: string): Finding {
  return { level: 'ok', text };
}

export function note(text: string, fix?: string): Finding {
  return { level: 'note', text, ...(fix !== undefined && { fix }) };
}

export function warn(text: string, fix: string): Finding {
  return { level: 'warn', text, fix };
}

export function must(text: string, fix: string, exit?: ExitCode): Finding {
  return { level: 'must', text, fix, ...(exit !== undefined && { exit }) };
}

/** A path or word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The line that opens a region's configuration. */
export function editing(configPath: string): string {
  return `\${EDITOR:-vi} ${quoted(configPath)}`;
}
