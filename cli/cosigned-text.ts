/** Who vouches for an attestation log, in words, behind how long it is. */
import { type CosignedSeen } from './desk/node-status.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';
import { spanText } from './times.ts';

/** Empty where no other region witnesses it. */
export function cosignedText({ size, needed, of, witnessed, shown, unwilling }: CosignedSeen): string {
  if (of === 0) return '';
  const named = (regions: readonly string[]) => printable(regions.join(', '));
  const behind = witnessed !== undefined && witnessed.size < size ? `${figure(witnessed.size)} ` : '';
  const told =
    witnessed === undefined
      ? `not yet witnessed (${figure(shown?.by.length ?? 0)} of ${figure(of)}, ${figure(needed)} needed)`
      : `${behind}witnessed by ${named(witnessed.by)} (${figure(witnessed.by.length)} of ${figure(of)}, ${figure(needed)} needed), ${spanText(witnessed.ageS)} ago`;
  const others = Object.entries(unwilling)
    .filter(([, { why }]) => why !== 'outrun')
    .map(([region, { why, size: said }]) => `${printable(region)} ${whyText(why, said)}`);
  return `; ${[told, ...others].join('; ')}`;
}

function whyText(why: string, size = 0): string {
  if (why === 'ahead') return `SAYS THAT IT COSIGNED ${figure(size)}`;
  return WHY[why] ?? `refuses: ${printable(why)}`;
}

const WHY: Readonly<Record<string, string>> = {
  silent: 'does not answer',
  unverified: 'gives no good line',
  unproven: 'DOES NOT TAKE THAT IT ONLY GREW',
  'unknown-log': 'does not know it yet',
};
