/** To which device and which document the next code of a person is bound. */
import { hexBytes } from '../../protocol/bytes.ts';
import { type DocumentInput } from '../../protocol/code/document.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { type Dossier } from './dossier.ts';
import { isGranted } from './earlier.ts';

export interface BoundAs {
  readonly fields: Pick<Fields, 'holderKey' | 'document'>;
  /** In place of `fields.document`: its hash is still to be made. */
  readonly document: DocumentInput | undefined;
}

/**
 * `before`: what the code before was bound to. To the device that the person declared, or else the same as before; to the same document, but once an objection
 * was upheld, since that one may be another person's by now: then to the one that they declared, if any.
 */
export function boundAs(
  { declaration, objections }: Pick<Dossier, 'declaration' | 'objections'>,
  before: Pick<Fields, 'holderKey' | 'document'> | undefined,
): BoundAs {
  const { device, identity } = declaration;
  const holderKey = device === undefined ? before?.holderKey : hexBytes(device);
  const isSame = before?.document === undefined || !objections.some(isGranted);
  if (isSame) return { fields: { holderKey, document: before?.document }, document: undefined };
  const { country, number = '' } = identity.document ?? {};
  const document = country === undefined ? undefined : { country, number };
  return { fields: { holderKey, document: undefined }, document };
}
