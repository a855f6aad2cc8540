/** Regions in memory whose local codes are numbers. */
import { type DaySeeds } from '../../node/lookup/day-seeds.ts';
import { type NumbersReport } from '../../node/lookup/numbers.ts';
import { ANY_PLACE, type Verdict } from '../../protocol/verdict/verdict.ts';
import { lookupKeyPair } from '../../protocol/lookup/oblivious.ts';
import { dayOf, opaqueAdapterData } from '../../protocol/lookup/opaque-adapter.ts';
import { NETWORK, type NodeWorld } from './node-fixture.ts';
import { DAY_S, START_S } from './region-fixture.ts';
import { sha256 } from './primitives.ts';

export const START_DAY = dayOf(START_S);

/** The seeds of days, none of which lies on a disk. */
export class MemorySeeds implements DaySeeds {
  readonly held = new Map<number, Uint8Array>();
  readonly evaluated = new Map<number, Uint8Array>();

  constructor(name: string, days: readonly number[]) {
    for (const day of days) this.held.set(day, sha256(Buffer.from(`${name} ${day}`)));
  }

  days(): Promise<readonly number[]> {
    return Promise.resolve([...this.held.keys()]);
  }

  read(day: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.held.get(day)?.slice());
  }

  readEvaluated(day: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.evaluated.get(day)?.slice());
  }

  keepEvaluated(day: number, bytes: Uint8Array): Promise<void> {
    this.evaluated.set(day, bytes);
    return Promise.resolve();
  }

  destroy(day: number): Promise<void> {
    this.held.delete(day);
    this.evaluated.delete(day);
    return Promise.resolve();
  }
}

export const DAYS = [START_DAY, START_DAY + 1, START_DAY + 2];

/** A row for each number, green for a week unless it says otherwise. */
export function csvOf(numbers: readonly string[], colour = 'green', untilS = START_S + 7 * DAY_S): string {
  const until = new Date(1_000 * untilS).toISOString().replace('.000', '');
  return ['number,colour,until', ...numbers.map((number) => `${number},${colour},${until}`), ''].join('\n');
}

export async function* fileOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}

/** Announces in the trust log of a region how its numbers begin, and the keys of days that follow from these seeds. */
export async function announce(
  world: NodeWorld,
  region: string,
  prefix: string,
  seeds: MemorySeeds,
  version = 1,
): Promise<void> {
  const { fixture, node } = world.machine(region);
  fixture.nowS = world.nowS;
  const keys = [...seeds.held]
    .sort(([a], [b]) => a - b)
    .map(([day, seed]) => ({
      day,
      publicKey: lookupKeyPair(seed, { region, network: NETWORK, day }).publicKey,
    }));
  const statement = {
    kind: 'adapter' as const,
    id: 'numbers',
    version,
    from: START_S - DAY_S,
    until: START_S + 30 * DAY_S,
    data: opaqueAdapterData(prefix, keys),
  };
  await world.run(node.submit({ entry: fixture.entryOf(statement) }));
}

/** The region recognises a peer by its adapters. */
export async function recogniseByAdapter(world: NodeWorld, region: string, peer: string): Promise<void> {
  const { fixture, node } = world.machine(region);
  fixture.nowS = world.nowS;
  const statement = { ...fixture.recognitionOf(world.machine(peer).fixture), way: 'adapter' as const };
  await world.run(node.submit({ entry: fixture.entryOf(statement) }));
}

export function importNumbers(world: NodeWorld, region: string, csv: string): Promise<NumbersReport> {
  return world.run(world.node(region).lookup.numbers.import(fileOf(csv)));
}

export function verify(world: NodeWorld, region: string, text: string, verifier?: string): Promise<Verdict> {
  return world.run(world.node(region).verify(text, { place: ANY_PLACE, mode: 'online' }, verifier));
}

/** Outcome and reasons in one line. */
export async function outcome(world: NodeWorld, region: string, text: string, verifier?: string) {
  const { outcome: told, reasons } = await verify(world, region, text, verifier);
  return [told, ...reasons.map(({ code }) => code).filter((code) => code !== 'NO_WITNESSES')].join(' ');
}
