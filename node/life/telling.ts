/** What holders were told: of each the newest change, with its code. */
import { type Sha256 } from '../../protocol/primitives.ts';
import { codeTextOf, fieldsUsed, type HeldCodes } from '../issuing/held-codes.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type ChangeKind, type Dossier } from './dossier.ts';
import { type OrderedModules, withReason } from './ordered.ts';
import { type Notice, type NoticeOptions, noticeText } from './notice.ts';

export interface TellingModules extends OrderedModules {
  readonly sha256: Sha256;
  readonly heldCodes: Pick<HeldCodes, 'atPlaces'>;
}

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

/** What these people are to be told now; whose code is still on its way is told the next time. Rejects as `HeldCodes.atPlaces` and the tables. */
export async function noticesOf(
  dossiers: readonly Dossier[],
  modules: TellingModules,
  options: NoticeOptions,
): Promise<Notice[]> {
  const all = dossiers.flatMap(({ declaration: { subject }, changes: [change] }) =>
    change === undefined ? [] : [{ subject, change }],
  );
  const held = await modules.heldCodes.atPlaces(all.map(({ change }) => change));
  const notices: Notice[] = [];
  for (const [i, { subject, change: noted }] of all.entries()) {
    const one = held[i];
    if (one?.subject !== subject) continue;
    const { log, index } = one;
    const code = codeTextOf(modules.sha256, one, fieldsUsed(one.openings));
    const change = await withReason(noted, modules);
    notices.push({ subject, log, index, code, change, text: noticeText(change, options) });
  }
  return notices;
}
