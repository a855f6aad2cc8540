/**
 * Rows of overrides as they were kept before operators signed them: nobody confirms them any more, or goes on with them. They name people no longer than
 * others do, and whoever is to be forgotten is taken out of them.
 */
import { z } from 'zod';
import { COLOURS } from '../../protocol/code/status.ts';
import { OVERRIDE_REASONS } from '../../protocol/disclosure/override.ts';
import { NodeError } from '../node-error.ts';
import { type Turns } from '../turns.ts';
import { type DamagedOverride, type OverrideShelf } from './override-shelf.ts';

const by = z.strictObject({ name: z.string(), keyId: z.string(), atS: z.int() });
export const oldKeptSchema = z.strictObject({
  reason: z.enum(OVERRIDE_REASONS),
  colour: z.enum(COLOURS),
  days: z.int(),
  people: z.int(),
  subjects: z.array(z.string()),
  proposed: by,
  confirmed: by.optional(),
  missed: z.int().optional(),
  isBrokenOff: z.boolean().optional(),
});
export type OldKept = z.infer<typeof oldKeptSchema>;

export function oldError(id: string): NodeError {
  return new NodeError('REFUSED', `the override ${id} is from before operators signed what they propose`, {
    hint: 'Propose it anew for whoever has no code by it.',
  });
}

export interface OldOverridesModules {
  readonly shelf: Pick<OverrideShelf, 'old' | 'keep' | 'remove' | 'compact'>;
  readonly turns: Turns;
}

export class OldOverrides {
  readonly #modules: OldOverridesModules;

  constructor(modules: OldOverridesModules) {
    this.#modules = modules;
  }

  /** Names nobody any more: to be called once it is over. Rejects as the tables. */
  end({ id }: DamagedOverride): Promise<void> {
    return this.#keepOnly(id, () => false);
  }

  /** Rejects as the tables. */
  forget({ id }: DamagedOverride, subject: string): Promise<void> {
    return this.#keepOnly(id, (one) => one !== subject);
  }

  #keepOnly(id: string, isKept: (subject: string) => boolean): Promise<void> {
    const { shelf, turns } = this.#modules;
    return turns.take(id, async () => {
      const old = await shelf.old(id);
      const subjects = old?.subjects.filter(isKept);
      if (old === undefined || subjects === undefined || subjects.length === old.subjects.length) return;
      // What was confirmed stays to be seen, as others do.
      if (subjects.length === 0 && old.confirmed === undefined) await shelf.remove(id);
      else await shelf.keep(id, { ...old, subjects });
      await shelf.compact(id);
    });
  }
}
