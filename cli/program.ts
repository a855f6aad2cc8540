/** The tree of commands and how a run of it ends. */
import { Command, CommanderError } from 'commander';
import { Cli } from './cli.ts';
import { Drafted } from './ceremony/by-root.ts';
import { addAdapter } from './commands/adapter.ts';
import { addAudit } from './commands/audit.ts';
import { addBench } from './commands/bench.ts';
import { addCodes } from './commands/codes.ts';
import { addDemo } from './commands/demo.ts';
import { addConfig } from './commands/config.ts';
import { addConformance } from './commands/conformance.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvidence } from './commands/evidence.ts';
import { addExport } from './commands/export.ts';
import { addInit } from './commands/init.ts';
import { addInspect } from './commands/inspect.ts';
import { addIssue } from './commands/issue.ts';
import { addKey } from './commands/key.ts';
import { addForget } from './commands/forget.ts';
import { addFsck } from './commands/fsck.ts';
import { addLists } from './commands/lists.ts';
import { addLog } from './commands/log.ts';
import { addPeer } from './commands/peer.ts';
import { addPresent } from './commands/present.ts';
import { addRecognise } from './commands/recognise.ts';
import { addRevoke } from './commands/revoke.ts';
import { addRoot } from './commands/root.ts';
import { addRules } from './commands/rules.ts';
import { addRun } from './commands/run.ts';
import { addShow } from './commands/show.ts';
import { addSnapshot } from './commands/snapshot.ts';
import { addState } from './commands/state.ts';
import { addStatusList } from './commands/status-list.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import { addVerify } from './commands/verify.ts';
import { addSuspend, addWithdraw } from './commands/withdraw.ts';
import { addWitness } from './commands/witness.ts';
import { cliErrorOf, EXIT, type ExitCode, usageError } from './exit.ts';
import { printableLines } from './printable.ts';
import { type Surroundings } from './surroundings.ts';
import { VERSION } from './version.ts';
import { COLUMNS_MAX } from './wrap.ts';

/** Runs one command line, without the names of node and script, and gives the code that the process ends with. Never throws. */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const end = args.indexOf('--');
  const json = (end < 0 ? args : args.slice(0, end)).includes('--json');
  const cli = new Cli({ json }, surroundings);
  try {
    await createProgram(cli).parseAsync(args, { from: 'user' });
    return cli.exit;
  } catch (error) {
    // Commander has printed its own errors, and help ends a run the same way.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Drafted) return cli.exit;
    const cliError = cliErrorOf(error);
    cli.output.error(cliError);
    return cliError.exit;
  }
}

function createProgram(cli: Cli): Command {
  const { writeOut, writeErr } = cli.surroundings;
  const program = new Command('entente')
    .description('Health codes that regions issue, recognise and check without a centre.')
    .option('--json', 'print one JSON document (or one per line) instead of text')
    .version(VERSION)
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: COLUMNS_MAX,
      minWidthToWrap: MIN_WIDTH_TO_WRAP,
      subcommandTerm: (command) => command.name(),
    })
    .configureOutput({
      writeOut,
      writeErr,
      outputError: (text) => reportUsage(cli, text),
    })
    .addHelpText('after', EXIT_CODES_HELP);
  for (const add of COMMANDS) add(program, cli);
  return program;
}

const COMMANDS: readonly ((program: Command, cli: Cli) => void)[] = [
  addInit,
  addRun,
  addUp,
  addStatus,
  addDoctor,
  addIssue,
  addCodes,
  addShow,
  addPresent,
  addRecognise,
  addWithdraw,
  addSuspend,
  addRevoke,
  addForget,
  addRules,
  addLists,
  addAdapter,
  addWitness,
  addPeer,
  addExport,
  addSnapshot,
  addVerify,
  addKey,
  addRoot,
  addState,
  addStatusList,
  addInspect,
  addConfig,
  addFsck,
  addLog,
  addAudit,
  addEvidence,
  addConformance,
  addBench,
  addDemo,
];

/** Columns that a description has at least. */
const MIN_WIDTH_TO_WRAP = 24;

/** Commander's message quotes what was typed. */
function reportUsage(cli: Cli, text: string): void {
  const message = text.replace(/^error: /, '').trimEnd();
  cli.output.error(usageError(printableLines(message), 'Add --help to see what this command takes.'));
}

const EXIT_CODES_HELP = `
Exit codes: 0 pass or done, 1 failure, 2 usage, 3 act or stop,
            4 undetermined or unreachable, 5 data inconsistent.
Start with \`entente demo\`.`;
