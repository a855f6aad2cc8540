/** Who brought in what codes come to rest on, a list or a declaration: kept beside that, sealed as it is. */
import { z } from 'zod';
import { type Actor } from './scopes.ts';

export const broughtBySchema = z.strictObject({
  name: z.string(),
  /** Of an operator's key; none for `desk`, who is whoever knows the secret of the pages. */
  keyId: z.string().optional(),
});
export type BroughtBy = Readonly<z.infer<typeof broughtBySchema>>;

/** Undefined for who has no name of their own: while no operators are named, the secret of the node and whoever holds the directory. */
export function broughtBy({ name, keyId }: Pick<Actor, 'name' | 'keyId'>): BroughtBy | undefined {
  if (keyId !== undefined) return { name, keyId };
  return name === 'desk' ? { name } : undefined;
}

export function broughtByText({ name, keyId }: BroughtBy): string {
  return keyId === undefined ? name : `${name} ${keyId}`;
}
