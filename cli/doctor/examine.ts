/** All checks of a region, as data: each is asked on its own, within a time, and one that breaks does not keep the others. */
import { checkAgainstLog, checkOffset, checkSteps } from './clock-checks.ts';
import { checkConfig, checkModes, checkPolicy } from './config-checks.ts';
import { checkFileSystem, checkLatency, checkMarks, checkOpenFiles, checkSpace } from './disk-checks.ts';
import { checkAdapters, checkRecognitions } from './end-checks.ts';
import { type Finding, warn } from './finding.ts';
import { checkKept, checkOtherKeys, checkSeparate, checkTrustKeys } from './key-checks.ts';
import {
  checkCosigning,
  checkForks,
  checkLeft,
  checkNewest,
  checkShort,
  checkVouchable,
  checkWriting,
} from './log-checks.ts';
import { checkMemory, checkNodeVersion, checkTls } from './machine-checks.ts';
import { checkNumbers } from './number-checks.ts';
import { type Patient, type ReadablePatient } from './patient.ts';
import { checkOutside } from './outside-checks.ts';
import { checkEnough, checkHttp, checkReachable, checkShutOut, checkVouching } from './peer-checks.ts';
import { checkAnnounced, checkPorts } from './port-checks.ts';
import { checkQuorums } from './quorum-checks.ts';
import { checkForgotten, checkRegistry } from './registry-check.ts';
import { checkRules, checkUpdates } from './rule-checks.ts';
import { checkDamage, checkRunning, checkStore } from './store-checks.ts';
import { checkTheirs } from './their-checks.ts';

type Run<P> = (patient: P) => readonly Finding[] | Promise<readonly Finding[]>;

export interface Examined extends Finding {
  readonly family: string;
}

/** Need nothing but the directory. */
const FIRST: readonly (readonly [family: string, run: Run<Patient>])[] = [
  ['configuration', checkConfig],
  ['configuration', checkModes],
  ['configuration', checkPolicy],
];

/** In the order in which they are told. */
const THEN: readonly (readonly [family: string, run: Run<ReadablePatient>])[] = [
  ['node', checkRunning],
  ['node', checkWriting],
  ['node', checkNodeVersion],
  ['node', checkMemory],
  ['ports', checkPorts],
  ['ports', checkAnnounced],
  ['ports', checkTls],
  ['clock', checkOffset],
  ['clock', checkAgainstLog],
  ['clock', checkSteps],
  ['disk', checkSpace],
  ['disk', checkLatency],
  ['disk', checkFileSystem],
  ['disk', checkOpenFiles],
  ['store', checkStore],
  ['store', checkDamage],
  ['store', checkMarks],
  ['registry', checkRegistry],
  ['registry', checkForgotten],
  ['logs', checkNewest],
  ['logs', checkForks],
  ['logs', checkShort],
  ['logs', checkVouchable],
  ['logs', checkLeft],
  ['logs', checkCosigning],
  ['keys', checkTrustKeys],
  ['keys', checkSeparate],
  ['keys', checkOtherKeys],
  ['keys', checkKept],
  ['keys', checkNumbers],
  ['keys', checkAdapters],
  ['rules', checkRules],
  ['colours', checkUpdates],
  ['peers', checkReachable],
  ['peers', checkEnough],
  ['peers', checkVouching],
  ['peers', checkQuorums],
  ['peers', checkOutside],
  ['peers', checkTheirs],
  ['peers', checkRecognitions],
  ['peers', checkShutOut],
  ['peers', checkHttp],
];

/** What a finding can be about. */
export const FAMILIES: ReadonlySet<string> = new Set([...FIRST, ...THEN].map(([family]) => family));

const AT_ONCE: typeof THEN = [
  ['node', checkWriting],
  ['clock', checkOffset],
  ['store', checkStore],
  ['store', checkDamage],
  ['registry', checkForgotten],
  ['logs', checkForks],
  ['logs', checkShort],
  ['logs', checkVouchable],
  ['logs', checkLeft],
  ['logs', checkCosigning],
  ['keys', checkTrustKeys],
  ['rules', checkRules],
  ['colours', checkUpdates],
  ['keys', checkAdapters],
  ['peers', checkReachable],
  ['peers', checkEnough],
  ['peers', checkVouching],
  ['peers', checkQuorums],
  ['peers', checkOutside],
  ['peers', checkTheirs],
  ['peers', checkRecognitions],
  ['peers', checkShutOut],
];

/** Milliseconds for one check: a disk or a peer that hangs costs no more. */
const CHECK_MS_MAX = 8_000;

export async function examine(patient: Patient): Promise<Examined[]> {
  // A place that the region has left has nothing else to be mended, and its node is to run elsewhere.
  if (isReadable(patient) && patient.storeError?.code === 'REGION_MOVED')
    return inTime('store', () => checkStore(patient));
  const runs = [
    ...FIRST.map(([family, run]) => ({ family, work: () => run(patient) })),
    ...(isReadable(patient) ? THEN.map(([family, run]) => ({ family, work: () => run(patient) })) : []),
  ];
  const found = await Promise.all(runs.map(({ family, work }) => inTime(family, work)));
  return found.flat();
}

/** What an operator in an emergency asks first, of a node that runs: no disk is tried, and nobody else asked. */
export async function examineRunning(patient: ReadablePatient): Promise<Examined[]> {
  const found = await Promise.all(AT_ONCE.map(([family, run]) => inTime(family, () => run(patient))));
  return found.flat();
}

function isReadable(patient: Patient): patient is ReadablePatient {
  return patient.config !== undefined;
}

async function inTime(
  family: string,
  work: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<Examined[]> {
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<readonly Finding[]>((resolve) => {
    late = setTimeout(
      () => resolve([warn(`not told within ${CHECK_MS_MAX / 1_000} s`, 'dmesg | tail')]),
      CHECK_MS_MAX,
    );
  });
  try {
    // A check that throws at once is one that rejects.
    const findings = await Promise.race([Promise.resolve().then(work), tooLate]);
    return findings.map((finding) => ({ family, ...finding }));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ family, ...warn(`could not be looked at: ${text}`, 'dmesg | tail') }];
  } finally {
    clearTimeout(late);
  }
}
