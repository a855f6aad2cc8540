/** Cut-offs of keys that are given up: how much of each log is genuine. */
import { type CutOff } from '../../node/region/statements.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type KeyRole, type TrustKey } from '../../protocol/trust/trust-state.ts';
import { type Desk } from '../desk/desk.ts';
import { usageError } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';

/** The cut-offs that texts such as `2026-11=now` name, for keys of one role. @throws {CliError} USAGE. Rejects as the desk. */
export async function cutOffsOf(desk: Desk, role: KeyRole, texts: readonly string[]): Promise<CutOff[]> {
  const cutOffs: CutOff[] = [];
  for (const text of texts) cutOffs.push(await cutOffOf(desk, role, text));
  if (new Set(cutOffs.map(({ log }) => log)).size < cutOffs.length)
    throw usageError('--cut-off names a log twice');
  return cutOffs;
}

/** The cut-off that `log=size` names, with the root that the log has at that size. */
async function cutOffOf(desk: Desk, role: KeyRole, text: string): Promise<CutOff> {
  const [, log, sizeText] = /^(trust|2\d{3}-\d{2}(?:\.[1-9])?)=(now|\d{1,15})$/.exec(text) ?? [];
  if (log === undefined || sizeText === undefined) {
    throw usageError(`expected a cut-off such as 2026-11=10000 or trust=now, not ${printable(text)}`);
  }
  const signs = { attest: 'an attestation log', 'trust-log': 'trust' };
  if (role === 'witness')
    throw usageError(`a ${role} key signs no entries: it is given up without --cut-off`);
  if (role !== 'checkpoint' && (role === 'trust-log') !== (log === 'trust'))
    throw usageError(
      `a key with the role ${role} signs no entries of ${log}`,
      `Name ${signs[role]} instead.`,
    );
  const present = await desk.size(log);
  const named = sizeText === 'now' ? present : Number(sizeText);
  if (present === 0 || named > present)
    throw usageError(`${log} has ${figure(present)} entries, not ${sizeText}`);
  const size = role === 'checkpoint' && log === 'trust' ? vouchableSize(desk, named) : named;
  return { log, size, root: await desk.rootAt(log, size) };
}

/**
 * Of the trust log, for a checkpoint key, at most what lies before a `state` statement that nobody is to start from: by a cut-off further on no witness would vouch
 * for it. Spec: SPEC.md 9.
 */
export function vouchableSize({ falseStart }: Pick<Desk, 'falseStart'>, named: number): number {
  return falseStart === undefined || named < falseStart ? named : falseStart - 1;
}

/**
 * The cut-offs of a checkpoint key: those that are named, and what was said of the key before and is not said anew: a later compromise takes the place of an
 * earlier one, and a log that it left out would have no named branch any more. Then, where anything is named, all attestation logs that are not over as they
 * stand here: of what the key signed nobody is heeded, and nothing else would tell a backup that is put back how far they were.
 * @throws {CliError} USAGE if attestation logs are named without the trust log that says so. Rejects as the desk.
 */
export async function branchesOf(
  desk: Desk,
  { compromise }: TrustKey,
  named: readonly CutOff[],
  atS: number,
): Promise<CutOff[]> {
  const cutOffs = [...named];
  for (const [log, { size, root }] of compromise?.cutOffs ?? [])
    if (!cutOffs.some((one) => one.log === log)) cutOffs.push({ log, size, root });
  if (cutOffs.length > 0 && !cutOffs.some(({ log }) => log === 'trust'))
    throw usageError(
      'a checkpoint key signs all logs of the region, the trust log too',
      'Name its good branch as well: --cut-off trust=now.',
    );
  if (named.length === 0) return cutOffs;
  for (const { log } of desk.state.logs()) {
    if (logMonth(log).untilS <= atS || cutOffs.some((one) => one.log === log)) continue;
    const size = await desk.size(log);
    if (size > 0) cutOffs.push({ log, size, root: await desk.rootAt(log, size) });
  }
  return cutOffs;
}

/** What a thief signed between two cut-offs would count again. @throws {CliError} USAGE if an earlier compromise let less count. */
export function requireNoRaise({ keyId, compromise }: TrustKey, cutOffs: readonly CutOff[]): void {
  if (compromise === undefined) return;
  for (const { log, size } of cutOffs) {
    const before = compromise.cutOffs.get(log)?.size ?? 0;
    if (size <= before) continue;
    throw usageError(
      `${keyId} was given up before, and in ${log} it counts only below ${figure(before)}; this would let it count below ${figure(size)}`,
      'What a thief signed in between would count again. Add --raise if you know that all of it is genuine.',
    );
  }
}
