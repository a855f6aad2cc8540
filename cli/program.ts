/** The tree of commands and how a run of it ends. */
import { Command, CommanderError } from 'commander';
import { Cli } from './cli.ts';
import { Drafted } from './ceremony/by-root.ts';
import { cliErrorOf, EXIT, type ExitCode, usageError } from './exit.ts';
import { printableLines } from './printable.ts';
import { type Surroundings } from './surroundings.ts';
import { VERSION } from './version.ts';
import { COLUMNS_MAX } from './wrap.ts';

type AddCommand = (program: Command, cli: Cli) => void;

/** Runs one command line, without the names of node and script, and gives the code that the process ends with. Never throws. */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const end = args.indexOf('--');
  const json = (end < 0 ? args : args.slice(0, end)).includes('--json');
  const cli = new Cli({ json }, surroundings);
  try {
    const program = createProgram(cli);
    for (const add of await commandsFor(args)) add(program, cli);
    await program.parseAsync(args, { from: 'user' });
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
    .option('--operator <file>', 'act in the name of the operator with this key file')
    .hook('preAction', (command) => {
      const { operator } = command.opts<{ operator?: string }>();
      if (operator !== undefined) cli.actAs(operator);
    })
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
  return program;
}

/** By name, in the order in which help shows them. What a command needs is loaded when it is run. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('./commands/init.ts')).addInit,
  run: async () => (await import('./commands/run.ts')).addRun,
  up: async () => (await import('./commands/up.ts')).addUp,
  standby: async () => (await import('./commands/standby.ts')).addStandby,
  promote: async () => (await import('./commands/promote.ts')).addPromote,
  status: async () => (await import('./commands/status.ts')).addStatus,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  declare: async () => (await import('./commands/declare.ts')).addDeclare,
  issue: async () => (await import('./commands/issue.ts')).addIssue,
  codes: async () => (await import('./commands/codes.ts')).addCodes,
  show: async () => (await import('./commands/show.ts')).addShow,
  present: async () => (await import('./commands/present.ts')).addPresent,
  invite: async () => (await import('./commands/invite.ts')).addInvite,
  join: async () => (await import('./commands/join.ts')).addJoin,
  recognise: async () => (await import('./commands/recognise.ts')).addRecognise,
  withdraw: async () => (await import('./commands/withdraw.ts')).addWithdraw,
  suspend: async () => (await import('./commands/withdraw.ts')).addSuspend,
  revoke: async () => (await import('./commands/revoke.ts')).addRevoke,
  forget: async () => (await import('./commands/forget.ts')).addForget,
  update: async () => (await import('./commands/update.ts')).addUpdate,
  holder: async () => (await import('./commands/holder.ts')).addHolder,
  object: async () => (await import('./commands/object.ts')).addObject,
  lists: async () => (await import('./commands/lists.ts')).addLists,
  rules: async () => (await import('./commands/rules.ts')).addRules,
  witness: async () => (await import('./commands/witness.ts')).addWitness,
  peer: async () => (await import('./commands/peer.ts')).addPeer,
  export: async () => (await import('./commands/export.ts')).addExport,
  snapshot: async () => (await import('./commands/snapshot.ts')).addSnapshot,
  verify: async () => (await import('./commands/verify.ts')).addVerify,
  key: async () => (await import('./commands/key.ts')).addKey,
  root: async () => (await import('./commands/root.ts')).addRoot,
  operator: async () => (await import('./commands/operator.ts')).addOperator,
  override: async () => (await import('./commands/override.ts')).addOverride,
  trail: async () => (await import('./commands/trail.ts')).addTrail,
  state: async () => (await import('./commands/state.ts')).addState,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  registry: async () => (await import('./commands/registry.ts')).addRegistry,
  host: async () => (await import('./commands/host.ts')).addHost,
  adapter: async () => (await import('./commands/adapter.ts')).addAdapter,
  lookup: async () => (await import('./commands/lookup.ts')).addLookup,
  verifier: async () => (await import('./commands/verifier.ts')).addVerifier,
  bridge: async () => (await import('./commands/bridge.ts')).addBridge,
  'status-list': async () => (await import('./commands/status-list.ts')).addStatusList,
  inspect: async () => (await import('./commands/inspect.ts')).addInspect,
  config: async () => (await import('./commands/config.ts')).addConfig,
  fsck: async () => (await import('./commands/fsck.ts')).addFsck,
  log: async () => (await import('./commands/log.ts')).addLog,
  audit: async () => (await import('./commands/audit.ts')).addAudit,
  evidence: async () => (await import('./commands/evidence.ts')).addEvidence,
  conformance: async () => (await import('./commands/conformance.ts')).addConformance,
  bench: async () => (await import('./commands/bench.ts')).addBench,
  demo: async () => (await import('./commands/demo.ts')).addDemo,
};

/** The one that is named, if it is first but for `--json`, and none where the version is asked for; else all, for help and for hints at what may have been meant. */
export async function commandsFor(args: readonly string[]): Promise<readonly AddCommand[]> {
  const name = args.find((arg) => arg !== '--json') ?? '';
  if (ASKS_VERSION.has(name)) return [];
  const named = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loads = named === undefined ? Object.values(COMMANDS) : [named];
  return Promise.all(loads.map((load) => load()));
}

const ASKS_VERSION: ReadonlySet<string> = new Set(['--version', '-V']);

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
