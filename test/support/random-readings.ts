/** Readers of snapshots to whom anything may happen, and what this library makes of it, in the words of the vectors. */
import { type Holdings } from '../../protocol/snapshot/apply.ts';
import { type SnapshotPart } from '../../protocol/snapshot/snapshot.ts';
import { type KeyRole } from '../../protocol/trust/trust-state.ts';
import { type Reading, type Step } from '../vectors/generate/snapshot-reading.ts';
import { type RegionFixture, type TestKey } from './region-fixture.ts';
import { seeded } from './seeded.ts';
import { Federation, HOME, modules, NETWORK, noteOf, NOW_S } from './snapshot-fixture.ts';
import { playStep } from './snapshot-vectors.ts';

const REGIONS = ['CN-33', HOME, 'FR', 'IT'];
const STEPS = 5;
/** Seconds between now and a cosignature; more than 120 do not count. */
const TIMES_S = [0, 0, 0, -100, -100_000, 120, 121];

type Draw = (bound: number) => number;

/** The same seed gives the same reading. */
export function randomReading(seed: number): Pick<Reading, 'reader' | 'steps'> {
  const random = seeded(seed);
  return new RandomReading((bound) => Math.floor(random() * bound)).play();
}

/** A region, the keys that its log named in the course of time, and a second log that its operator may sign. */
class Member {
  readonly logs: readonly [RegionFixture, RegionFixture];
  readonly keys: Record<'witness' | 'checkpoint', TestKey[]>;
  readonly #draw: Draw;

  constructor(draw: Draw, region: RegionFixture, twin: RegionFixture) {
    this.#draw = draw;
    this.logs = [region, twin];
    this.keys = { witness: [region.keys.witness], checkpoint: [region.keys.checkpoint] };
  }

  /** Something is appended, whether it passes or not. */
  happen(others: readonly Member[]): void {
    const region = this.logs[this.#draw(6) === 0 ? 1 : 0];
    region.nowS += 60 * this.#draw(3);
    const peer = this.#pick(others).logs[0];
    const version = 2 + this.#draw(3);
    const size = this.#draw(region.entries.length + 1);
    const cutOff = { size, root: region.rootAt(size) };
    const statements = [
      () => region.revocation([this.#draw(6)]),
      () => region.stateStatement(),
      () => this.#named(region, 'witness'),
      () => this.#named(region, 'checkpoint'),
      () => region.compromise(this.#pick(this.keys.witness), {}),
      () => region.compromise(this.#pick(this.keys.checkpoint), {}),
      () => region.compromise(region.keys['trust-log'], { trust: cutOff }, version),
      () => ({ kind: 'withdrawal', region: peer.region, version }) as const,
      () => ({ kind: 'suspension', region: peer.region, version: 1 }) as const,
      () => ({ ...region.recognitionOf(peer, version), way: this.#pick(['direct', 'hosted'] as const) }),
    ];
    // The first are what mostly happens: a home that disowns its witnesses reads nothing more.
    const kinds = this.#draw(3) === 0 ? statements.length : 4;
    region.offer(region.entryOf(this.#pick(statements.slice(0, kinds))()));
  }

  #named(region: RegionFixture, role: KeyRole & keyof Member['keys']) {
    const key = region.key(`${role} ${this.keys[role].length}`);
    this.keys[role].push(key);
    return region.keysStatement([{ key, role }]);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#draw(list.length)] as T;
  }
}

class RandomReading {
  readonly #draw: Draw;
  readonly #members: ReadonlyMap<string, Member>;
  #held: Holdings | undefined;

  constructor(draw: Draw) {
    this.#draw = draw;
    const [first, second] = [new Federation(...REGIONS), new Federation(...REGIONS)];
    this.#members = new Map(
      REGIONS.map((name) => [name, new Member(draw, first.region(name), second.region(name))]),
    );
  }

  play(): Pick<Reading, 'reader' | 'steps'> {
    const pin = this.#member(HOME).logs[0].fingerprint;
    const reader = { home: HOME, network: NETWORK, pin };
    const steps: Step[] = [];
    for (let step = 0, now = NOW_S; step < STEPS; step++, now += 30 * this.#draw(3)) {
      const names = REGIONS.filter(() => step === 0 || this.#draw(5) > 0);
      // What is wrong from the beginning leaves nothing to compare.
      const parts = names.map((name) =>
        step === 0 ? this.#part(name, now, true) : this.#anyPart(name, now),
      );
      const input = { now, network: NETWORK, parts };
      const { result, held } = playStep(modules, reader, { ...input, texts: [] }, this.#held);
      this.#held = held;
      steps.push({ ...input, ...result });
      for (const [name, member] of this.#members) {
        const others = [...this.#members.values()].filter((other) => other !== this.#member(name));
        for (let happens = this.#draw(4); happens > 0; happens--) member.happen(others);
      }
    }
    return { reader, steps };
  }

  #member(name: string): Member {
    return this.#members.get(name) as Member;
  }

  #anyPart(name: string, nowS: number): SnapshotPart {
    // The home's checkpoint is mostly one that can be taken: else nothing is.
    return this.#spoilt(this.#part(name, nowS, name === HOME && this.#draw(5) > 0));
  }

  #part(name: string, nowS: number, isGood: boolean): SnapshotPart {
    const { logs, keys } = this.#member(name);
    const region = logs[isGood || this.#draw(6) > 0 ? 0 : 1];
    const checkpointKey = (
      isGood || this.#draw(3) > 0 ? keys.checkpoint.at(-1) : keys.checkpoint[0]
    ) as TestKey;
    const witnesses = [...this.#members].flatMap(([by, { keys }]) =>
      keys.witness
        .filter(() => isGood || this.#draw(3) > 0)
        .map((witness) => ({ region: by, keys: { witness } })),
    );
    const atS = nowS + (isGood ? 0 : (TIMES_S[this.#draw(TIMES_S.length)] ?? 0));
    const checkpoint = noteOf(region, witnesses, { by: REGIONS, atS, checkpointKey });
    const from = this.#held?.logs.get(name)?.fold.size;
    const base = region.fold.newestBase();
    const kind = this.#draw(4);
    if (kind < 2 && from !== undefined) {
      return { region: name, checkpoint, from, entries: region.entries.slice(from) };
    }
    const { index, ...start } = kind === 2 && base ? base : { index: 0, frontier: [], items: [] };
    return { region: name, checkpoint, from: index, entries: region.entries.slice(index), base: start };
  }

  /** Sometimes with a fault. */
  #spoilt(part: SnapshotPart): SnapshotPart {
    const { checkpoint, from, entries, base } = part;
    switch (this.#draw(36)) {
      case 0:
        return { ...part, checkpoint: this.#flipped(checkpoint) };
      case 1:
        return { ...part, entries: this.#oneFlipped(entries) };
      case 2:
        return { ...part, entries: entries.slice(0, -1) };
      case 3:
        return { ...part, entries: entries.toReversed() };
      case 4:
        return base === undefined ? { ...part, from: from + 1 } : part;
      case 5:
        return base === undefined
          ? part
          : { ...part, base: { ...base, items: this.#oneFlipped(base.items) } };
      case 6:
        return base === undefined ? part : { ...part, base: { ...base, items: base.items.slice(1) } };
      case 7:
        return base === undefined
          ? part
          : { ...part, base: { ...base, frontier: base.frontier.toReversed() } };
      default:
        return part;
    }
  }

  #oneFlipped(list: readonly Uint8Array[]): Uint8Array[] {
    const place = this.#draw(list.length);
    return list.map((bytes, i) => (i === place ? this.#flipped(bytes) : bytes));
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const place = this.#draw(bytes.length);
    return bytes.with(place, (bytes[place] ?? 0) ^ (1 << this.#draw(8)));
  }
}
