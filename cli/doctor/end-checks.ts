/** What the root has said until a day: whom the region recognises, and what it announces of local codes. Told ahead, as the end of keys. */
import { isOpaque } from '../../protocol/lookup/opaque-adapter.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { type Recognition } from '../../protocol/trust/trust-state.ts';
import { isAnnouncing } from '../adapter/announcement.ts';
import { timeText } from '../times.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const DAY_S = 86_400;
const DAYS = { must: 7, warn: 30 } as const;

/** One that is suspended counts no codes, whenever it ends. */
export function checkRecognitions({ state, nowS, path }: ReadablePatient): Finding[] {
  return [...(state?.recognitions() ?? [])].flatMap((one) => {
    if (one.standing === 'withdrawn') return [];
    const name = `the recognition of ${one.region}`;
    if (one.standing === 'suspended')
      return [note(`${name} is suspended: its codes do not count here until it is recognised again`)];
    const begin =
      one.fromS > nowS
        ? [note(`${name} begins ${timeText(one.fromS)}: until then its codes do not count here`)]
        : [];
    const fix = renewing(one, path);
    return [...begin, ...checkEnd(one, { name, over: 'its codes do not count here', fix, nowS })];
  });
}

/** Adapters of codes that are read; how long numbers can be looked up is told by `checkNumbers`. */
export function checkAdapters({ state, nowS, path }: ReadablePatient): Finding[] {
  return [...(state?.adapters() ?? [])].flatMap((one) => {
    if (!isAnnouncing(one) || isOpaque(one)) return [];
    const fix = `entente adapter show ${quoted(path)} ${one.id}   # then announce it again with its keys, or \`entente adapter withdraw ${quoted(path)} ${one.id}\``;
    const over = 'what its keys sign since counts nowhere';
    return checkEnd(one, { name: `the adapter ${one.id}`, over, fix, nowS });
  });
}

function checkEnd(
  { untilS }: { readonly untilS: number },
  { name, over, fix, nowS }: Readonly<Record<'name' | 'over' | 'fix', string>> & { readonly nowS: number },
): Finding[] {
  if (untilS <= nowS) return [must(`${name} ended ${timeText(untilS)}: ${over}`, fix)];
  const daysLeft = Math.floor((untilS - nowS) / DAY_S);
  const text = `${name} ends in ${daysLeft} days, ${timeText(untilS)}`;
  if (daysLeft < DAYS.must) return [must(text, fix)];
  if (daysLeft < DAYS.warn) return [warn(text, fix)];
  return [ok(`${name} holds for ${daysLeft} days, until ${timeText(untilS)}`)];
}

/** The same again, in the way and under the rules that it has. */
function renewing(one: Exclude<Recognition, { standing: 'withdrawn' }>, path: string): string {
  const via = one.via === undefined ? '' : ` --via ${one.via}`;
  const way = one.way === 'direct' ? '' : ` --way ${one.way}${via}`;
  const rules = one.rules === null ? '' : ` --rules ${one.rules}`;
  return `entente recognise ${quoted(path)} --region ${one.region} --fingerprint ${hexOf(one.fingerprint)}${way}${rules}   # or \`entente withdraw ${quoted(path)} ${one.region}\``;
}
