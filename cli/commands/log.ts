/** `entente log verify`: whether the logs in a directory are whole, without the signatures of their entries. */
import { type Command } from 'commander';
import { AUDIT_EXITS, auditAndReport, LISTED_MAX, parseThreads } from '../auditing.ts';
import { type Cli, examples } from '../cli.ts';

interface VerifyOptions {
  readonly log?: string;
  readonly threads?: number;
  readonly all?: boolean;
}

export function addLog(program: Command, cli: Cli): void {
  const log = program.command('log').summary('check logs on this disk');
  log
    .command('verify')
    .summary('check that logs are whole')
    .description(
      'Reads each log leaf by leaf: every entry against its leaf, every tile against what lies below it, the root against the signed checkpoint, and what attestations say of their log, index, hour and key. `audit replay` checks their signatures too.',
    )
    .argument('<dir>', 'directory of a node or region, or a public directory')
    .option('--log <yyyy-mm>', 'only this attestation log, and the trust log')
    .option('--threads <n>', 'threads that check (default: all cores)', parseThreads)
    .option('--all', `go on after a fault, and list up to ${LISTED_MAX}`)
    .addHelpText(
      'after',
      examples(
        ['entente log verify CN-33', 'all logs of a region'],
        ['entente log verify CN-33 --log 2026-11', 'those of one month'],
      ) + AUDIT_EXITS,
    )
    .action((path: string, options: VerifyOptions) => verify(cli, path, options));
}

async function verify(cli: Cli, path: string, { log, threads, all }: VerifyOptions): Promise<void> {
  await auditAndReport(cli, {
    path,
    signatures: false,
    logs: log === undefined ? undefined : [log],
    threads,
    faultsMax: all === true ? LISTED_MAX : 1,
  });
}
