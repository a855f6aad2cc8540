/** What an announcement would change of the one before it under the same id. */
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { readAdapter } from '../../protocol/foreign/adapter.ts';
import { type ForeignKey, nameOfKey } from '../../protocol/foreign/foreign-keys.ts';
import { type Authority } from '../../protocol/foreign/seal-authority.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { isAnnouncing, piecesOf } from './announcement.ts';

export interface AnnouncedBefore {
  /** Codes that were issued before do not count. Seconds since 1970; 0 for no bound. */
  readonly fromS: number;
  readonly keys: readonly ForeignKey[];
  readonly authorities: readonly Authority[];
  /** Names of keys of signers for whom no authority vouches: for good, whatever is announced next. */
  readonly refused: readonly Uint8Array[];
}

/** Keys that are named where some are left out. */
const NAMED_MAX = 5;

/** What is announced under an id now, in all its pieces; undefined where nothing is, or only what nobody can read. */
export function announcedBefore(state: TrustState, id: string): AnnouncedBefore | undefined {
  const pieces = piecesOf(state, id).filter(isAnnouncing);
  const read = pieces.flatMap((piece) => {
    try {
      return [readAdapter(piece)];
    } catch (error) {
      if (isProtocolError(error)) return [];
      throw error;
    }
  });
  if (read.length === 0) return undefined;
  return {
    fromS: Math.min(...pieces.map(({ fromS }) => fromS)),
    keys: read.flatMap(({ keys }) => keys),
    authorities: read.flatMap(({ authorities }) => authorities),
    refused: read.flatMap(({ refused }) => refused),
  };
}

/** The keys of an announcement that are not among those of the next. */
export function leftOut(
  { keys }: Pick<AnnouncedBefore, 'keys'>,
  next: readonly ForeignKey[],
): readonly ForeignKey[] {
  const stay = new Set(next.map(nameWithId));
  return keys.filter((key) => !stay.has(nameWithId(key)));
}

/** The authorities of an announcement that are not among those of the next, by their key ids in hexadecimal. */
export function authoritiesLeftOut(
  { authorities }: Pick<AnnouncedBefore, 'authorities'>,
  next: readonly Authority[],
): readonly string[] {
  const nameOf = ({ country, name, keyId, publicKey }: Authority) =>
    [country, hexOf(name), hexOf(keyId), nameOfKey(publicKey)].join(' ');
  const stay = new Set(next.map(nameOf));
  return authorities.filter((one) => !stay.has(nameOf(one))).map(({ keyId }) => hexOf(keyId));
}

/** @throws {CliError} KEYS_LEFT_OUT where there are any: seals of all signers that they vouch for would count no more. */
export function requireNoAuthorityLeftOut(id: string, keyIds: readonly string[]): void {
  if (keyIds.length === 0) return;
  throw new CliError(
    EXIT.failure,
    'KEYS_LEFT_OUT',
    `authorities that ${printable(id)} announces now are not among these (by key id: ${keyIds.slice(0, NAMED_MAX).join(', ')}${keyIds.length > NAMED_MAX ? ', ...' : ''}): no seal of a signer that they issued would count any more`,
    {
      hint: 'Nothing was announced. Name their certificates too (--authorities may be given several times), or say --drop-keys if these seals are to be refused.',
    },
  );
}

/** @throws {CliError} KEYS_LEFT_OUT where there are any: what they have signed would count no more, whenever that was. */
export function requireNoneLeftOut(id: string, keys: readonly ForeignKey[]): void {
  if (keys.length === 0) return;
  const named = keys.slice(0, NAMED_MAX).map(({ keyId }) => printable(keyId));
  const more = keys.length > NAMED_MAX ? ', ...' : '';
  throw new CliError(
    EXIT.failure,
    'KEYS_LEFT_OUT',
    `${counted(keys.length, 'key')} that ${printable(id)} announces now ${keys.length === 1 ? 'is' : 'are'} not among these (${named.join(', ')}${more}): no code that ${keys.length === 1 ? 'it' : 'they'} signed would count any more, however old it is`,
    {
      hint: 'Nothing was announced. Name the lists that have them too (--keys may be given several times), or say --drop-keys if their codes are to be refused.',
    },
  );
}

function nameWithId({ issuer, keyId, publicKey }: ForeignKey): string {
  return `${issuer} ${keyId} ${nameOfKey(publicKey)}`;
}
