/** Who writes for a region, in words. */
import { type WriterSeen } from './desk/node-status.ts';
import { spanText, timeText } from './times.ts';

/** Digits of a key by which people tell two machines apart. */
const KEY_DIGITS = 16;

export function writerText({ isSelf, writer, sinceS, epoch, permitAgeMs }: WriterSeen): string {
  const who = isSelf ? 'this machine' : `machine ${writer.slice(0, KEY_DIGITS)}`;
  const permit =
    isSelf && permitAgeMs !== undefined ? `, permitted ${spanText(Math.round(permitAgeMs / 1000))} ago` : '';
  return `${who} writes since ${timeText(sinceS)}, epoch ${epoch}${permit}`;
}
