/** Regions in memory whose local codes are numbers. */
import { type DaySeeds } from '../../node/lookup/day-seeds.ts';
import { type NumbersReport } from '../../node/lookup/numbers.ts';
import { ANY_PLACE, type Verdict } from '../../protocol/verdict/verdict.ts';
import { lookupKeyPair } from '../../protocol/lookup/oblivious.ts';
import { dayOf, opaqueAdapterData } from '../../protocol/lookup/opaque-adapter.ts';
import { NETWORK, NodeWorld } from './node-fixture.ts';
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
/** An enrolled verifier. */
export const GATE = 'gate-1';
/** Of a number that is listed as green. */
export const PASS = 'pass IDENTITY_CHECK';

export interface NumbersOfDe {
  readonly numbers: readonly string[];
  /** Other regions. DE recognises the first one alone. */
  readonly others?: readonly string[];
  /** Those of them that recognise DE by its adapter. */
  readonly gates?: readonly string[];
  /** Whose keys are announced. */
  readonly days?: readonly number[];
}

type WorldOptions = ConstructorParameters<typeof NodeWorld>[0];

/**
 * DE, which lists these numbers as green and has a table of today, if its key is announced; and other regions, of which gates know what DE announces and
 * each that DE recognises the first. Beats are far between: some tests let an hour pass.
 */
export async function worldOfNumbers(
  { numbers, others = ['FR'], gates = others, days = DAYS }: NumbersOfDe,
  options: WorldOptions = {},
): Promise<{ readonly world: NodeWorld; readonly seeds: MemorySeeds }> {
  const world = new NodeWorld({ beatMs: 120_000, intervalMs: 120_000, ...options });
  const seeds = new MemorySeeds('DE', days);
  const [first = ''] = others;
  await world.found('DE', { seeds });
  for (const region of others) await world.found(region);
  await world.recognise('DE', first);
  for (const gate of gates) await recogniseByAdapter(world, gate, 'DE');
  await announce(world, 'DE', 'DE-', seeds);
  await importNumbers(world, 'DE', csvOf(numbers));
  if (days.includes(START_DAY)) await newTable(world);
  for (const gate of gates) {
    await knowsNumbers(world, gate, 'DE');
    await world.until(
      () => world.node(gate).trust.regions.get('DE')?.state.recognition(first) !== undefined,
      `${gate} knows whom DE recognises`,
    );
  }
  await world.until(() => world.node('DE').trust.regions.has(first), `DE knows ${first}`);
  return { world, seeds };
}

/** Waits for a table of DE and today, another one than `before`: with the next minute at the latest. */
export function newTable(world: NodeWorld, before?: Uint8Array): Promise<void> {
  const hasNew = () => {
    const head = world.node('DE').lookup.head(START_DAY);
    return head !== undefined && head !== before;
  };
  return world.until(hasNew, 'a new table', 130);
}

/** Waits until a region knows how the numbers of another begin. */
export function knowsNumbers(world: NodeWorld, at: string, of: string, version = 1): Promise<void> {
  const adapters = () => [...(world.node(at).trust.regions.get(of)?.state.adapters() ?? [])];
  return world.until(
    () => adapters().some((adapter) => adapter.version === version),
    `${at} knows what ${of} announces`,
  );
}

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
