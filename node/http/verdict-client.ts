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
  /** What is not said of it the rules of the node's region say, if some are named. */
  readonly place?: AskedPlace | undefined;
  /** Rules of the trust log of the node's region, and the role of the person as they know it. */
  readonly rules?: string | undefined;
  readonly role?: string | undefined;
  readonly challenge?: Uint8Array | undefined;
}

const ANSWER_MS_MAX = 3_000;
const ANSWER_BYTES_MAX = 65_536;

export class VerdictClient {
  readonly #options: VerdictClientOptions;
  /** The one that answered last is asked first. */
  #first = 0;

  constructor(options: VerdictClientOptions) {
    this.#options = options;
  }

  /**
   * The verdict of the first node that gives one, and who gave it. One to which the rules, the place or the role mean nothing is the last that is asked:
   * what has these names elsewhere are other rules.
   * @throws {NodeError} PEER_UNREACHABLE naming what each that was asked did instead; REFUSED where each of these answered that nobody can ask so.
   */
  async verify(text: string, question: VerdictQuestion = {}): Promise<{ verdict: Verdict; url: string }> {
    const { urls } = this.#options;
    const failures: string[] = [];
    let refused = 0;
    for (let i = 0; i < urls.length; i++) {
      const at = (this.#first + i) % urls.length;
      const url = urls[at] ?? '';
      try {
        const verdict = await this.#ask(url, text, question);
        this.#first = at;
        return { verdict, url };
      } catch (error) {
        if (error instanceof NotAsked) refused++;
        failures.push(`${url}: ${reasonOf(error)}`);
        if (error instanceof NotAsked && error.isOfPlace) break;
      }
    }
    if (refused === failures.length)
      throw new NodeError('REFUSED', `no node takes the question: ${failures.join('; ')}`, {
        hint: 'Ask in another way, or another node with --node: rules and places are those of its region.',
      });
    throw new NodeError('PEER_UNREACHABLE', `no node gave a verdict: ${failures.join('; ')}`, {
      retry: true,
      hint: 'Ask another node with --node, or judge offline by a snapshot.',
    });
  }

  async #ask(url: string, code: string, question: VerdictQuestion): Promise<Verdict> {
    const { token } = this.#options;
    const { place, rules, role, challenge } = question;
    const response = await fetch(new URL('/v1/verify', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ code, place, rules, role, challenge: challenge && hexOf(challenge) }),
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

/** What it finds wrong with rules, place or role: as `at` of SPEC.md 15.3. */
const OF_PLACE = /^\/(rules|place|role)(\/|$)/;

/** A node that answers, but not to this question. */
class NotAsked extends Error {
  readonly isOfPlace: boolean;

  constructor(message: string, isOfPlace: boolean) {
    super(message);
    this.isOfPlace = isOfPlace;
  }
}

/** What is wrong with a question, by the words of the node; where they cannot be shown, its status. */
function refusalIn(body: string): NotAsked {
  const faults = problemIn(body);
  const text = faults.map(({ at, detail }) => `${at} ${detail}`).join('; ');
  const isOfPlace = faults.some(({ at }) => OF_PLACE.test(at));
  return new NotAsked(SAYABLE.test(text) ? text : `it answered ${INPUT_INVALID}`, isOfPlace);
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
