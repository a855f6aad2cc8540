/** What becomes of what keys signed that are about to be given up: told before, since the order reaches every gate within seconds. */
import { type CutOff, meetsWindow } from '../../node/region/statements.ts';
import { type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Desk } from '../desk/desk.ts';
import { aligned, counted, figure } from '../output.ts';
import { timeText } from '../times.ts';

/** What becomes of the entries of a log that the keys may have signed. */
export interface Radius {
  readonly log: string;
  /** Entries by now, of these keys and of others. */
  readonly size: number;
  /** Of these, those below the cut-off: what the keys signed there counts on. */
  readonly genuine: number;
}

/** The logs in which keys of one role may have signed entries. Rejects as the desk. */
export async function blastRadius(
  desk: Desk,
  keys: readonly TrustKey[],
  cutOffs: readonly CutOff[],
): Promise<Radius[]> {
  const logs = [...desk.state.logs()].flatMap(({ log }) =>
    keys.some((key) => key.role === 'attest' && meetsWindow(log, key)) ? [log] : [],
  );
  if (keys.some(({ role }) => role === 'trust-log')) logs.push('trust');
  const radius: Radius[] = [];
  for (const log of new Set([...logs, ...cutOffs.map((cutOff) => cutOff.log)])) {
    const size = await desk.size(log);
    const genuine = cutOffs.find((cutOff) => cutOff.log === log)?.size ?? 0;
    if (size > 0) radius.push({ log, size, genuine });
  }
  return radius.sort((a, b) => (a.log < b.log ? -1 : 1));
}

/** Lines for people. `keys`: one at least, all of one role. */
export function radiusLines(keys: readonly TrustKey[], radius: readonly Radius[]): string[] {
  const [key] = keys as readonly [TrustKey];
  const { role } = key;
  const which =
    keys.length === 1
      ? `the ${role} key ${key.keyId}, from ${timeText(key.fromS)} to ${timeText(key.untilS)}`
      : `${counted(keys.length, `${role} key`)}, ${keys.map(({ keyId }) => keyId).join(', ')}`;
  const they = keys.length === 1 ? 'it' : 'they';
  if (role === 'checkpoint' || role === 'witness')
    return [
      `To be given up: ${which}. Nothing that ${they} signed counts any more.`,
      ...radius.map(
        ({ log, genuine }) =>
          `The good branch of ${log} is that of the first ${figure(genuine)} entries here.`,
      ),
    ];
  const stays = role === 'attest' ? 'stay good, each once a mirror proves it' : 'stay in force';
  const goes = role === 'attest' ? 'are refused' : 'are void';
  return [
    `To be given up: ${which}. Of what ${they} signed:`,
    ...aligned(
      radius.map(({ log, size, genuine }) => [
        log,
        `the first ${figure(genuine)} of ${figure(size)} entries ${stays}, the other ${figure(size - genuine)} ${goes}`,
      ]),
      '  ',
    ),
    'What other keys signed stays as it is.',
  ];
}
