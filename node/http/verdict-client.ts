/** Asking nodes for verdicts: the first that answers, whichever of them are up. */
import { hexOf } from '../../protocol/bytes.ts';
import { type AskedPlace } from '../../protocol/rules/asked-place.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { NodeError } from '../node-error.ts';
import { problem as problemSchema, verdict as verdictSchema } from './schemas.ts';

export interface VerdictClientOptions {
  /** Base URLs in the order in which they are asked; at least one. */
  readonly urls: readonly string[];
  /** Milliseconds that each has; 3 s by default. */
  readonly answerMsMax?: number;
  /** The token of an enrolled verifier: for codes that are mere numbers. */
  readonly token?: string | undefined;
}

export interface VerdictQuestion {
  /** In whose name is judged: nodes of this region give the verdict, and no others unless `anyHome` is said. */
  readonly home?: string | undefined;
  /** Where no node of the home gives a verdict, one of another region may, in its own name; by rules none does. */
  readonly anyHome?: boolean | undefined;
  /** What is not said of it the rules of the node's region say, if some are named. */
  readonly place?: AskedPlace | undefined;
  /** Rules of the trust log of the home, without one of the node's region; and the role of the person as they know it. */
  readonly rules?: string | undefined;
  readonly role?: string | undefined;
  readonly challenge?: Uint8Array | undefined;
}

export interface VerdictAnswer {
  readonly verdict: Verdict;
  /** Who gave it. */
  readonly url: string;
  /** In whose name, by the word of that node; undefined where no home was named, or the node did not say. */
  readonly judgedBy?: string | undefined;
  /** The first that was asked before and should have answered. */
  readonly insteadOf?: string | undefined;
}

const ANSWER_MS_MAX = 3_000;
const ANSWER_BYTES_MAX = 65_536;

export class VerdictClient {
  readonly #options: VerdictClientOptions;
  /** The one that answered last is asked first. */
  #first = 0;
  /** Those that have said that they are of another region than the home. */
  readonly #foreign = new Set<string>();

  constructor(options: VerdictClientOptions) {
    this.#options = options;
  }

  /**
   * The verdict of the first node that gives one, and who gave it in whose name. One to which the rules, the place or the role mean nothing is the last that
   * is asked: what has these names elsewhere are other rules.
   * @throws {NodeError} PEER_UNREACHABLE naming what each that was asked did instead; REFUSED where each of these answered that nobody can ask so, and not
   * only that it is of another region.
   */
  async verify(text: string, question: VerdictQuestion = {}): Promise<VerdictAnswer> {
    const { home, anyHome, rules } = question;
    const failures = new Map<string, unknown>();
    const own = await this.#firstOf(this.#inOrder(), text, question, failures);
    if (own !== undefined) return { ...own, judgedBy: home, insteadOf: failedFirst(failures) };
    // What has these names elsewhere are other rules. Without any the colour alone counts, whose nearest node may say it.
    const others = rules === undefined ? [...failures].filter(([, error]) => isOf(error, 'home')) : [];
    const insteadOf = failedFirst(failures);
    for (const [url, error] of anyHome === true ? others : []) {
      // It is held to the region that it named.
      const judgedBy = regionIn(error);
      const elsewhere = await this.#firstOf([url], text, { ...question, home: judgedBy }, failures);
      if (elsewhere !== undefined) return { ...elsewhere, judgedBy, insteadOf };
    }
    throw failureOf(failures, home, others.length > 0 && anyHome !== true);
  }

  /** From the one that answered last; those of other regions at the end. */
  #inOrder(): string[] {
    const { urls } = this.#options;
    const turned = [...urls.slice(this.#first), ...urls.slice(0, this.#first)];
    const own = turned.filter((url) => !this.#foreign.has(url));
    return [...own, ...turned.filter((url) => this.#foreign.has(url))];
  }

  /** The answer of the first of them that gives one; else undefined, and `failures` says what each did instead. */
  async #firstOf(
    urls: readonly string[],
    text: string,
    question: VerdictQuestion,
    failures: Map<string, unknown>,
  ): Promise<{ verdict: Verdict; url: string } | undefined> {
    for (const url of urls) {
      try {
        const verdict = await this.#ask(url, text, question);
        this.#first = this.#options.urls.indexOf(url);
        return { verdict, url };
      } catch (error) {
        failures.set(url, error);
        if (isOf(error, 'home')) this.#foreign.add(url);
        else if (isOf(error, 'place')) return undefined;
      }
    }
    return undefined;
  }

  async #ask(url: string, code: string, question: VerdictQuestion): Promise<Verdict> {
    const { token } = this.#options;
    const { home, place, rules, role, challenge } = question;
    const response = await fetch(new URL('/v1/verify', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ code, home, place, rules, role, challenge: challenge && hexOf(challenge) }),
      redirect: 'error',
      signal: AbortSignal.timeout(this.#options.answerMsMax ?? ANSWER_MS_MAX),
    });
    const body = await boundedText(response);
    if (response.status === INPUT_INVALID) throw refusalIn(body);
    if (!response.ok) throw new TypeError(`it answered ${response.status}`);
    const parsed = verdictSchema.safeParse(JSON.parse(body));
    if (!parsed.success) throw new TypeError('it answered with something else than a verdict');
    return parsed.data as Verdict;
  }
}

/** The status of a question that no node of this form takes, whoever asks. */
const INPUT_INVALID = 422;
/** What a node says of a question is shown to people: printable, and no longer than some lines. */
const SAYABLE = /^[\x20-\x7e]{1,1200}$/;

/** With what it finds something wrong, by the `at` of SPEC.md 15.3: the region of the node itself; rules, place or role. */
const SUBJECTS = { home: /^\/home$/, place: /^\/(rules|place|role)(\/|$)/ } as const;
type Subject = keyof typeof SUBJECTS;

/** A node that answers, but not to this question. */
class NotAsked extends Error {
  readonly of: Subject | undefined;

  constructor(message: string, of: Subject | undefined) {
    super(message);
    this.of = of;
  }
}

function isOf(error: unknown, subject: Subject): boolean {
  return error instanceof NotAsked && error.of === subject;
}

/** The first that did not say merely that it is of another region. */
function failedFirst(failures: ReadonlyMap<string, unknown>): string | undefined {
  return [...failures].find(([, error]) => !isOf(error, 'home'))?.[0];
}

/** The region that a node of another than the home says it is of. */
function regionIn(error: unknown): string | undefined {
  return error instanceof Error
    ? /this node is of ([A-Z]{2}(?:-[A-Z0-9]{1,3})?),/.exec(error.message)?.[1]
    : undefined;
}

function failureOf(
  failures: ReadonlyMap<string, unknown>,
  home: string | undefined,
  areOthersLeft: boolean,
): NodeError {
  const all = [...failures].map(([url, error]) => `${url}: ${reasonOf(error)}`).join('; ');
  const isRefused = (error: unknown) => error instanceof NotAsked && error.of !== 'home';
  const own = [...failures.values()].filter((error) => !isOf(error, 'home'));
  if (own.length > 0 && own.every(isRefused))
    return new NodeError('REFUSED', `no node takes the question: ${all}`, {
      hint: 'Ask in another way, or another node with --node: rules and places are those of its region.',
    });
  const of = home === undefined ? '' : ` of ${home}`;
  return new NodeError('PEER_UNREACHABLE', `no node${of} gave a verdict: ${all}`, {
    retry: true,
    hint: `Ask another node${of} with --node, or judge offline by a snapshot.${areOthersLeft ? ' By --any-home a node of another region judges, in the name of its own.' : ''}`,
  });
}

/** What is wrong with a question, by the words of the node; where they cannot be shown, its status. */
function refusalIn(body: string): NotAsked {
  const faults = problemIn(body);
  const text = faults.map(({ at, detail }) => `${at} ${detail}`).join('; ');
  const of = (['home', 'place'] as const).find((one) => faults.some(({ at }) => SUBJECTS[one].test(at)));
  return new NotAsked(SAYABLE.test(text) ? text : `it answered ${INPUT_INVALID}`, of);
}

function problemIn(body: string): readonly { readonly at: string; readonly detail: string }[] {
  try {
    return problemSchema.parse(JSON.parse(body)).errors ?? [];
  } catch {
    return [];
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += (part as Uint8Array).length;
    if (length > ANSWER_BYTES_MAX) throw new TypeError('its answer is too long');
    parts.push(part as Uint8Array);
  }
  return Buffer.concat(parts).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
