/** `entente root show|sign|merge|submit`: a draft on its way from key to key. */
import { type Command } from 'commander';
import { readFileIfPresent, writeFileAtomically } from '../../node/region/files.ts';
import {
  digestOfDraft,
  DRAFT_BYTES_MAX,
  encodeDraft,
  entriesOf,
  mergeDrafts,
  parseDraft,
  type RootDraft,
  signDraft,
  standingOf,
} from '../../node/region/root-draft.ts';
import { openSealedKey, readSealedKey } from '../../node/region/sealed-key.ts';
import { decodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type Cli, examples } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { readableLines } from '../readable.ts';
import { fingerprintText, regionModules, type SigningOptions, withoutPeersOption } from '../region.ts';
import { type PassphraseOptions, passphraseOption, readPassphrase } from './passphrase.ts';
import { requireFitDraft } from '../rules/fitness.ts';
import { withRulesHash } from '../rules/logged-rules.ts';
import { writeDraft } from './by-root.ts';
import { leaveNoneOption, type LeaveNoneOption, requireSuccessors } from './successors.ts';

interface SubmitOptions extends SigningOptions, LeaveNoneOption {
  /** As of `entente rules activate`. */
  readonly undecided?: true;
}

interface SignOptions extends PassphraseOptions {
  readonly key: string;
  readonly out?: string;
}

export function addRootDrafts(root: Command, cli: Cli): void {
  root
    .command('show')
    .description('Shows what a draft says, who has signed it, and how many signatures are missing.')
    .argument('<draft>', 'file that a command with --draft has written')
    .addHelpText(
      'after',
      examples(['entente root show draft.json', 'and the digest that all who sign compare']),
    )
    .action((path: string) => show(cli, path));
  root
    .command('sign')
    .description('Signs a draft with one key of the root, and needs no network. Shows first what it says.')
    .argument('<draft>', 'file that a command with --draft has written')
    .requiredOption('--key <file>', 'sealed key: root-<id>.sealed.json')
    .option('--out <file>', 'write the signed draft here (default: in its place)')
    .addOption(passphraseOption())
    .addHelpText(
      'after',
      examples([
        'entente root sign draft.json --key usb1/root-0011223344556677.sealed.json --passphrase-file pass.txt',
        'on the machine of this key',
      ]),
    )
    .action((path: string, options: SignOptions) => sign(cli, path, options));
  root
    .command('merge')
    .description('Makes one draft of several copies that were signed in different places.')
    .argument('<drafts...>', 'copies of one draft')
    .requiredOption('--out <file>', 'file to write')
    .addHelpText(
      'after',
      examples(['entente root merge one.json two.json --out all.json', 'with the signatures of both']),
    )
    .action((paths: readonly string[], { out }: { readonly out: string }) => merge(cli, paths, out));
  root
    .command('submit')
    .description('Logs what enough keys of the root have signed.')
    .argument('<region>', 'directory of the region')
    .argument('<draft>', 'signed draft')
    .addOption(leaveNoneOption())
    .option(
      '--undecided',
      'rules beside others that know of declarations, although life.rules in the settings names none: no colour is updated until it does',
    )
    .addOption(withoutPeersOption())
    .addHelpText('after', examples(['entente root submit DE signed.json', 'from here on it counts']))
    .action((region: string, path: string, options: SubmitOptions) => submit(cli, region, path, options));
}

async function show(cli: Cli, path: string): Promise<void> {
  const modules = await cli.crypto();
  const draft = await readDraft(path, modules);
  cli.output.result(reportOf(draft, modules), () => draftLines(draft, modules));
}

async function sign(
  cli: Cli,
  path: string,
  { key: keyPath, out = path, passphraseFile }: SignOptions,
): Promise<void> {
  const modules = await regionModules(cli);
  const draft = await readDraft(path, modules);
  const key = await readSealedKey(keyPath);
  if (key.region !== draft.region || key.network !== draft.network)
    throw new CliError(
      EXIT.inconsistent,
      'DRAFT_INVALID',
      `the draft is for ${draft.region}.${draft.network}, and the key of ${key.region}.${key.network}`,
      { hint: 'Nothing was signed.' },
    );
  cli.output.before(reportOf(draft, modules), () => draftLines(draft, modules));
  const passphrase = await readPassphrase(cli, printable(keyPath), { passphraseFile });
  const signer = openSealedKey(key, passphrase, modules);
  const signed = signDraft(draft, signer, modules);
  if (out === path) await writeFileAtomically(path, encodeDraft(signed));
  else await writeDraft(out, signed);
  cli.output.result({ signedBy: signer.keyId, draft: out, ...reportOf(signed, modules) }, () => [
    `Signed by ${signer.keyId}: ${printable(out)}. ${missingText(signed, modules)}`,
  ]);
}

async function merge(cli: Cli, paths: readonly string[], out: string): Promise<void> {
  const modules = await cli.crypto();
  const drafts: RootDraft[] = [];
  for (const path of paths) drafts.push(await readDraft(path, modules));
  const merged = mergeDrafts(drafts, modules);
  await writeDraft(out, merged);
  cli.output.result({ draft: out, ...reportOf(merged, modules) }, () => [
    `${printable(out)} has the signatures of ${counted(paths.length, 'file')}. ${missingText(merged, modules)}`,
  ]);
}

async function submit(cli: Cli, region: string, path: string, options: SubmitOptions): Promise<void> {
  const modules = await cli.crypto();
  const draft = await readDraft(path, modules);
  const entries = entriesOf(draft, modules);
  await withDesk(
    cli,
    region,
    async (desk, { nowS, sha256 }) => {
      const { config } = desk;
      if (config.region !== draft.region || config.network !== draft.network)
        throw usageError(
          `the draft is for ${draft.region}.${draft.network}, and the directory of ${config.region}.${config.network}`,
        );
      if (options.leaveNone !== true)
        await requireSuccessors(desk, entries, { path: region, atS: nowS(), sha256 });
      const statements = draft.statements.map(({ statement }) => statement);
      requireFitDraft(desk, statements, { nowS: nowS(), undecided: options.undecided === true });
      const index = await desk.appendEntries(entries);
      cli.output.result({ region: draft.region, index, statements: entries.length }, () => [
        `Logged ${counted(entries.length, 'statement')} of the root, from entry ${index} of its trust log on.`,
      ]);
    },
    { ...options, healing: true },
  );
}

async function readDraft(path: string, modules: Parameters<typeof parseDraft>[1]): Promise<RootDraft> {
  const bytes = await readFileIfPresent(path, DRAFT_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(path)}`);
  return parseDraft(bytes, modules);
}

function reportOf(draft: RootDraft, modules: Parameters<typeof digestOfDraft>[1]) {
  const { region, network, statements } = draft;
  return {
    region,
    network,
    digest: digestOfDraft(draft, modules),
    statements: statements.map(({ statement }) => told(statement, modules)),
    boards: standingOf(draft, modules),
  };
}

function draftLines(draft: RootDraft, modules: Parameters<typeof digestOfDraft>[1]): string[] {
  const { region, network, statements } = draft;
  return [
    `For the root of ${region}.${network} to sign, ${counted(statements.length, 'statement')}:`,
    ...statements.flatMap(({ statement }) => ['', ...readableLines(told(statement, modules), '  ')]),
    '',
    `digest: ${fingerprintText(digestOfDraft(draft, modules))}`,
    ...standingOf(draft, modules).map(({ isNew, threshold, keys }) => {
      const who = keys.map(({ keyId, hasSigned }) => `${keyId}${hasSigned ? ' has signed' : ''}`).join(', ');
      return `${isNew ? 'new root' : 'root'}: ${threshold} of ${who}`;
    }),
    missingText(draft, modules),
  ];
}

/** Indexes of a revocation as numbers, and rules with their hash. */
function told(statement: Statement, { sha256 }: Parameters<typeof digestOfDraft>[1]): object {
  if (statement.kind === 'revocation') return { ...statement, set: decodeIndexSet(statement.set) };
  return withRulesHash(sha256, statement);
}

function missingText(draft: RootDraft, modules: Parameters<typeof standingOf>[1]): string {
  const missing = standingOf(draft, modules).filter((board) => board.missing > 0);
  if (missing.length === 0) return 'Enough have signed: it can be submitted.';
  const parts = missing.map((board) => `${board.missing} of the ${board.isNew ? 'new root' : 'root'}`);
  return `Still to sign: ${parts.join(' and ')}.`;
}
