/** Small values that are kept sealed, as JSON: what was opened is held against its schema. */
import { type z } from 'zod';
import { NodeError } from '../node-error.ts';

const NOTHING_ELSE = 'Nothing else is concerned; where newer software wrote it, go back to that.';

/**
 * `hint`: what can be done about it.
 * @throws {NodeError} REGISTRY_CORRUPT, of this entry alone, for what is no JSON of that schema, as other software may have written it.
 */
export function parseSealedJson<T>(
  schema: z.ZodType<T>,
  name: string,
  opened: Uint8Array,
  hint = NOTHING_ELSE,
): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(opened).toString()));
  } catch {
    // Without its cause, which may quote what speaks of a person.
    throw new NodeError('REGISTRY_CORRUPT', `${name} is not as this software keeps it`, { hint });
  }
}
