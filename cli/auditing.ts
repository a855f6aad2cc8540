/** What the commands that audit share: opening what is audited, threads, progress, and the report. */
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type AuditFault } from '../node/audit/audit-fault.ts';
import { type AuditSource } from '../node/audit/audit-source.ts';
import { BundlePool } from '../node/audit/bundle-pool.ts';
import { evidenceOfFault, type FaultEvidenceModules } from '../node/audit/fault-evidence.ts';
import { openAuditSource } from '../node/audit/open-source.ts';
import { auditRegion, type RegionAudited, type RegionAuditOptions } from '../node/audit/region-audit.ts';
import { type TrustReplay } from '../node/audit/trust-replay.ts';
import { readWitnessRegion } from '../node/audit/witness-region.ts';
import { writeFileAtomically } from '../node/region/files.ts';
import { encodeEvidence } from '../protocol/evidence/evidence.ts';
import { type TrustState } from '../protocol/trust/trust-state.ts';
import { readPolicyFile } from '../node/region/policy-file.ts';
import { trustLogOrigin } from '../protocol/log/origin.ts';
import { type WitnessCount } from '../protocol/verdict/verdict.ts';
import { type Cli } from './cli.ts';
import { EXIT } from './exit.ts';
import { aligned, counted, figure, type Progress } from './output.ts';
import { printable } from './printable.ts';
import { fingerprintText, readablePathOf, regionModules } from './region.ts';
import { timeText } from './times.ts';

/** Faults that `--all` lists; the rest is counted. */
export const LISTED_MAX = 1_000;
const THREADS_MAX = 64;
const SALVAGE_HINT =
  'The files of the store are damaged. `entente fsck --salvage` keeps what is whole; started with its peers at hand, the region fetches the rest.';

export interface AuditRequest extends Omit<RegionAuditOptions, 'region' | 'network' | 'nowS' | 'policy'> {
  readonly path: string;
  /** Directories of regions whose cosignatures are looked for. */
  readonly witnesses?: readonly string[];
  /** File of a tlog-policy: too few for the trust log by it is undetermined. */
  readonly policyFile?: string | undefined;
  /** All cores by default. */
  readonly threads?: number | undefined;
  /** Where evidence of what is found is written. */
  readonly evidenceTo?: string | undefined;
}

/** Audits the region that `path` holds, prints what was found, and sets how the command ends. */
export async function auditAndReport(
  cli: Cli,
  { path, witnesses = [], policyFile, threads, evidenceTo, ...options }: AuditRequest,
): Promise<void> {
  const modules = await regionModules(cli);
  await readablePathOf(cli, path);
  const source = await openAuditSource(path);
  const pool = new BundlePool({ threads: threads ?? availableParallelism() });
  try {
    const vouching = [];
    for (const witness of witnesses)
      vouching.push(await readWitnessRegion(await readablePathOf(cli, witness), modules));
    const { network } = source.owner;
    const policy = policyFile === undefined ? undefined : await readPolicyFile(policyFile, network, modules);
    let state: TrustState | undefined;
    const onTrust = (trust: TrustReplay) => (state = trust.state);
    const audited = await auditRegion(
      { ...options, ...source.owner, policy, nowS: modules.nowS() },
      { ...modules, source, pool, witnesses: vouching, onProgress: progressOf(cli), onTrust },
    );
    const { where, damage } = source;
    const trustLog = audited.logs.find(({ log }) => log === trustLogOrigin(audited.region, network));
    const { counted: voting = 0, needed = 0 } = trustLog?.witnesses ?? {};
    if (audited.faultCount > 0 || damage !== undefined) cli.exit = EXIT.inconsistent;
    else if (voting < needed) cli.exit = EXIT.undetermined;
    const proving = { ...modules, stateOf: () => state };
    const files =
      evidenceTo === undefined ? [] : await writeEvidence(evidenceTo, audited.faults, source, proving);
    const told = damage && { code: damage.code, message: damage.message };
    cli.output.result(
      {
        where,
        ...audited,
        ...(evidenceTo !== undefined && { evidence: files }),
        ...(told && { damage: told }),
      },
      () => [
        ...reportLines(audited, cli, told === undefined),
        ...(evidenceTo === undefined ? [] : evidenceLines(files)),
        ...(told ? [cli.output.colours.red(`${printable(told.message)} [${told.code}]`), SALVAGE_HINT] : []),
      ],
    );
  } finally {
    await pool.close();
    await source.close();
  }
}

function progressOf(cli: Cli): (log: string, checked: number, size: number) => void {
  let shown: { readonly log: string; readonly progress: Progress } | undefined;
  return (log, checked, size) => {
    if (shown?.log !== log) shown = { log, progress: cli.output.progress(printable(log), size) };
    shown.progress.at(checked);
  };
}

function reportLines(audited: RegionAudited, cli: Cli, isWhole: boolean): string[] {
  const { red, yellow, green } = cli.output.colours;
  const { region, network, fingerprint, logs, faults, faultCount, remarks, remarkCount } = audited;
  const lines = [
    `${region}.${network}, ${fingerprint === undefined ? 'of no root' : fingerprintText(fingerprint)}`,
    ...logs.flatMap(({ log, size, from, root, signatures, cosignatures, witnesses }) => [
      '',
      log,
      ...aligned(
        [
          ['entries', from === 0 ? figure(size) : `${figure(size)}, checked from ${figure(from)} on`],
          ['root', Buffer.from(root).toString('hex')],
          ...(signatures > 0 ? [['signatures', figure(signatures)] as const] : []),
          [
            'vouched for by',
            cosignatures
              .map((one) => `${one.region ?? printable(one.witness ?? '')} at ${timeText(one.timestampS)}`)
              .join(', ') || 'nobody',
          ],
          ...(witnesses ? [['by the policy', policyText(witnesses)] as const] : []),
        ],
        '  ',
      ),
    ]),
    '',
  ];
  for (const fault of faults) lines.push(red(faultText(fault)));
  if (faultCount > faults.length) lines.push(red(`and ${counted(faultCount - faults.length, 'fault')} more`));
  for (const remark of remarks) lines.push(yellow(`remark: ${faultText(remark)}`));
  if (remarkCount > remarks.length)
    lines.push(yellow(`and ${counted(remarkCount - remarks.length, 'remark')} more`));
  if (faultCount === 0) lines.push(green(isWhole ? 'All of it agrees.' : 'What could be read agrees.'));
  else if (isWhole) {
    lines.push(
      'If this is your own region and the files were damaged on the disk: `entente fsck` checks its store, from which what is published is made anew once its folder below public/ is gone.',
    );
  }
  return lines;
}

function policyText({ counted: votes, needed, of }: WitnessCount): string {
  return `${votes} of ${of}, ${needed} needed: ${votes < needed ? 'too few' : 'enough'}`;
}

/** A file for each fault that proves something against the region, whoever has a copy of its logs. */
async function writeEvidence(
  directory: string,
  faults: readonly AuditFault[],
  source: AuditSource,
  modules: FaultEvidenceModules,
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  for (const fault of faults) {
    const evidence = await evidenceOfFault(fault, source, modules);
    if (evidence === undefined) continue;
    const file = join(
      directory,
      `${fault.log.replaceAll('/', '-')}-${fault.index}-${evidence.kind}.evidence`,
    );
    await writeFileAtomically(file, encodeEvidence(evidence));
    if (!files.includes(file)) files.push(file);
  }
  return files;
}

function evidenceLines(files: readonly string[]): string[] {
  if (files.length === 0) return ['There is no evidence against the region.'];
  return ['Evidence that anybody can verify:', ...files.map((file) => `  ${printable(file)}`)];
}

function faultText({ code, log, index, message }: AuditFault): string {
  const place = index === undefined ? printable(log) : `${printable(log)}, index ${index}`;
  return `${place}: ${printable(message)} [${code}]`;
}

export function parseThreads(text: string): number {
  if (/^[1-9][0-9]?$/.test(text) && Number(text) <= THREADS_MAX) return Number(text);
  throw new InvalidArgumentError(`Expected a number of threads from 1 to ${THREADS_MAX}.`);
}

export const AUDIT_EXITS = `

Exit codes: 0 all agrees, 5 something does not (the first fault is named with
            its log and index), 4 nothing to audit there, or too few vouch for
            the trust log by --policy, 2 no such directory, 1 the disk failed.`;
