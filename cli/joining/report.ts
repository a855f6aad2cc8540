/** What people are told of an invitation. */
import { type JoiningView } from '../../node/http/joining-schemas.ts';
import { type Cli } from '../cli.ts';
import { aligned } from '../output.ts';
import { printable } from '../printable.ts';
import { qrLines } from '../qr.ts';
import { fingerprintText } from '../region.ts';
import { termsText, windowText } from '../recognition/terms.ts';
import { timeText } from '../times.ts';
import { type Answered } from './joining-node.ts';
import { type Completed } from './complete.ts';
import { newcomerLines, type Short } from './quorums.ts';

/** The words in rows of four, and the same as QR where that is wanted. */
export function wordLines(cli: Cli, { words }: Answered, qr: boolean): string[] {
  const all = words.split(' ');
  const rows = [0, 4, 8].map((at) => `  ${all.slice(at, at + 4).join(' ')}`);
  return [...rows, ...(qr ? qrLines(words.toUpperCase(), { colour: cli.surroundings.colour }) : [])];
}

/** Who the other is, and what regions say of it that are recognised here. */
export function otherLines({
  region,
  name,
  fingerprint,
  vouching = [],
  contradicting = [],
}: Answered): string[] {
  return aligned(
    [
      ['region', `${region} (${printable(name)})`],
      ['root', fingerprintText(Buffer.from(fingerprint, 'hex'))],
      ['vouched for by', vouching.join(', ') || 'nobody who is recognised here'],
      ...(contradicting.length === 0
        ? []
        : [['CONTRADICTED', `${contradicting.join(', ')}: know ${region} under another root`] as const]),
    ],
    '  ',
  );
}

export function joiningLines(cli: Cli, one: JoiningView): string[] {
  if (one.region === undefined)
    return [`Invitation ${one.id}: nobody has answered, until ${timeText(one.untilS)}.`];
  const answered = one as Answered;
  return [
    `Invitation ${one.id}: ${one.region} ${standing(one)}, until ${timeText(one.untilS)}.`,
    ...otherLines(answered),
    ...wordLines(cli, answered, false),
  ];
}

export function completedLines(
  { region }: Answered,
  { home, way, via, rules = null, recognisedFromS, recognisedUntilS, witnesses }: Completed,
  belowQuorum: readonly Short[],
  nowS: number,
): string[] {
  const both = `Both operators have confirmed: ${region} is a peer of ${home}`;
  if (way === undefined || recognisedFromS === undefined || recognisedUntilS === undefined || !witnesses)
    return [`${both}, and not recognised.`];
  const window = windowText({ fromS: recognisedFromS, untilS: recognisedUntilS }, nowS);
  const terms = termsText({ way, rules, ...(via !== undefined && { via }) });
  return [`${both}, and recognised ${window}, ${terms}.`, ...newcomerLines(region, witnesses, belowQuorum)];
}

function standing({ side, ours, theirs }: JoiningView): string {
  if (ours && theirs) return 'and this region have both confirmed';
  if (ours) return 'is confirmed here, and has not confirmed';
  if (theirs) return 'has confirmed, and is not confirmed here';
  return side === 'inviting' ? 'has answered' : 'is answered';
}
