/** Who signs once a key has ended: that a purpose is left without one is not to happen unawares. */
import { Option } from 'commander';
import { keyNamesIn } from '../../node/region/key-file.ts';
import { firstGap } from '../../node/region/key-schedule.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Desk } from '../desk/desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import { rfc3339, timeText } from '../times.ts';

const HOUR_S = 3_600;

/** A key that the root lets end, or the identity of a node. */
export interface Ending {
  readonly keyId: string;
  readonly role: KeyRole | 'node';
  /** What is left of its window, and when that was to end. */
  readonly fromS: number;
  readonly untilS: number;
  readonly beforeS: number;
}

/** Those of a purpose that are in force at some time, but for what ends. */
export type Others = readonly Pick<TrustKey, 'keyId' | 'fromS' | 'untilS'>[];

/** Where keys are looked for, and when. `path`: the directory as the command names it. */
interface Place {
  readonly path: string;
  readonly atS: number;
  readonly sha256: Sha256;
}

/** What `leaveNoneOption` gives. */
export interface LeaveNoneOption {
  readonly leaveNone?: true;
}

/** A flag of all commands that let keys end. */
export function leaveNoneOption(): Option {
  return new Option('--leave-none', 'although for some time no key is left that could sign in their place');
}

/**
 * Requires of entries that the root has signed elsewhere what was required when they were drafted: each key that they let end has another in its place, as the
 * log and the directory stand by now, with what these entries themselves admit, let end and give up.
 * @throws {CliError} REFUSED
 */
export async function requireSuccessors(
  desk: Desk,
  entries: readonly Uint8Array[],
  { path, atS, sha256 }: Place,
): Promise<void> {
  const statements = entries.map((entry) => parseEntry(entry).statement);
  const endings = statements.flatMap((statement): Ending[] => {
    const key = statement.kind === 'retirement' ? desk.state.key(hexOf(statement.key)) : undefined;
    // One without effect is refused for that.
    if (statement.kind !== 'retirement' || key === undefined || statement.until >= key.untilS) return [];
    const { keyId, role, fromS, untilS: beforeS } = key;
    return [{ keyId, role, fromS, untilS: statement.until, beforeS }];
  });
  if (endings.length === 0) return;
  const files = new Set((await keyNamesIn(desk.layout.keys)).map(({ keyId }) => keyId));
  const admitted = statements
    .flatMap((statement) => (statement.kind === 'keys' ? statement.keys : []))
    .map(({ key, role, from: fromS, until: untilS }) => ({
      keyId: keyIdOf(sha256, key),
      role,
      fromS,
      untilS,
    }))
    .filter(({ keyId }) => files.has(keyId));
  const givenUp = new Set(
    statements.flatMap((statement) => (statement.kind === 'compromise' ? [hexOf(statement.key)] : [])),
  );
  for (const ending of endings) {
    const others = [
      ...(await othersOf(desk, ending.role, endings, sha256)),
      ...admitted.filter(({ role }) => role === ending.role),
    ].filter(({ keyId }) => !givenUp.has(keyId));
    requireSuccessor(ending, others, { path, atS });
  }
}

/** Keys of a role that are not given up and whose files are here, or identities of nodes, each with what is left of its window. */
export async function othersOf(
  { state, layout }: Desk,
  role: Ending['role'],
  endings: readonly Pick<Ending, 'keyId' | 'fromS' | 'untilS'>[],
  sha256: Sha256,
): Promise<Others> {
  const left = ({ keyId, fromS, untilS }: Others[number]) =>
    endings.find((ending) => ending.keyId === keyId) ?? { keyId, fromS, untilS };
  if (role === 'node')
    return [...state.nodes()].map(({ publicKey, ...node }) =>
      left({ ...node, keyId: keyIdOf(sha256, publicKey) }),
    );
  const files = new Set((await keyNamesIn(layout.keys)).map((name) => `${name.role}-${name.keyId}`));
  return state
    .keysWithRole(role)
    .filter(({ keyId, compromise }) => compromise === undefined && files.has(`${role}-${keyId}`))
    .map(left);
}

/** @throws {CliError} REFUSED if at some time that the key gives up no other is in force. */
export function requireSuccessor(
  { keyId, role, fromS, untilS, beforeS }: Ending,
  others: Others,
  { path, atS }: Pick<Place, 'path' | 'atS'>,
): void {
  const gapS = firstGap({ fromS: Math.max(fromS, untilS), untilS: beforeS }, others);
  if (gapS === undefined) return;
  const at = timeText(gapS);
  if (role === 'node')
    throw refused(
      `once ${keyId} ends no node of the region is known to its peers from ${at} on`,
      'Let another node of the region run first, or add --leave-none.',
    );
  const from = gapS - HOUR_S > atS ? ` --from ${rfc3339(gapS)}` : '';
  throw refused(
    `once ${keyId} ends no ${role} key is in force from ${at} on whose file is here: nothing could be signed by one`,
    `Admit one first: entente key rotate ${printable(path)} --role ${role}${from}. Or add --leave-none.`,
  );
}

export function refused(message: string, hint?: string): CliError {
  return new CliError(EXIT.failure, 'REFUSED', message, hint === undefined ? {} : { hint });
}
