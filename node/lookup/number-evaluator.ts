/** What the numbers of a list come to on a day: each is evaluated once, and kept beside the seed of the day. */
import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { lookupInput, type LookupKeyPair, secretOfInput } from '../../protocol/lookup/oblivious.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type Clock } from '../ports.ts';
import { type DayKeys, isOver } from './day-keys.ts';
import { NumberSecretsOfDay } from './number-secrets.ts';

/** What inputs come to under a secret key of 32 bytes, in their order, 32 bytes each. */
export type EvaluateInputs = (
  secretKey: Uint8Array,
  inputs: readonly Uint8Array[],
) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

export interface NumberEvaluatorModules extends Pick<Primitives, 'sha256'> {
  readonly keys: Pick<DayKeys, 'evaluated' | 'keepEvaluated'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Somewhere else than here, together with others; here by default. */
  readonly evaluateInputs?: EvaluateInputs | undefined;
  readonly stopping: AbortSignal;
}

interface OfDay {
  readonly publicKey: Uint8Array;
  readonly secrets: NumberSecretsOfDay;
}

const KEY_BYTES = 32;
/** Numbers evaluated here before others get a turn, and given away at a time: some 8 ms of work, and half a second. */
const TOGETHER_HERE = 4;
const TOGETHER_AWAY = 256;
/** The same of those that are evaluated already. */
const KNOWN_TOGETHER = 1_024;
/** Numbers evaluated before they are kept: some seconds' work. */
const KEPT_TOGETHER = 5_000;

export class NumberEvaluator {
  readonly #place: { readonly region: string; readonly network: string };
  readonly #modules: NumberEvaluatorModules;
  readonly #evaluateInputs: EvaluateInputs;
  readonly #together: number;
  readonly #days = new Map<number, OfDay>();

  constructor(place: { readonly region: string; readonly network: string }, modules: NumberEvaluatorModules) {
    const { sha256, evaluateInputs } = modules;
    this.#place = place;
    this.#modules = modules;
    this.#together = evaluateInputs === undefined ? TOGETHER_HERE : TOGETHER_AWAY;
    this.#evaluateInputs =
      evaluateInputs ?? ((key, inputs) => inputs.map((input) => secretOfInput(sha256, key, input)));
  }

  /** How many numbers are evaluated, by day. */
  get sizes(): ReadonlyMap<number, number> {
    return new Map([...this.#days].map(([day, { secrets }]) => [day, secrets.size]));
  }

  /** What different numbers come to on a day; undefined if it is to stop. Those that are known already take no time. Rejects as `DayKeys`. */
  async evaluate(
    day: number,
    pair: LookupKeyPair,
    numbers: readonly string[],
  ): Promise<NumberSecretsOfDay | undefined> {
    const { secrets } = await this.#ofDay(day, pair.publicKey);
    let unkept = 0;
    let together: string[] = [];
    for (const [i, number] of numbers.entries()) {
      if (i % KNOWN_TOGETHER === KNOWN_TOGETHER - 1 && (await this.#isEnded())) break;
      if (secrets.get(number) === undefined) together.push(number);
      if (together.length < this.#together && i < numbers.length - 1) continue;
      await this.#evaluateSome(secrets, pair.secretKey, together);
      unkept += together.length;
      together = [];
      if (unkept >= KEPT_TOGETHER) {
        await this.#keep(day, pair.publicKey, secrets);
        unkept = 0;
      }
      if (await this.#isEnded()) break;
    }
    if (unkept > 0) await this.#keep(day, pair.publicKey, secrets);
    if (this.#modules.stopping.aborted) return undefined;
    secrets.retain(numbers);
    return secrets;
  }

  destroy(day: number): void {
    this.#days.get(day)?.secrets.destroy();
    this.#days.delete(day);
  }

  /** What was kept by another key than the announced one, or is damaged, counts for nothing. */
  async #ofDay(day: number, publicKey: Uint8Array): Promise<OfDay> {
    const { sha256, keys } = this.#modules;
    const known = this.#days.get(day);
    if (known !== undefined && equalBytes(known.publicKey, publicKey)) return known;
    this.destroy(day);
    const kept = await keys.evaluated(day);
    const isOfKey = kept !== undefined && equalBytes(kept.subarray(0, KEY_BYTES), publicKey);
    const secrets = new NumberSecretsOfDay({ sha256 }, isOfKey ? kept.subarray(KEY_BYTES) : undefined);
    const ofDay = { publicKey, secrets };
    this.#days.set(day, ofDay);
    return ofDay;
  }

  async #evaluateSome(secrets: NumberSecretsOfDay, secretKey: Uint8Array, numbers: readonly string[]) {
    if (numbers.length === 0) return;
    const inputs = numbers.map((number) => lookupInput(this.#place, number));
    const found = await this.#evaluateInputs(secretKey, inputs);
    for (const [i, number] of numbers.entries()) secrets.set(number, found[i] as Uint8Array);
  }

  async #keep(day: number, publicKey: Uint8Array, secrets: NumberSecretsOfDay): Promise<void> {
    const { clock, keys } = this.#modules;
    if (isOver(day, Math.floor(clock.nowMs() / 1_000))) return;
    await keys.keepEvaluated(day, concatBytes(publicKey, secrets.encode()));
  }

  /** Lets others have a turn, and tells whether to stop. */
  async #isEnded(): Promise<boolean> {
    await new Promise(setImmediate);
    return this.#modules.stopping.aborted;
  }
}
