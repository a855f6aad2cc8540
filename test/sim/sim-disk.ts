/** The disk of a process: takes time, names the step that each write is, and fails or ends the process at the step that is asked for. */
import { type Change, type Disk, type HighWater, type SecondPlace } from '../../node/ports.ts';
import { type FaultyMedium, type PlannedFault } from '../support/faulty-disk.ts';
import { type MemorySecondPlace } from '../support/memory-second-place.ts';
import { type Life, never } from './life.ts';
import { type Trace } from './trace.ts';

/** The writes of a node by what they make durable. */
export const WRITE_STEPS = [
  'stage',
  'log',
  'checkpoint',
  'copy',
  'witness',
  'registry',
  'fork',
  'base',
  'second place',
] as const;
export type WriteStep = (typeof WRITE_STEPS)[number] | 'other';

/** What is to go wrong at the next write of a step. */
export interface Ambush extends Omit<PlannedFault, 'write'> {
  /** Undefined for a write of whatever step. */
  readonly step: WriteStep | undefined;
  /** So many such writes go well before; none by default. */
  readonly skip?: number;
  /** Told when it comes. */
  readonly onSprung?: (step: WriteStep) => void;
}

/** What happened at which step. */
export type SprungListener = (step: WriteStep, ambush: Ambush) => void;

/** Several owners may share a write: it is named after the first of them that is a step of an own log, or else the first. */
export function stepOf(changes: readonly Change[], region: string): WriteStep {
  let found: WriteStep = 'other';
  for (const change of changes) {
    const step = stepOfKey('put' in change ? change.put : change.del, region);
    if (step === 'stage' || step === 'log') return step;
    if (found === 'other' || step === 'checkpoint') found = step;
  }
  return found;
}

/** The parts of a log lie at `log/<region>.<network>/trust/...` and `log/<region>.<network>/attest/<log>/...`. */
function stepOfKey(key: string, region: string): WriteStep {
  const [owner = '', name = '', kind, ...rest] = key.split('/');
  if (owner !== 'log') return STEP_OF_OWNER[owner] ?? 'other';
  if (!name.startsWith(`${region}.`)) return 'copy';
  const part = kind === 'attest' ? rest[1] : rest[0];
  if (part === 'staged' || part === 'drafts') return 'stage';
  return part === 'head' ? 'checkpoint' : 'log';
}

/** By the first part of a key. */
const STEP_OF_OWNER: Readonly<Record<string, WriteStep>> = {
  witness: 'witness',
  registry: 'registry',
  fork: 'fork',
  trust: 'base',
};

export interface SimDiskModules {
  readonly region: string;
  /** Of the machine. */
  readonly name: string;
  readonly medium: FaultyMedium;
  readonly secondPlace: MemorySecondPlace;
  readonly life: Life;
  readonly trace: Trace;
  /** Milliseconds that one way to the disk takes. */
  readonly delay: () => Promise<void>;
  readonly onSprung: SprungListener;
}

/** Both places where a process keeps what it knows. */
export class SimDisk {
  readonly #modules: SimDiskModules;
  #ambush: Ambush | undefined;

  constructor(modules: SimDiskModules) {
    this.#modules = modules;
  }

  /** One at a time: the newer takes the place of the older. */
  lieInWait(ambush: Ambush): void {
    this.#ambush = ambush;
  }

  /** Whether an ambush waits. */
  get isWaiting(): boolean {
    return this.#ambush !== undefined;
  }

  forget(): void {
    this.#ambush = undefined;
  }

  disk(): Disk {
    const { medium, region, name, trace, delay } = this.#modules;
    const disk = medium.disk();
    return {
      open: () => disk.open(),
      close: () => disk.close(),
      getMany: (keys) => disk.getMany(keys),
      range: (from, to, options) => disk.range(from, to, options),
      compact: (from, to) => disk.compact(from, to),
      freeReserve: () => disk.freeReserve(),
      fillReserve: () => disk.fillReserve(),
      check: () => disk.check(),
      write: async (changes) => {
        await delay();
        const step = stepOf(changes, region);
        trace.note('write', `${name} ${step} ${changes.length}`);
        const ambush = this.#spring(step);
        if (ambush !== undefined) medium.plan({ ...ambush, write: medium.counters.writes + 1 });
        await disk.write(changes);
        await delay();
      },
    };
  }

  place(): SecondPlace {
    const { secondPlace, life, trace, name: owner, delay } = this.#modules;
    return {
      read: (name) => life.whileAlive(secondPlace.read(name)),
      raise: async (name: string, mark: HighWater) => {
        await delay();
        if (life.isDead) return never();
        trace.note('raise', `${owner} ${name} ${mark.size}`);
        const ambush = this.#spring('second place');
        if (ambush !== undefined) secondPlace.plan({ ...ambush, raise: secondPlace.raises + 1 });
        await life.whileAlive(secondPlace.raise(name, mark));
      },
      forget: (name) => life.whileAlive(secondPlace.forget(name)),
      names: (prefix) => life.whileAlive(secondPlace.names(prefix)),
    };
  }

  #spring(step: WriteStep): Ambush | undefined {
    const ambush = this.#ambush;
    if (ambush === undefined || (ambush.step !== undefined && ambush.step !== step)) return undefined;
    const { skip = 0 } = ambush;
    this.#ambush = skip > 0 ? { ...ambush, skip: skip - 1 } : undefined;
    if (skip > 0) return undefined;
    ambush.onSprung?.(step);
    this.#modules.onSprung(step, ambush);
    return ambush;
  }
}
