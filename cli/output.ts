/** What commands print: aligned text for people, or one JSON document with --json. Results go to stdout, everything else to stderr. */
import pc from 'picocolors';
import { type CliError } from './exit.ts';
import { printableLines } from './printable.ts';
import { type Surroundings } from './surroundings.ts';

export type Colours = ReturnType<typeof pc.createColors>;

/** Progress is told at most this often. */
const PROGRESS_INTERVAL_MS = 200;

export class Output {
  readonly json: boolean;
  readonly colours: Colours;
  readonly #surroundings: Surroundings;

  constructor({ json }: { readonly json: boolean }, surroundings: Surroundings) {
    this.json = json;
    this.#surroundings = surroundings;
    this.colours = pc.createColors(surroundings.colour && !json);
  }

  /** The result of a command: `value` with --json, else the lines of `text`, which holds foreign text only through `printable`. */
  result(value: unknown, text: () => readonly string[]): void {
    const lines = this.json ? [jsonText(value)] : text();
    if (lines.length > 0) this.#surroundings.writeOut(`${lines.join('\n')}\n`);
  }

  /** What has to be seen before the result is there, in the same two forms, on stderr. */
  before(value: unknown, text: () => readonly string[]): void {
    const lines = this.json ? [jsonText(value)] : text();
    this.#surroundings.writeErr(`${lines.join('\n')}\n`);
  }

  /** Text that only people want; nothing with --json. */
  text(...lines: readonly string[]): void {
    if (!this.json) this.#surroundings.writeOut(`${lines.join('\n')}\n`);
  }

  /** A remark beside the result, on stderr; with --json a document of its own. */
  note(line: string): void {
    this.#surroundings.writeErr(this.json ? `${jsonText({ note: line })}\n` : `${line}\n`);
  }

  error(error: CliError): void {
    if (this.json) {
      const { code, exit, message, hint, details } = error;
      this.#surroundings.writeErr(`${jsonText({ error: { code, exit, message, hint, details } })}\n`);
      return;
    }
    this.#surroundings.writeErr(`error: ${printableLines(error.message)} [${error.code}]\n`);
    if (error.hint !== undefined) this.#surroundings.writeErr(`${printableLines(error.hint)}\n`);
  }

  /** A counter on stderr that writes over itself on a terminal and elsewhere speaks only at each tenth. */
  progress(what: string, total: number): Progress {
    return new Progress({ what, total, silent: this.json }, this.#surroundings);
  }
}

export class Progress {
  readonly #what: string;
  readonly #total: number;
  readonly #silent: boolean;
  readonly #surroundings: Surroundings;
  readonly #startedMs = performance.now();
  #shownAtMs = 0;
  #shownTenth = 0;

  constructor(options: { what: string; total: number; silent: boolean }, surroundings: Surroundings) {
    this.#what = options.what;
    this.#total = options.total;
    this.#silent = options.silent;
    this.#surroundings = surroundings;
  }

  at(done: number): void {
    if (this.#silent) return;
    const line = `${this.#what} ${figure(done)} of ${figure(this.#total)}`;
    const last = done >= this.#total;
    if (this.#surroundings.errorIsTerminal) {
      const nowMs = performance.now();
      if (!last && nowMs - this.#shownAtMs < PROGRESS_INTERVAL_MS) return;
      this.#shownAtMs = nowMs;
      this.#surroundings.writeErr(`\r${line}${this.#pace(done, nowMs)}\x1b[K${last ? '\n' : ''}`);
      return;
    }
    const tenth = Math.floor((10 * done) / Math.max(this.#total, 1));
    if (tenth === this.#shownTenth) return;
    this.#shownTenth = tenth;
    this.#surroundings.writeErr(`${line}\n`);
  }

  /** How fast it goes and how long it will take, once that can be told. */
  #pace(done: number, nowMs: number): string {
    const seconds = (nowMs - this.#startedMs) / 1000;
    if (seconds < 1 || done === 0) return '';
    const rate = done / seconds;
    const left = Math.max(0, Math.ceil((this.#total - done) / rate));
    return `, ${figure(Math.round(rate))}/s${left > 0 ? `, ${figure(left)} s left` : ''}`;
  }
}

/** Lines of `name  value` with the values in one column. */
export function aligned(pairs: readonly (readonly [string, string])[], indent = ''): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`);
}

/** A count with thousands separated, as in 10,000. */
export function figure(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 code`, `2 codes`. */
export function counted(count: number, noun: string): string {
  return `${figure(count)} ${noun}${count === 1 ? '' : 's'}`;
}

// What JSON.stringify leaves as it is and a terminal would act on, or show as a blank.
const UNPRINTABLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu;

/** JSON of the values that the protocol deals in, bytes as hexadecimal, index sets as arrays and maps as objects, safe to print. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, jsonForm).replace(UNPRINTABLE, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function jsonForm(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Float64Array) return [...value];
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}
