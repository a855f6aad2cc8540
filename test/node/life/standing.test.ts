import assert from 'node:assert/strict';
import { stricterBy } from '../../../node/life/judging.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { byPlace } from '../../../node/registry/pages.ts';
import { type RegistryRecord } from '../../../node/registry/registry.ts';
import { LivingRegion } from '../../support/living-region.ts';
import { seeded } from '../../support/seeded.ts';

/** People of one walk; each has a life of its own, and updates look at all of them. */
const PEOPLE = [1, 2, 3, 4];
const MINUTES = 1 / 1_440;
/** Of 0.3 s each. More of them, and others, by hand: SEED says with which they begin. */
const WALKS = Number(process.env['WALKS'] ?? 5);
const STEPS = 60;

/** Somebody walks at random through all that can happen to colours, and looks after each update at what came of it. */
class Walk {
  readonly region: LivingRegion;
  readonly #random: () => number;
  /** What was done, for whoever reads a failure. */
  readonly done: string[] = [];
  /** Codes that orders gave, as in `log index`. */
  readonly #ordered = new Set<string>();
  /** When codes were first seen to be revoked, and when people declared last. */
  readonly #revokedAtS = new Map<string, number>();
  readonly #declaredAtS = new Map<number, number>();
  readonly #listed = new Map<number, 'key' | 'watch'>();

  constructor(region: LivingRegion, seed: number) {
    this.region = region;
    this.#random = seeded(seed);
  }

  async step(): Promise<void> {
    const n = this.#pick(PEOPLE);
    const what = this.#pick([...ACTS]);
    // Each at a moment of its own: what is from after something else is so by its time.
    this.region.later((what === 'later' ? this.#random() * 3_000 : 1 + this.#random() * 20) * MINUTES);
    this.done.push(`${what} ${n} at ${this.region.textOf(this.region.nowS)}`);
    await this.#act(what, n);
    for (const one of PEOPLE) for (const code of await this.#codes(one)) this.#see(code);
  }

  /** All that is over lets everybody go on by what they declare. */
  async end(): Promise<void> {
    this.region.later(31);
    this.#listed.clear();
    await this.#list();
    await this.region.declare(PEOPLE);
    await this.region.update();
    for (const n of PEOPLE) assert.equal(await this.region.codesOf(n), 'green', `P${n}`);
  }

  async #act(what: (typeof ACTS)[number], n: number): Promise<void> {
    const { region } = this;
    if (what === 'declare') {
      await region.declare([n], { symptoms: this.#random() < 0.2 });
      this.#declaredAtS.set(n, region.nowS);
    } else if (what === 'order') {
      const fact = this.#pick(['contact.close', 'contact.secondary', 'declaration.day']);
      const told = { [fact]: region.today };
      if (!(await region.mayOrder(n, told))) return;
      await region.order(n, told);
      const newest = (await this.#codes(n)).at(-1) ?? assert.fail();
      if (newest.fields.status.colour !== 'green') this.#ordered.add(nameOf(newest));
    } else if (what === 'update') await this.#update();
    else if (what === 'revoke') {
      const { log, index } = this.#pick(await this.#codes(n)) ?? {};
      if (log === undefined || index === undefined || region.isRevoked(index)) return;
      await region.process.revoker.revoke({ log, indexes: [index] });
    } else if (what === 'list') {
      const level = this.#pick(['key', 'watch', undefined, undefined] as const);
      if (level === undefined) this.#listed.delete(n);
      else this.#listed.set(n, level);
      await this.#list();
    } else if (what === 'object') await this.#object(n);
    else if (what === 'override') await region.override(n, this.#pick(['yellow', 'red']), 1);
  }

  async #list(): Promise<void> {
    const rows = [...this.#listed].map(
      ([n, level]) => `Person ${n},1990-05-17,${level},${this.region.today}\n`,
    );
    const nobody = `Nobody,1990-05-17,watch,${this.region.today}\n`;
    await this.region.list('control', `full_name,birth_date,level,since\n${rows.join('')}${nobody}`);
  }

  async #object(n: number): Promise<void> {
    const { life } = this.region;
    try {
      const { number } = await life.object(`P${n}`, 'No.');
      this.region.later(MINUTES);
      await life.decide(`P${n}`, { number, isUpheld: true, answer: 'True.' });
    } catch (error) {
      // Nobody declared, nothing to object to, or another one is to be settled first.
      if (!isNodeError(error, 'NOT_FOUND') && !isNodeError(error, 'REFUSED')) throw error;
    }
  }

  async #update(): Promise<void> {
    const before = new Map<number, readonly RegistryRecord[]>();
    for (const n of PEOPLE) {
      const codes = await this.#codes(n);
      codes.forEach((code) => this.#see(code));
      before.set(n, codes);
    }
    this.done.push(JSON.stringify(await this.region.update()));
    for (const n of PEOPLE) await this.#check(n, before.get(n) ?? []);
  }

  /** Nothing that an update gives is looser than what stands by an order, unless declared anew, upheld, or over. */
  async #check(n: number, before: readonly RegistryRecord[]): Promise<void> {
    if (!this.#declaredAtS.has(n)) return;
    const now = await this.#codes(n);
    const given = now.filter((code) => !before.some((other) => byPlace(other, code) === 0));
    const held = before.filter((code) => !this.#revokedAtS.has(nameOf(code)));
    const holds = (most: RegistryRecord) => held.some((code) => stricter(most, code) >= 0 && isByRules(code));
    for (const order of now.filter((code) => this.#ordered.has(nameOf(code)))) {
      if (await this.#isUpheld(n, order)) continue;
      const revokedAtS = this.#revokedAtS.get(nameOf(order));
      const isAnew = revokedAtS !== undefined && (this.#declaredAtS.get(n) ?? 0) > revokedAtS;
      const looser = given.filter((code) => stricter(order, code) > 0 && !isAnew && !holds(code));
      assert.deepEqual(looser.map(textOf), [], `P${n} got what is looser than ${textOf(order)}`);
      if (revokedAtS !== undefined || this.region.isRevoked(order.index)) continue;
      const beside = now.filter((code) => stricter(order, code) > 0 && !this.region.isRevoked(code.index));
      assert.deepEqual(beside.map(textOf), [], `P${n} holds what is looser beside ${textOf(order)}`);
    }
  }

  async #isUpheld(n: number, order: RegistryRecord): Promise<boolean> {
    const { objections } = await this.region.life.holder(`P${n}`, false);
    const codes = await this.#codes(n);
    return objections.some(({ state, about, decidedAtS = 0 }) => {
      if (about === undefined || state === 'open' || state === 'rejected') return false;
      if (byPlace(about, order) === 0) return true;
      const other = codes.find((code) => byPlace(code, about) === 0);
      const isOrdered = other !== undefined && this.#ordered.has(nameOf(other));
      return isOrdered && stricter(other, order) >= 0 && order.hour * 3_600 <= decidedAtS;
    });
  }

  #see(code: RegistryRecord): void {
    const name = nameOf(code);
    if (this.region.isRevoked(code.index) && !this.#revokedAtS.has(name))
      this.#revokedAtS.set(name, this.region.nowS);
  }

  async #codes(n: number): Promise<readonly RegistryRecord[]> {
    const records = await this.region.process.registry.ofSubject(`P${n}`);
    return records.filter(({ fields }) => fields.status.expiresAtS > this.region.nowS);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }
}

const ACTS = [
  'declare',
  'order',
  'order',
  'update',
  'update',
  'update',
  'revoke',
  'revoke',
  'list',
  'list',
  'object',
  'override',
  'later',
] as const;

function nameOf({ log, index }: RegistryRecord): string {
  return `${log} ${index}`;
}

function stricter(a: RegistryRecord, b: RegistryRecord): number {
  return stricterBy(a.fields.status, b.fields.status);
}

function isByRules({ fields }: RegistryRecord): boolean {
  return fields.status.ruleId === 'baseline';
}

function textOf(code: RegistryRecord): string {
  return `${code.fields.status.colour} ${code.index}`;
}

describe('What stands by an order by rules', () => {
  it('lets nothing looser come by an update, unless declared anew, upheld, or over, whatever happens in between', async function () {
    this.timeout(60_000);
    const first = Number(process.env['SEED'] ?? 1);
    for (let seed = first; seed < first + WALKS; seed++) {
      const walk = new Walk(await LivingRegion.open(), seed);
      try {
        for (let step = 0; step < STEPS; step++) await walk.step();
        await walk.end();
      } catch (error) {
        throw new Error(`walk ${seed}:\n${walk.done.join('\n')}`, { cause: error });
      } finally {
        await walk.region.process.stop();
      }
    }
  });
});
