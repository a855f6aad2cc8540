/** Who prepares what a node issues: workers where its private tables can be shared with them, else the node itself. */
import { scryptInPool } from '../crypto/scrypt.ts';
import { type Prepare, prepareHere, type PreparingModules } from '../issuing/preparing.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import { WorkOrders, type WorkOrdersModules, type WorkOrdersOptions } from './work-orders.ts';

export interface Preparer {
  readonly prepare: Prepare;
  /** Workers that are there, as of the last look at them; undefined where there can be none. */
  readonly workers: number | undefined;
  /** Begins to look who works, and to take away what the dead have left. */
  start(): void;
  /** Finishes what is in hand, by itself. Safe to call twice. */
  stop(): Promise<void>;
}

export interface PreparerModules
  extends Omit<PreparingModules, 'scrypt'>, Pick<WorkOrdersModules, 'clock' | 'onTrouble'> {
  readonly tables?: SharedTables | undefined;
}

export function preparerOf(options: WorkOrdersOptions, modules: PreparerModules): Preparer {
  const { tables } = modules;
  const all = { ...modules, scrypt: scryptInPool };
  if (tables !== undefined) return new WorkOrders(options, { ...all, tables });
  return {
    prepare: (items) => prepareHere(items, all),
    workers: undefined,
    start: () => undefined,
    stop: () => Promise.resolve(),
  };
}
