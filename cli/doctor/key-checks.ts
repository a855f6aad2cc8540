/** The keys that the trust log admits, and the files that they are in. */
import { isOver } from '../../node/lookup/day-keys.ts';
import { FileDaySeeds } from '../../node/lookup/day-seeds.ts';
import { keyNamesIn } from '../../node/region/key-file.ts';
import { SPENT_S } from '../../node/service/spent-keys.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { type KeyRole, type TrustState } from '../../protocol/trust/trust-state.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { timeText } from '../times.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const ROLES: readonly KeyRole[] = ['attest', 'checkpoint', 'trust-log', 'witness'];
const DAY_S = 86_400;
const DAYS = { must: 7, warn: 30 } as const;

/** Until when there are keys of each role without a gap, and whether their files are here. */
export async function checkTrustKeys({ state, layout, nowS, path }: ReadablePatient): Promise<Finding[]> {
  if (state === undefined) return [];
  const files = new Set((await keyNamesIn(layout.keys)).map(({ role, keyId }) => `${role}-${keyId}`));
  const extend = `entente key extend ${quoted(path)}   # with enough root keys in keys/`;
  return ROLES.flatMap((role) => {
    const keys = admitted(state, role).filter(({ untilS }) => untilS > nowS);
    const untilS = coveredUntil(keys, nowS);
    const daysLeft = Math.floor((untilS - nowS) / DAY_S);
    const findings: Finding[] = [];
    if (untilS <= nowS)
      findings.push(must(`no ${role} key is in force: it can sign nothing with it`, extend));
    else if (daysLeft < DAYS.must)
      findings.push(must(`the ${role} keys end in ${daysLeft} days, ${timeText(untilS)}`, extend));
    else if (daysLeft < DAYS.warn)
      findings.push(warn(`the ${role} keys end in ${daysLeft} days, ${timeText(untilS)}`, extend));
    const absent = keys.filter(({ keyId }) => !files.has(`${role}-${keyId}`));
    for (const { keyId, fromS } of absent) {
      const text = `there is no file keys/${role}-${keyId}.json for a key that counts from ${timeText(fromS)}`;
      const fix = `entente key compromise ${quoted(path)} --key ${keyId}   # unless a backup has the file`;
      findings.push(fromS <= nowS ? must(text, fix) : warn(text, fix));
    }
    return findings.length > 0
      ? findings
      : [ok(`${role} keys for ${daysLeft} days, until ${timeText(untilS)}`)];
  });
}

/** Who can forge a log must not be able to vouch for it too. */
export function checkSeparate({ state, path }: ReadablePatient): Finding[] {
  if (state === undefined) return [];
  const shared = ROLES.flatMap((role, i) =>
    ROLES.slice(i + 1).flatMap((other) =>
      admitted(state, role).flatMap(({ publicKey, keyId }) =>
        admitted(state, other).some((key) => equalBytes(key.publicKey, publicKey))
          ? [
              must(
                `the key ${keyId} has two roles, ${role} and ${other}`,
                `entente key compromise ${quoted(path)} --key ${keyId}`,
              ),
            ]
          : [],
      ),
    ),
  );
  return shared.length > 0 ? shared : [ok('each role has keys of its own, the witness too')];
}

/** The keys that no log names: the seal of the registry, the root, the identity among nodes. */
export async function checkOtherKeys({ layout, state, path }: ReadablePatient): Promise<Finding[]> {
  const names = await keyNamesIn(layout.keys);
  const count = (wanted: string) => names.filter(({ role }) => role === wanted).length;
  const folder = printable(layout.keys);
  const findings: Finding[] = [];
  if (count('registry') === 0) {
    findings.push(
      must(
        `no registry-*.json in ${folder}: nobody can read who holds which code`,
        `ls -l ${quoted(layout.keys)}   # and restore it from a backup`,
      ),
    );
  } else findings.push(ok('the key that seals the registry is there'));
  const roots = count('root');
  if (roots > 0) {
    const { threshold = 1 } = state?.root ?? {};
    const text = `${roots} root key${roots === 1 ? '' : 's'} of ${threshold} needed lie on this machine`;
    findings.push(
      note(
        `${text}: keep them offline`,
        `mv ${quoted(layout.keys)}/root-*.json /media/offline/   # and to a second medium`,
      ),
    );
  }
  if (count('node') === 0)
    findings.push(
      note('no identity among nodes yet: the first start makes it', `entente run ${quoted(path)}`),
    );
  return findings;
}

/** Of a node that signs: keys that it destroys when their time is over, and that it keeps since others do not say so. */
export async function checkKept(patient: ReadablePatient): Promise<Finding[]> {
  const { running, state, layout, config, nowS, path } = patient;
  if (running?.writing !== 'writing' || state === undefined) return [];
  const { surelyPastS = 0 } = running;
  const isKept = (isOverAt: (atS: number) => boolean) => isOverAt(nowS - DAY_S) && !isOverAt(surelyPastS);
  const keys = (await keyNamesIn(layout.keys)).filter(({ role, keyId }) => {
    const key = role === 'attest' ? state.key(keyId) : undefined;
    return key !== undefined && isKept((atS) => key.untilS + SPENT_S <= atS);
  });
  const days = (await seedDays({ layout, config })).filter((day) => isKept((atS) => isOver(day, atS)));
  const kept = [
    ...(keys.length > 0 ? [counted(keys.length, 'attest key')] : []),
    ...(days.length > 0 ? [counted(days.length, 'day seed')] : []),
  ];
  if (kept.length === 0) return [];
  const why =
    running.clock.standing === 'doubtful'
      ? 'while others doubt the clock of this machine'
      : 'since too few of the regions that are recognised directly vouch that their time is over';
  const fix = `entente status ${quoted(path)}   # who hears us; withdraw whom nobody renews; see "Keys" in docs/operations.md`;
  return [warn(`${kept.join(' and ')} that are over are kept, ${why}`, fix)];
}

/** Only the names of the files are looked at, which needs no key. */
export function seedDays({
  layout,
  config: { region, network },
}: Pick<ReadablePatient, 'layout' | 'config'>): Promise<readonly number[]> {
  const options = { path: layout.seeds, region, network, registryKey: new Uint8Array(32) };
  return new FileDaySeeds(options, { random: (length) => new Uint8Array(length) }).days();
}

function admitted(state: TrustState, role: KeyRole) {
  return state.keysWithRole(role).filter(({ compromise }) => compromise === undefined);
}

/** Up to when they follow on each other from now on; now if none is in force. */
function coveredUntil(
  keys: readonly { readonly fromS: number; readonly untilS: number }[],
  nowS: number,
): number {
  return keys
    .toSorted((a, b) => a.fromS - b.fromS)
    .reduce((untilS, key) => (key.fromS <= untilS ? Math.max(untilS, key.untilS) : untilS), nowS);
}
