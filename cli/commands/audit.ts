/** `entente audit replay`: proves or refutes that a region did what it says. */
import { type Command } from 'commander';
import { AUDIT_EXITS, auditAndReport, LISTED_MAX, parseThreads } from '../auditing.ts';
import { type Cli, examples } from '../cli.ts';
import { addDisclosures } from '../disclosures.ts';
import { addTallies } from '../tallies.ts';
import { parseFingerprint } from '../region.ts';

interface ReplayOptions {
  readonly fingerprint?: Uint8Array;
  readonly witness: readonly string[];
  readonly policy?: string;
  readonly log: readonly string[];
  readonly threads?: number;
  readonly all?: boolean;
  readonly evidence?: string;
}

export function addAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').summary("check a region's logs from outside");
  audit
    .command('replay')
    .summary('replay all logs of a region')
    .description(
      'Folds the trust log again from its first entry and holds its state statements against that; then goes through each attestation log: every entry against its leaf, tile and root, every attestation against its place, its hour, its key and its signature; last the checkpoints and who vouches for them. Changes nothing.',
    )
    .argument('<dir>', 'directory of a node or region, or a public directory, such as one that was mirrored')
    .option('--fingerprint <hex>', 'the fingerprint that the region is known by', parseFingerprint)
    .option('--witness <dir>', 'a region whose cosignatures count (repeatable)', collect, [])
    .option(
      '--policy <file>',
      'a tlog-policy that says who has to vouch for the trust log: regions that --witness names, and witnesses outside',
    )
    .option('--log <yyyy-mm>', 'only this attestation log (repeatable)', collect, [])
    .option('--threads <n>', 'threads that check (default: all cores)', parseThreads)
    .option('--evidence <dir>', 'write what proves a fault against the region as files')
    .option('--all', `go on after a fault, and list up to ${LISTED_MAX}`)
    .addHelpText(
      'after',
      examples(
        ['entente audit replay CN-33/public', 'all that a region publishes'],
        ['entente audit replay CN-33/public --witness DE --witness FR', 'and who vouches for it'],
        [
          'entente audit replay CN-33/public --witness DE --policy our.policy',
          'and whether that is enough for you',
        ],
        ['entente audit replay CN-33 --all --json', 'every fault, for programs'],
        ['entente audit replay CN-33 --all --evidence found', 'and what `evidence verify` takes of them'],
      ) + AUDIT_EXITS,
    )
    .action((path: string, options: ReplayOptions) => replay(cli, path, options));
  addDisclosures(audit, cli);
  addTallies(audit, cli);
}

async function replay(cli: Cli, path: string, options: ReplayOptions): Promise<void> {
  const { fingerprint, witness, policy, log, threads, all, evidence } = options;
  await auditAndReport(cli, {
    path,
    fingerprint,
    witnesses: witness,
    policyFile: policy,
    logs: log.length > 0 ? log : undefined,
    threads,
    evidenceTo: evidence,
    faultsMax: all === true ? LISTED_MAX : 1,
  });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
