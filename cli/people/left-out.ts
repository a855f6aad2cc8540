/** People of an order who got no code since theirs was refused, as an operator is told of them. */
import { PartlyIssued, type PartOfOrder, type RefusedPerson } from '../desk/node-answers.ts';
import { counted, figure, type Output } from '../output.ts';
import { printable } from '../printable.ts';
import { type IssuedCode } from './codes-file.ts';

/** As many as those whom rules leave open. */
const REFUSED_TOLD = 20;
export const LEAVES_OUT = 'The same command with --leave-open ends without those who are refused.';

/** Of an order that ends with it: where all are refused for one reason that is all there is to say. */
export function tellRefused({ refused, of }: PartOfOrder, output: Pick<Output, 'note'>): void {
  const reasons = new Set(refused.map(({ reason }) => reason));
  if (refused.length > 0 && (refused.length < of || reasons.size > 1)) output.note(refusedText(refused));
}

export function refusedText(refused: readonly RefusedPerson[]): string {
  const left = refused.length - REFUSED_TOLD;
  const lines = refused
    .slice(0, REFUSED_TOLD)
    .map(({ subject, reason }) => `\n  ${printable(subject)}: ${reason}`);
  const rest = left > 0 ? `\n  and ${figure(left)} more` : '';
  return `${counted(refused.length, 'person')} got no code, since it was refused:${lines.join('')}${rest}`;
}

/** The codes of an order, and how many were refused, who are told: rejects as the order where they are not to be left out, or nobody else is there. */
export async function codesWithout(
  order: Promise<readonly IssuedCode[]>,
  { leavesOut, output }: { readonly leavesOut: boolean; readonly output: Pick<Output, 'note'> },
): Promise<{ readonly issued: readonly IssuedCode[]; readonly refused: number }> {
  try {
    return { issued: await order, refused: 0 };
  } catch (error) {
    if (!(error instanceof PartlyIssued) || error.part.refused.length === 0) throw error;
    const { refused, issued, of } = error.part;
    if (leavesOut && issued.length > 0) {
      output.note(refusedText(refused));
      return { issued, refused: refused.length };
    }
    tellRefused(error.part, output);
    if (!leavesOut && refused.length < of) output.note(LEAVES_OUT);
    throw error;
  }
}
