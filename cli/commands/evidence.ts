/** `entente evidence`: what proves that a region told two stories, checked offline, or taken out of the store of a node. */
import { type Command } from 'commander';
import { evidenceOfLeaf } from '../../node/audit/fault-evidence.ts';
import { openAuditSource } from '../../node/audit/open-source.ts';
import { NodeError } from '../../node/node-error.ts';
import { readPublishedFile, writeFileAtomically } from '../../node/region/files.ts';
import { readHomeView } from '../../node/region/home-view.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { encodeEvidence, parseEvidence } from '../../protocol/evidence/evidence.ts';
import {
  isByNamedKeys,
  isDisowned,
  type ProvenEvidence,
  verifyEvidence,
} from '../../protocol/evidence/verify-evidence.ts';
import { type Fault, isProtocolError } from '../../protocol/fault.ts';
import { EVIDENCE_BYTES_MAX } from '../../protocol/limits.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin, parseOrigin } from '../../protocol/log/origin.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type Cli, examples } from '../cli.ts';
import { asked } from '../desk/node-answers.ts';
import { adminOf } from '../desk/admin-of.ts';
import { parseCodeArgument, readCodeArgument } from '../code-argument.ts';
import { accusationText } from '../accusation-text.ts';
import { CliError, cliErrorOf, EXIT, type ExitCode, usageError } from '../exit.ts';
import { aligned, figure } from '../output.ts';
import { printable, printableLines } from '../printable.ts';
import { namedDirectory, parseFingerprint, readRegion, regionModules } from '../region.ts';
import { exportKept, listKept } from './kept-evidence.ts';

interface VerifyOptions {
  readonly fingerprint: readonly Uint8Array[];
  readonly region?: string;
}

interface CodeOptions {
  readonly log: string;
  readonly to: string;
}

/**
 * What a proof is worth by the states that are known. `unnamed`: its keys are none that the trust log of its region names, or names still.
 * `unsettled`: whether a witness left one of the trees rightly cannot be told without the state of their log's region.
 */
type Worth = 'proven' | 'disowned' | 'unnamed' | 'unsettled';

/** A file that is not there, or cannot be read. */
interface Unread {
  readonly outcome: 'unread';
  readonly exit: ExitCode;
  readonly code: string;
  readonly message: string;
}

/** What a file turned out to be. */
type Outcome =
  | ({ readonly outcome: Worth } & ProvenEvidence)
  | Unread
  | { readonly outcome: 'refused'; readonly fault: Fault; readonly message: string };
type Checked = Outcome & { readonly file: string };

export function addEvidence(program: Command, cli: Cli): void {
  const evidence = program.command('evidence').summary('prove that a region told two stories');
  evidence
    .command('verify')
    .summary('check evidence offline')
    .description(
      'Says of each file, whatever became of those before it, whether it proves that a region contradicted itself: two trees of one log, cosignatures of two trees of a trust log, another leaf than an attestation, two attestations for one index, entries out of order, two tables of numbers for one minute. Believes nobody: the keys are those that a root named which you know.',
    )
    .argument('<files...>', 'files of evidence')
    .option('--fingerprint <hex>', 'of a root that you know (repeatable)', collectFingerprint, [])
    .option('--region <dir>', 'know what this region knows: its own root, and those that it recognises')
    .addHelpText(
      'after',
      examples(
        ['entente evidence verify fork.evidence --region DE', 'by what your own region recognises'],
        ['entente evidence verify fork.evidence --fingerprint 1f2e...', 'by a fingerprint alone'],
      ) + EXITS,
    )
    .action((files: readonly string[], options: VerifyOptions) => verify(cli, files, options));
  evidence
    .command('code')
    .summary('hold a code against its log')
    .description(
      'Looks whether the log has the attestation of a code at its index, and if it has another leaf there, writes what proves that.',
    )
    .argument('<code>', 'the text of a code, or - for stdin')
    .requiredOption('--log <dir>', 'directory of a node or region, or a public directory, with the logs')
    .option('--to <file>', 'where to', 'leaf.evidence')
    .addHelpText(
      'after',
      examples(["entente evidence code 'ENT1:...' --log CN-33/public", 'by the published logs']) + CODE_EXITS,
    )
    .action((code: string, options: CodeOptions) => holdCode(cli, code, options));
  evidence
    .command('tell')
    .summary('give evidence to a node, which tells the others')
    .description(
      'Gives files of evidence to the node that runs on a directory. It verifies them by the roots that it knows, keeps what proves something new for good, and tells its peers.',
    )
    .argument('<dir>', 'directory of the node, which runs')
    .argument('<files...>', 'files of evidence')
    .addHelpText(
      'after',
      examples(['entente evidence tell DE fork.evidence', 'what `evidence code` or an audit has found']),
    )
    .action((path: string, files: readonly string[]) => tell(cli, path, files));
  evidence
    .command('list')
    .summary('what a node holds against regions')
    .description(
      'Lists the proofs that a node keeps: those in its store, or, while it runs, by asking it. Changes nothing.',
    )
    .argument('<dir>', 'directory of the node')
    .addHelpText(
      'after',
      examples(['entente evidence list DE', 'which logs have forked']) + keptExits('listed'),
    )
    .action((path: string) => listKept(cli, path));
  evidence
    .command('export')
    .summary('write what a node holds as files')
    .description(
      'Writes each proof that a node keeps, whether it runs or not, as a file that anybody can verify.',
    )
    .argument('<dir>', 'directory of the node')
    .option('--to <dir>', 'where to', '.')
    .addHelpText(
      'after',
      examples(['entente evidence export DE --to evidence', 'one file for each proof']) +
        keptExits('written'),
    )
    .action((path: string, options: { readonly to: string }) => exportKept(cli, path, options));
}

const EXITS = `

Exit codes: 0 all is proven; 4 it is, but a root has given up a key since, its
            trust log names no such key (both of which --region tells), or it
            is of a witness and nothing is known of the log that it witnessed;
            1 a file cannot be read; 2 a file is not there, or there is no root
            to go by; 5 something proves nothing. All files are looked at, and
            of several codes the one that stands last here is given.`;

const CODE_EXITS = `

Exit codes: 0 the log has it, 5 it has another leaf there, 4 it has no leaf
            there yet or is not there.`;

function keptExits(done: 'listed' | 'written'): string {
  return `

Exit codes: 0 all is ${done}, 5 something that is kept is damaged, or is no
            evidence by this version: it is named, and the rest is ${done}.`;
}

/** A code that stands in its log is as it should be; whether it counts is for `verify`. */
async function holdCode(cli: Cli, code: string, { log, to }: CodeOptions): Promise<void> {
  const modules = await regionModules(cli);
  const { attestation } = parseCodeArgument(modules.sha256, await readCodeArgument(cli, code));
  namedDirectory(log);
  const source = await openAuditSource(log);
  try {
    const { region, network } = source.owner;
    const { log: id, index } = attestation;
    if (attestation.region !== region)
      throw usageError(`the code is one of ${attestation.region}, the logs are those of ${region}`);
    const origin = attestationLogOrigin(region, network, id);
    const note = await source.log(origin).checkpoint();
    const size = note === undefined ? 0 : parseCheckpoint(parseNote(note).text).size;
    const evidence = await evidenceOfLeaf(attestation, source, modules);
    if (evidence !== undefined) await writeFileAtomically(to, encodeEvidence(evidence));
    const outcome = evidence !== undefined ? 'another' : index < size ? 'logged' : 'not-there';
    cli.exit = { another: EXIT.inconsistent, logged: EXIT.ok, 'not-there': EXIT.undetermined }[outcome];
    const told = {
      another: `${origin} has another leaf at ${figure(index)}: ${printable(to)} proves it.`,
      logged: `${origin} has this attestation at ${figure(index)}.`,
      'not-there': `${origin} has ${figure(size)} entries, and none at ${figure(index)} yet.`,
    };
    const file = evidence === undefined ? {} : { file: to };
    cli.output.result({ origin, index, size, outcome, ...file }, () => [told[outcome]]);
  } finally {
    await source.close();
  }
}

function collectFingerprint(text: string, before: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...before, parseFingerprint(text)];
}

async function verify(cli: Cli, files: readonly string[], options: VerifyOptions): Promise<void> {
  const { fingerprint: known, region } = options;
  if (known.length === 0 && region === undefined)
    throw usageError('say which roots you know: --region DIR or --fingerprint HEX');
  const modules = await regionModules(cli);
  const pinned = new Set(known.map(hexOf));
  const states = region === undefined ? new Map<string, TrustState>() : await statesOf(cli, region, pinned);
  const knowsRoot = (_region: string, fingerprint: Uint8Array) => pinned.has(hexOf(fingerprint));
  const checked: Checked[] = [];
  for (const file of files) {
    const read = await readOf(file);
    const one = check(file, () => {
      if (!(read instanceof Uint8Array)) return read;
      const proven = verifyEvidence(parseEvidence(read), knowsRoot, modules);
      return { ...proven, outcome: worthOf(proven, (of) => states.get(of), modules) };
    });
    checked.push(one);
    const exit = one.outcome === 'unread' ? one.exit : EXIT_OF[one.outcome];
    if (WORSE.indexOf(exit) > WORSE.indexOf(cli.exit)) cli.exit = exit;
  }
  cli.output.result(checked, () => checked.flatMap((one) => checkedLines(one, cli)));
}

/** What is in a file, or why that cannot be known. */
async function readOf(file: string): Promise<Uint8Array | Unread> {
  try {
    const bytes = await readPublishedFile(file, EVIDENCE_BYTES_MAX);
    if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
    return bytes;
  } catch (error) {
    const { exit, code, message } = cliErrorOf(error);
    return { outcome: 'unread', exit, code, message };
  }
}

function worthOf(
  proven: ProvenEvidence,
  stateOf: (region: string) => TrustState | undefined,
  { sha256 }: Pick<TrustModules, 'sha256'>,
): Worth {
  if (!isByNamedKeys(proven, stateOf, sha256)) return 'unnamed';
  if (isDisowned(proven, stateOf)) return 'disowned';
  const isOpen = proven.kind === 'cosignatures' && stateOf(parseOrigin(proven.origin).region) === undefined;
  return isOpen ? 'unsettled' : 'proven';
}

/** The trust states that are known at a region, by region. Adds to `pinned` the roots that it knows by its own log. */
async function statesOf(
  cli: Cli,
  path: string,
  pinned: Set<string>,
): Promise<ReadonlyMap<string, TrustState>> {
  const { region, fingerprint, state } = await readRegion(cli, path);
  pinned.add(hexOf(fingerprint));
  for (const recognition of state.recognitions()) {
    if (recognition.standing !== 'withdrawn') pinned.add(hexOf(recognition.fingerprint));
  }
  try {
    const { known, branches } = await readHomeView(path, await regionModules(cli));
    const states = new Map(known.map((one) => [one.region, one.state]));
    // Nobody has to vouch for what a root has signed: of two logs of a region the one that gives keys up says more.
    for (const one of branches)
      if (!states.has(one.region) || givesUpCheckpoints(one.state)) states.set(one.region, one.state);
    return states;
  } catch (error) {
    if (!(error instanceof CliError || error instanceof NodeError || isProtocolError(error))) throw error;
    cli.output.note(
      `whether others have given up a key since is not known: ${printableLines(error.message)}`,
    );
    return new Map([[region, state]]);
  }
}

function givesUpCheckpoints(state: TrustState): boolean {
  return state.keysWithRole('checkpoint').some(({ compromise }) => compromise !== undefined);
}

function check(file: string, prove: () => Outcome): Checked {
  try {
    return { file, ...prove() };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return { file, outcome: 'refused', fault: error.fault, message: error.message };
  }
}

const EXIT_OF = {
  proven: EXIT.ok,
  disowned: EXIT.undetermined,
  unnamed: EXIT.undetermined,
  unsettled: EXIT.undetermined,
  refused: EXIT.inconsistent,
} as const;

/** Of several files the last of these decides: what proves nothing, before what nobody could read. */
const WORSE: readonly ExitCode[] = [EXIT.ok, EXIT.undetermined, EXIT.failure, EXIT.usage, EXIT.inconsistent];

/** What to say of a proof that is none to this reader. */
function reservation(outcome: Exclude<Worth, 'proven'>, region: string, origin: string): string {
  const { region: log } = parseOrigin(origin);
  switch (outcome) {
    case 'disowned':
      return log === region
        ? `The root of ${region} has given up a key that signed this: it may have been a thief.`
        : `The root of ${log} has named a branch of its log, or that of ${region} has given up a key: the witness may have left the other tree rightly.`;
    case 'unnamed':
      return `The trust log as it is known here names no such key: who stole a root that was replaced since can name his own.`;
    case 'unsettled':
      return `Not known here: whether the root of ${log} has named a branch. A witness leaves the other rightly. Ask with --region, of a region that follows ${log}.`;
  }
}

function checkedLines(checked: Checked, cli: Cli): string[] {
  const { red, green, yellow } = cli.output.colours;
  const name = printable(checked.file);
  if (checked.outcome === 'refused') return [red(`${name}: proves nothing: ${printable(checked.message)}`)];
  if (checked.outcome === 'unread') return [red(`${name}: not checked: ${printable(checked.message)}`)];
  const { region, origin, at, words, checkpoints, outcome } = checked;
  const said = outcome === 'unnamed' || outcome === 'unsettled' ? 'not proven' : 'proven';
  const line = `${name}: ${said}: ${region} ${accusationText({ kind: checked.kind, origin, at })}`;
  return [
    outcome === 'proven' ? green(line) : line,
    ...aligned(
      [
        ...checkpoints.map(
          ({ size, root }) => ['checkpoint', `${figure(size)} entries, root ${hexOf(root)}`] as const,
        ),
        ...words.map((keys) => ['signed by', keys.join(', ')] as const),
      ],
      '  ',
    ),
    ...(outcome === 'proven' ? [] : [yellow(`  ${reservation(outcome, region, origin)}`)]),
  ];
}

async function tell(cli: Cli, path: string, files: readonly string[]): Promise<void> {
  const client = await adminOf(path, cli.surroundings.environment ?? {});
  for (const file of files) {
    const bytes = await readPublishedFile(file, EVIDENCE_BYTES_MAX);
    if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
    const body = { evidence: Buffer.from(bytes).toString('base64') };
    const answer = await asked(client.ask({ method: 'POST', path: '/v1/evidence', body }));
    const { isNew } = answer as { isNew: boolean };
    cli.output.result({ file, isNew }, () => [
      `${printable(file)}: ${isNew ? 'kept, and told to peers' : 'known already, or enough is held against that region'}.`,
    ]);
  }
}
