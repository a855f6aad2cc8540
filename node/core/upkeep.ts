/** What keeps a store as it should be: reads all of it again and again, and heals from peers what is damaged or incomplete. */
import { type Clock } from '../ports.ts';
import { Scrub } from '../store/scrub.ts';
import { type Store } from '../store/store.ts';
import { storeError } from '../store/store-error.ts';
import { Healer, type HealerModules } from '../sync/healer.ts';
import { LogMender, type LogMenderModules } from '../sync/log-mender.ts';

export interface UpkeepOptions {
  /** See `RegionNodeOptions`. */
  readonly bootRetryMs: number;
  readonly scrubMs: number;
}

export interface UpkeepModules
  extends Omit<HealerModules, 'store'>, Omit<LogMenderModules, 'healer' | 'isIncomplete' | 'onTrouble'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

export function upkeepOf(
  { bootRetryMs, scrubMs }: UpkeepOptions,
  modules: UpkeepModules,
): { readonly mender: LogMender; readonly scrub: Scrub } {
  const { store, clock, onTrouble } = modules;
  const healer = new Healer(modules);
  const mender = new LogMender(
    { retryMs: bootRetryMs },
    { ...modules, healer, isIncomplete: () => store.incomplete },
  );
  const heal = (key: string) => healer.heal(key);
  const damaged = (damage: string) => onTrouble(storeError('STORE_CORRUPT', damage));
  return { mender, scrub: new Scrub({ pauseMs: scrubMs }, { store, clock, heal, damaged }) };
}
