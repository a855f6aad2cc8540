/** Who may act on a region's directory, and the trail of what they did. */
import { Operators, type OperatorsModules } from '../operators/operators.ts';
import { Trail, type TrailModules } from '../operators/trail.ts';
import { type Config } from '../config/schema.ts';
import { type RegionLayout } from './layout.ts';

export interface ActingRecords {
  readonly operators: Operators;
  readonly trail: Trail;
}

/** For whoever holds the store open, since nobody else may write them meanwhile. Rejects as `Operators.open` and `Trail.open`. */
export async function openActingRecords(
  layout: RegionLayout,
  { admin }: Pick<Config, 'admin'>,
  modules: OperatorsModules & TrailModules,
): Promise<ActingRecords> {
  return {
    operators: await Operators.open(layout.operators, modules, { areRequired: admin.requireOperators }),
    trail: await Trail.open(layout.trail, modules),
  };
}
