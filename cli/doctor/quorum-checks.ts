/** Each region whose codes count here: whether as many vouch for its log as have to. Spec: SPEC.md 9. */
import { KNOWLEDGE_AGE_ONLINE_S_MAX, WITNESSES_ALL_MAX, WITNESSES_CHOSEN } from '../../protocol/limits.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { type RunningStatus } from '../desk/node-status.ts';
import { EXIT } from '../exit.ts';
import { spanText } from '../times.ts';
import { type Finding, must, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

/** Seconds after a start, or a new recognition, within which who vouches may not have been heard yet. */
const SETTLING_S = 120;

type RegionSeen = RunningStatus['regions'][number];

export function checkQuorums({ running, nowS, path, config }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  const { home, regions, process } = running;
  const counting = regions.filter((one) => one.region === home || isCounting(one, nowS));
  const isSettling =
    process.uptimeS < SETTLING_S || regions.some(({ fromS = 0 }) => nowS - fromS < SETTLING_S);
  const findings = counting.flatMap((one) => {
    const trouble = troubleOf(one, home);
    if (trouble === undefined) return [];
    const byPolicy = one.knowledge?.witnesses.by !== undefined;
    const silent = byPolicy ? [] : silentFor(one.region, running, nowS);
    const text = `${trouble}${silent.length === 0 ? '' : `; not by ${silent.join(', ')}`}`;
    const fix = byPolicy ? policyFix(config) : fixOf(one, silent, { running, path, config });
    return [
      isSettling
        ? warn(`${text} (it takes some seconds after a start or a new recognition)`, fix)
        : must(text, fix, EXIT.undetermined),
    ];
  });
  const weaker = weakerThanTable(counting, running, nowS);
  if (weaker !== undefined) findings.push(weaker);
  return findings.length > 0 ? findings : [ok('as many vouch for each region as have to')];
}

function isCounting({ standing, fromS = 0, untilS = Infinity }: RegionSeen, nowS: number): boolean {
  return standing === 'recognised' && fromS <= nowS && nowS < untilS;
}

function troubleOf({ region, knowledge }: RegionSeen, home: string): string | undefined {
  const whose = region === home ? 'every verdict is' : `codes of ${region} are`;
  if (knowledge === undefined) return `${whose} undetermined: nothing is known of the log of ${region} yet`;
  const { ageS, witnesses } = knowledge;
  const { counted, needed, of, by } = witnesses;
  if (needed > of && by !== undefined)
    return `${whose} undetermined: by witness.policy no number of witnesses can vouch for its log`;
  if (counted < needed && by !== undefined)
    return `${whose} undetermined: by witness.policy ${counted} of ${of} vouch for its log, and ${needed} are needed`;
  if (counted < needed)
    return `${whose} undetermined: its log is vouched for by ${counted} of ${of}, and ${needed} are needed`;
  if (ageS !== undefined && ageS > KNOWLEDGE_AGE_ONLINE_S_MAX)
    return `${whose} undetermined: as many as are needed vouched for its log ${spanText(Math.round(ageS))} ago, and too few since`;
  return undefined;
}

/** A policy may ask for less than the table, and whoever looks at the node is to know. */
function weakerThanTable(
  regions: readonly RegionSeen[],
  running: RunningStatus,
  nowS: number,
): Finding | undefined {
  const weaker = regions.filter(({ region, knowledge }) => {
    const { by, counted = 0, needed = 0 } = knowledge?.witnesses ?? {};
    if (by === undefined || counted < needed) return false;
    const w = witnessesFor(region, running, nowS).length;
    return needed < neededCosignatures(w > WITNESSES_ALL_MAX ? WITNESSES_CHOSEN : w);
  });
  if (weaker.length === 0) return undefined;
  const names = weaker.map(({ region }) => region).join(', ');
  return warn(
    `witness.policy is content with fewer who vouch for ${names} than the table of SPEC.md 9 asks for`,
    'if that is not what you decided: ask for more in the file that witness.policy names, and start the node again',
  );
}

function policyFix({ witness }: ReadablePatient['config']): string {
  return `cat ${quoted(witness.policy ?? 'the policy')}   # whom it asks for: does each of them cosign, and who brings that here? See "A policy of your own" in docs/operations.md`;
}

/** Those who have to vouch for a region by the table. */
function witnessesFor(region: string, { home, regions }: RunningStatus, nowS: number): string[] {
  const direct = regions.filter(
    ({ standing, way, fromS = 0, untilS = Infinity }) =>
      standing !== 'home' && way === 'direct' && fromS <= nowS && nowS < untilS,
  );
  return [home, ...direct.map((one) => one.region)].filter((one) => one !== region);
}

/** Of those who have to vouch for a region, who is not heard to. Of very many a few are chosen: then nobody is named. */
function silentFor(region: string, running: RunningStatus, nowS: number): string[] {
  const { home, vouching } = running;
  const witnesses = witnessesFor(region, running, nowS);
  if (witnesses.length > WITNESSES_ALL_MAX) return [];
  const heard =
    region === home
      ? vouching.filter(({ vouchesForUsAtS }) => vouchesForUsAtS !== undefined).map((one) => one.region)
      : (vouching.find((one) => one.region === region)?.witnessedBy ?? []);
  return witnesses.filter((one) => !heard.includes(one));
}

/** A suspension takes nobody out of those who have to vouch: they follow that region, or the root withdraws them. */
function fixOf(
  { region, fingerprint = '' }: RegionSeen,
  silent: readonly string[],
  { running, path, config }: Pick<ReadablePatient, 'path' | 'config'> & { readonly running: RunningStatus },
): string {
  const others = silent.filter((one) => one !== running.home);
  const [first] = others;
  if (first === undefined || region === running.home)
    return `entente status ${quoted(path)}   # who is connected; ${first === undefined ? region : silent.join(', ')}: do their nodes run?`;
  const [address] = config.peers[region]?.addresses ?? [];
  const at = address === undefined ? '' : ` --address ${quoted(address)}`;
  return `entente peer add ${first} ${region} --invite --fingerprint ${fingerprint}${at}   # by the people of ${others.join(', ')}, each with their own directory; or they recognise it: see "New witnesses" in docs/operations.md`;
}
