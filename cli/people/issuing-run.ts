/**
 * A long file of people, issued batch by batch into a file of codes, so that the same command goes on where it broke off and nobody
 * gets two codes. Until all are issued there lie beside that file
 *
 *   <out>.part   the codes of the batches that are done
 *   <out>.run    whom it is about, when it was begun, how far it is, how long the logs were before the batch in hand, and under which key that was ordered
 *   <out>.decided  sealed, where rules decided: who was to get what when the run began (decided-people.ts)
 *
 * What of that batch is logged is found by those lengths. What a node has still in hand, after the command that ordered it died, is found by the key.
 */
import { open } from 'node:fs/promises';
import {
  moveFile,
  readFileIfPresent,
  removeFile,
  statIfPresent,
  writeFileAtomically,
} from '../../node/region/files.ts';
import { MARK_S, type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { type Random } from '../../node/ports.ts';
import { parseCode } from '../../protocol/code/code.ts';
import { type Colour } from '../../protocol/code/status.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { newOrder } from '../desk/batch-order.ts';
import { type BatchOrder, type Desk, type IssueProgress } from '../desk/desk.ts';
import { PartlyIssued } from '../desk/node-answers.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { codesText, type IssuedCode } from './codes-file.ts';
import { type Journal, JOURNAL_BYTES_MAX, parsedJournal, ROWS_KEPT } from './issuing-journal.ts';
import { type PeopleFormat } from './people-file.ts';
import { type Person } from './person.ts';
import { requireNoneLooser } from './none-looser.ts';
import { isAsOrdered } from './request.ts';

/** People in a batch: some 15 MB of the store's memory, and two syncs of its disk. */
export const BATCH_PEOPLE = 20_000;

/** What a run is about: another file, or another region, is another run. */
export interface RunSubject {
  readonly region: string;
  readonly network: string;
  /** SHA-256 of the file of people, or of that and what decided on them, in hexadecimal. */
  readonly input: string;
  readonly rows: number;
  /** Of a new run: when it was decided on these people; without it the time of the first order. */
  readonly since?: Ordered | undefined;
}

/** A code that somebody of the run got meanwhile, and that is not the one ordered for them. */
export interface OtherCode {
  readonly subject: string;
  readonly log: string;
  readonly index: number;
  readonly colour: Colour;
  /** That gave it. */
  readonly rule: string;
}

export interface IssueModules extends IssueProgress {
  readonly sha256: Sha256;
  readonly random: Random;
  /** Seconds since 1970. */
  readonly nowS: () => number;
  /** Hears of those who are refused, and who are left out; where it throws they are not, nor are they without it. */
  readonly onRefused?: (error: PartlyIssued) => void;
}

/** Seconds for which an order is given again as it was: a node remembers it to the end of the day after, and what counts for a day still counts. */
export const AGAIN_S_MAX = 20 * 3_600;
/** Seconds after which a run orders nothing more: by then a region may not know any longer who was forgotten since it was begun. */
const RUN_S_MAX = MARK_S - 86_400;
export class IssuingRun {
  readonly #out: string;
  readonly #format: PeopleFormat;
  #journal: Journal;
  readonly #others: OtherCode[] = [];
  #revoked = 0;

  private constructor(out: string, format: PeopleFormat, journal: Journal) {
    this.#out = out;
    this.#format = format;
    this.#journal = journal;
  }

  /**
   * Begins a run, or goes on with the one that broke off.
   * @throws {CliError} RUN_DIFFERS where codes of other people, or of another region, are half written there; RUN_INVALID where what lies there
   * was not written by a run; USAGE where it would begin one and there is such a file already.
   */
  static async open(
    out: string,
    format: PeopleFormat,
    subject: RunSubject,
    batch = BATCH_PEOPLE,
  ): Promise<IssuingRun> {
    const path = journalOf(out);
    const before = await readFileIfPresent(path, JOURNAL_BYTES_MAX);
    if (before === undefined) {
      await requireNew(partOf(out), 'Name another file, or move this one away.');
      // Another command may have ended the run while this one waited for its turn: a new one would give everybody a second code.
      await requireNew(
        out,
        'If an earlier command for the same people has just ended, it has their codes. Else name another file, or move this one away.',
      );
      return new IssuingRun(out, format, { form: 1, ...subject, batch, done: 0, bytes: 0, leaves: {} });
    }
    const journal = parsedJournal(before, path);
    const isSame = (['region', 'network', 'input', 'rows'] as const).every(
      (key) => journal[key] === subject[key],
    );
    const part = await statIfPresent(partOf(out));
    const isThere = (await statIfPresent(out)) !== undefined;
    const isNamed = isThere && journal.done === journal.rows && part === undefined;
    if (isThere && !isNamed)
      throw usageError(
        `${printable(out)} exists already`,
        'Move it away: a run that broke off goes on to it.',
      );
    if (isSame && (isNamed || (part?.size ?? 0) >= journal.bytes))
      return new IssuingRun(out, format, journal);
    throw new CliError(
      EXIT.failure,
      isSame ? 'RUN_INVALID' : 'RUN_DIFFERS',
      isSame
        ? `${printable(partOf(out))} is shorter than ${printable(path)} says`
        : `${printable(path)} is of a run for other people, or for another region, that broke off`,
      {
        hint: isSame
          ? 'Move both away; `entente codes` prints what was issued.'
          : 'Finish that with its file of people, or name another --out.',
      },
    );
  }

  /** Whether one broke off there, or ended without saying so. */
  static async isBegun(out: string): Promise<boolean> {
    return (await statIfPresent(journalOf(out))) !== undefined;
  }

  /** How many rows a run has of which all codes are written, and which ended without saying so; undefined where there is none. */
  static async rowsWritten(out: string): Promise<number | undefined> {
    const path = journalOf(out);
    const before = await readFileIfPresent(path, JOURNAL_BYTES_MAX);
    const { rows, done } = before === undefined ? { rows: 0, done: -1 } : parsedJournal(before, path);
    return done === rows ? rows : undefined;
  }

  /** Rows whose codes are written. */
  get done(): number {
    return this.#journal.done;
  }

  /** People that each batch holds; the last may have fewer. */
  get batch(): number {
    return this.#journal.batch;
  }

  /** By log: the least and the greatest index of what was issued. */
  get leaves(): Readonly<Record<string, readonly [number, number]>> {
    return this.#journal.leaves;
  }

  /** What was found, where the batch in hand was begun before, in place of codes that were ordered: those were issued then. */
  get others(): readonly OtherCode[] {
    return this.#others;
  }

  /** Codes that were found where the batch in hand was begun before, and that somebody has revoked since: nobody gets another for them by this run. */
  get revoked(): number {
    return this.#revoked;
  }

  /** Who got no code, having been forgotten meanwhile: how many, and the first of their rows, from 1. */
  get forgotten(): { readonly count: number; readonly rows: readonly number[] } {
    return this.#journal.forgotten ?? { count: 0, rows: [] };
  }

  /** People who were left out, since they were refused. */
  get refused(): number {
    return this.#journal.refused ?? 0;
  }

  /** Whether what stands at a place may have been issued by this run. */
  mayHold({ log, index }: { readonly log: string; readonly index: number }): boolean {
    const { inHand, leaves } = this.#journal;
    const [least = Infinity, greatest = -1] = leaves[log] ?? [];
    return (
      (least <= index && index <= greatest) || (inHand !== undefined && index >= (inHand.sizes[log] ?? 0))
    );
  }

  /**
   * Issues to the next people of the file, but to those of them who have a code by this run already, and writes their codes in the
   * order of the file. Whoever was forgotten since the run was begun is left out. Rejects as `Desk.issue`: the run goes on later.
   * @throws {CliError} RUN_OLD where somebody is without a code, and the run was begun more than a week ago.
   */
  async issue(people: readonly Person[], desk: Desk, modules: IssueModules): Promise<void> {
    const issued = await this.#found(people, desk, modules.sha256);
    const hadSome = issued.size > 0;
    const refused = new Set<string>();
    if (people.some(({ subject }) => !issued.has(subject))) {
      const order = { ...(await this.#order(desk, modules)), has: new Set(issued.keys()) };
      const options = { ...modules, leavesOut: modules.onRefused !== undefined };
      const answer = await desk.issue(people, options, order).catch(withoutRefused(modules.onRefused));
      for (const one of 'refused' in answer ? answer.issued : answer) issued.set(one.subject, one);
      if ('refused' in answer) for (const { subject } of answer.refused) refused.add(subject);
    }
    if (hadSome) await requireNoneLooser(issued, desk);
    const codes = people.flatMap(({ subject }) => issued.get(subject) ?? []);
    const bytes = await this.#append(codes);
    const { done, leaves } = this.#journal;
    const without = people.flatMap(({ subject }, i) =>
      issued.has(subject) || refused.has(subject) ? [] : [done + i + 1],
    );
    const { count: before, rows } = this.forgotten;
    await this.#note({
      ...(without.length > 0 && {
        forgotten: { count: before + without.length, rows: [...rows, ...without].slice(0, ROWS_KEPT) },
      }),
      ...(refused.size > 0 && { refused: this.refused + refused.size }),
      done: done + people.length,
      bytes,
      leaves: withLeaves(leaves, codes),
      inHand: undefined,
    });
    // Nobody can lose them any more.
    await desk.closeHandovers(await desk.openHandovers());
  }

  /** All codes are written: the file gets its name, unless it has that already. */
  async finish(desk: Desk): Promise<void> {
    await desk.closeHandovers(await desk.openHandovers());
    if ((await statIfPresent(partOf(this.#out))) !== undefined) await moveFile(partOf(this.#out), this.#out);
    // Facts of people lie nowhere once the run is gone that would have taken them away.
    await removeFile(decidedOf(this.#out));
    await removeFile(journalOf(this.#out));
  }

  /** Nothing was issued, and nothing is in hand: it leaves nothing behind. */
  async drop(): Promise<void> {
    await removeFile(journalOf(this.#out));
    await removeFile(decidedOf(this.#out));
  }

  /** The order of the batch in hand: that which was given before, as long as a node is sure to remember it. */
  async #order(desk: Desk, modules: IssueModules): Promise<Omit<BatchOrder, 'has'>> {
    const { inHand, since = await desk.ordered() } = this.#journal;
    const nowS = modules.nowS();
    if (nowS - since.atS > RUN_S_MAX) throw tooOld(this.#out);
    if (inHand !== undefined && nowS - inHand.order.atS < AGAIN_S_MAX) return { ...inHand.order, since };
    const { key, atS } = newOrder(modules);
    const order = { key, atS };
    const begun = inHand ?? { sizes: await sizesOf(desk), sinceS: atS };
    await this.#note({ since, inHand: { ...begun, order } });
    return { ...order, since };
  }

  /**
   * Codes of these people, as they were ordered, that were issued since the batch in hand was begun, whatever became of the command then.
   * Others may have been issued to them meanwhile, as by an update of colours: those are not of the run.
   */
  async #found(people: readonly Person[], desk: Desk, sha256: Sha256): Promise<Map<string, IssuedCode>> {
    const found = new Map<string, IssuedCode>();
    const { inHand } = this.#journal;
    if (inHand === undefined) return found;
    const { sizes, sinceS } = inHand;
    const wanted = new Map(people.map((person) => [person.subject, person]));
    const others: OtherCode[] = [];
    for (const { log } of desk.state.logs())
      for await (const held of desk.held({ log, from: sizes[log] ?? 0 })) {
        if ('givenUp' in held) continue;
        const { subject, index, code } = held;
        const person = wanted.get(subject);
        if (person === undefined) continue;
        const parsed = parseCode(sha256, code);
        const { colour, ruleId: rule } = parsed.status;
        if (isAsOrdered(person, parsed, sinceS)) found.set(subject, { subject, log: held.log, index, code });
        else others.push({ subject, log: held.log, index, colour, rule });
      }
    this.#revoked += [...found.values()].filter(({ log, index }) =>
      desk.state.revoked(log)?.has(index),
    ).length;
    this.#others.push(...others.filter(({ subject }) => !found.has(subject)));
    return found;
  }

  /** Behind what is done, in place of what a broken off run may have written there. Gives the bytes that count then. */
  async #append(codes: readonly IssuedCode[]): Promise<number> {
    const { bytes: start } = this.#journal;
    const file = await open(partOf(this.#out), 'a', 0o600);
    try {
      await file.truncate(start);
      let at = start;
      for (const text of codesText(codes, this.#format, start === 0)) {
        const bytes = Buffer.from(text);
        await file.appendFile(bytes);
        at += bytes.length;
      }
      await file.sync();
      return at;
    } finally {
      await file.close();
    }
  }

  async #note(change: Partial<Journal>): Promise<void> {
    const journal = { ...this.#journal, ...change };
    await writeFileAtomically(journalOf(this.#out), `${JSON.stringify(journal)}\n`, { mode: 0o600 });
    this.#journal = journal;
  }
}

async function requireNew(path: string, hint: string): Promise<void> {
  if ((await statIfPresent(path)) !== undefined) throw usageError(`${printable(path)} exists already`, hint);
}

function journalOf(out: string): string {
  return `${out}.run`;
}

/** Where a run keeps what rules decided. */
export function decidedOf(out: string): string {
  return `${out}.decided`;
}

function partOf(out: string): string {
  return `${out}.part`;
}

async function sizesOf(desk: Desk): Promise<Record<string, number>> {
  await desk.publish();
  const logs = [...desk.state.logs()].map(({ log }) => log);
  return Object.fromEntries(await Promise.all(logs.map(async (log) => [log, await desk.size(log)] as const)));
}

/** What came of an order, where those who got no code may be left out. */
function withoutRefused(onRefused: IssueModules['onRefused']): (error: unknown) => PartlyIssued['part'] {
  return (error) => {
    if (onRefused === undefined || !(error instanceof PartlyIssued) || error.part.refused.length === 0)
      throw error;
    onRefused(error);
    return error.part;
  };
}

function withLeaves(leaves: Journal['leaves'], codes: readonly IssuedCode[]): Journal['leaves'] {
  const all = new Map(Object.entries(leaves));
  for (const { log, index } of codes) {
    const [least, greatest] = all.get(log) ?? [index, index];
    all.set(log, [Math.min(least, index), Math.max(greatest, index)]);
  }
  return Object.fromEntries(all);
}

function tooOld(out: string): CliError {
  const message = `the run of ${printable(journalOf(out))} was begun more than a week ago, and it is not known any more who was forgotten since`;
  return new CliError(EXIT.failure, 'RUN_OLD', message, {
    hint: `Move that away, and ${printable(partOf(out))}, which has the codes of the batches before. \`entente codes\` prints those of the one in hand. Issue to the others by a file of their own, without whoever was forgotten.`,
  });
}
