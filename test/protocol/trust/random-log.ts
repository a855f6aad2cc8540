/** Random trust logs for properties: every kind of statement, in and out of order, and bytes that are none. */
import fc from 'fast-check';
import { type Finding } from '../../../protocol/trust/trust-state.ts';
import {
  DAY_S,
  HOUR_S,
  RegionFixture,
  type TestKey,
  type TestSigners,
  type TestStatement,
} from '../../support/region-fixture.ts';

const LOGS = ['2026-11', '2026-12', '2027-01'] as const;
const PEERS = ['FR', 'CN-33'] as const;

/** One thing that happens to a log. Numbers choose among what the log has by then. */
export type Step =
  | {
      readonly is: 'statement';
      readonly kind: string;
      readonly a: number;
      readonly b: number;
      readonly by: number;
    }
  | { readonly is: 'time'; readonly hours: number }
  | { readonly is: 'junk'; readonly bytes: Uint8Array }
  | { readonly is: 'again'; readonly place: number };

const KINDS = [
  'revocation',
  'revocation',
  'state',
  'state',
  'limits',
  'recognition',
  'withdrawal',
  'suspension',
  'rules',
  'log',
  'node',
  'keys',
  'compromise',
  'retirement',
  'root',
] as const;

const ROOT_KINDS: ReadonlySet<string> = new Set([
  'limits',
  'recognition',
  'withdrawal',
  'keys',
  'compromise',
  'retirement',
  'root',
]);

const statement: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('statement' as const),
  kind: fc.constantFrom(...KINDS),
  a: fc.nat(9),
  b: fc.nat(9),
  by: fc.nat(5),
});
const time: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('time' as const),
  hours: fc.oneof(
    { weight: 3, arbitrary: fc.nat(30) },
    { weight: 1, arbitrary: fc.integer({ min: 240, max: 900 }) },
  ),
});
const junk: fc.Arbitrary<Step> = fc.record({
  is: fc.constant('junk' as const),
  bytes: fc.uint8Array({ maxLength: 40 }),
});
const again: fc.Arbitrary<Step> = fc.record({ is: fc.constant('again' as const), place: fc.nat(99) });

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: statement },
    { weight: 3, arbitrary: time },
    { weight: 1, arbitrary: junk },
    { weight: 2, arbitrary: again },
  ),
  { minLength: 20, maxLength: 60 },
);

/** Writes a log step by step; whatever the step, an entry is appended or the clock goes on. */
export class RandomLog {
  readonly region = new RegionFixture({ rootKeys: 2, threshold: 1 });
  readonly #trustLogKeys: TestKey[] = [this.region.keys['trust-log']];
  #keyCount = 0;

  /** The finding of the entry that was appended, if one was and has one. */
  take(step: Step): Finding | undefined {
    const { region } = this;
    switch (step.is) {
      case 'time':
        region.nowS += step.hours * HOUR_S;
        return undefined;
      case 'junk':
        return region.offer(step.bytes);
      case 'again':
        return region.offer(region.entries[step.place % region.entries.length] as Uint8Array);
      case 'statement':
        return region.offer(region.entryOf(this.#statement(step), this.#signers(step.kind, step.by)));
    }
  }

  /** Mostly who may, and mostly the newest trust-log key, which is most often in its window. */
  #signers(kind: string, by: number): TestSigners {
    const isRight = by !== 5;
    if (isRight === ROOT_KINDS.has(kind) || by === 0) return 'root';
    return [this.#trustLogKeys.at(by < 4 ? -1 : -by % this.#trustLogKeys.length) as TestKey];
  }

  #statement({ kind, a, b }: Step & { is: 'statement' }): TestStatement {
    const { region } = this;
    const version = Math.floor(a / 3) + Math.floor(region.entries.length / 8);
    const peer = { region: PEERS[a % 2] as string, fingerprint: new Uint8Array(32).fill(b) };
    const log = LOGS[a % 3] as string;
    switch (kind) {
      case 'revocation':
        return region.revocation(
          ascending([a, b, 65_530 + b, 1_000_000 + a * b, region.entries.length]),
          log,
        );
      case 'state':
        return region.stateStatement();
      case 'limits':
        return { kind, version, revocationsPerHour: 3 + b };
      case 'recognition':
        return { ...region.recognitionOf(peer, version), until: region.nowS + b * DAY_S + 1, from: 0 };
      case 'withdrawal':
        return { kind, region: peer.region, version };
      case 'suspension':
        return {
          kind,
          region: peer.region,
          version: region.state.recognition(peer.region)?.version ?? version,
        };
      case 'rules':
        return { kind, id: `rules-${a % 4}`, version, from: b, data: { [`k${b}`]: a } };
      case 'log':
        return { kind, log, minimum: b };
      case 'node':
        return {
          kind,
          key: region.key(`node ${a}`).publicKey,
          addresses: [`${b}`],
          from: 0,
          until: region.nowS + (b - 2) * DAY_S + 1e6,
        };
      case 'keys':
        return this.#keys(b);
      case 'root':
        return region.rootStatement({ version: (region.state.root?.version ?? 0) + 1 - (a % 2) });
      case 'retirement': {
        const key = this.#trustLogKeys[a % this.#trustLogKeys.length] as TestKey;
        const hourS = region.nowS - (region.nowS % HOUR_S);
        return region.retirement(b === 9 ? region.keys.attest : key, hourS + (1 + 7 * b) * HOUR_S, version);
      }
      default:
        return this.#compromise(a, b, version);
    }
  }

  #keys(days: number): TestStatement {
    const { region } = this;
    const name = `random ${this.#keyCount++}`;
    const key = region.key(`${name} trust-log`);
    this.#trustLogKeys.push(key);
    const from = region.nowS - (region.nowS % HOUR_S);
    const until = from + (1 + 3 * days) * DAY_S;
    return region.keysStatement([
      { key, role: 'trust-log', from, until },
      { key: region.key(`${name} attest`), role: 'attest', from, until },
    ]);
  }

  #compromise(a: number, b: number, version: number): TestStatement {
    const { region } = this;
    const key = this.#trustLogKeys[a % this.#trustLogKeys.length] as TestKey;
    const size = Math.max(0, region.entries.length - 2 * b);
    return region.compromise(
      b === 9 ? region.keys.attest : key,
      b === 0 ? {} : { trust: { size, root: region.rootAt(size) } },
      version,
    );
  }
}

function ascending(indexes: readonly number[]): readonly number[] {
  return [...new Set(indexes)].sort((a, b) => a - b);
}
