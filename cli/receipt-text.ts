/** What became of something that was logged, in words. */
import { isNodeError } from '../node/node-error.ts';
import { type Doubt, type LogReceipt } from '../node/trust/log-receipt.ts';
import { type Desk } from './desk/desk.ts';
import { CliError } from './exit.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';
import { spanText, timeText } from './times.ts';

/** Of all that one of a region's logs has by now, or of one entry. What was logged stands, whether anybody can say so or not: undefined where that fails. */
export async function receiptFrom(
  desk: Pick<Desk, 'receipt'>,
  log: string,
  index?: number,
): Promise<LogReceipt | undefined> {
  try {
    return await desk.receipt(log, index);
  } catch (error) {
    if (error instanceof CliError || isNodeError(error)) return undefined;
    throw error;
  }
}

export function receiptText({ sequenced, witnessed }: LogReceipt): string {
  const { origin, size, atS } = sequenced;
  const place = `${printable(origin)} has ${figure(size)} entries since ${timeText(atS)}`;
  const { counted, needed, of, by, isQuorum, ageS = 0, doubt } = witnessed;
  const byPolicy = by === undefined ? '' : ' by the policy';
  const votes =
    of === 0
      ? `no other region witnesses it${byPolicy}`
      : `${counted} of ${of} witnesses vouch for it, ${needed} needed${byPolicy}`;
  if (doubt !== undefined)
    return `Sequenced, not witnessed: ${place}; ${votes}; ${DOUBTS[doubt]} [${doubt}].`;
  if (of === 0) return `Sequenced: ${place}; ${votes}.`;
  if (!isQuorum) return `Sequenced, not yet witnessed: ${place}; ${votes}.`;
  return `Sequenced and witnessed: ${place}; ${votes}, ${spanText(ageS)} ago.`;
}

const DOUBTS: Readonly<Record<Doubt, string>> = {
  FORKED: 'but this log has shown two contradicting trees, and which one holds is not settled',
  QUARANTINED: 'but a quorum vouched for two contradicting trees of this log',
  CHECKPOINT_KEY_UNFIT: 'but the key that signed its checkpoint has ended or is given up',
};
