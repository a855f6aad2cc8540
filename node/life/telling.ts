/** What holders were told: of each the newest change, with its code. */
import { type Place } from '../registry/place-cipher.ts';
import { type ChangeKind, type Dossier } from './dossier.ts';

/** What somebody was told of: the code, and whether it came or was revoked. */
export interface Handed extends Place {
  readonly subject: string;
  readonly kind?: ChangeKind | undefined;
}

/** Whether that is the newest change. */
export function isNewest(dossier: Dossier | undefined, { log, index, kind }: Handed): boolean {
  const newest = dossier?.changes[0];
  const isSame = newest?.log === log && newest.index === index;
  return isSame && (newest.kind === 'revoked') === (kind === 'revoked');
}
