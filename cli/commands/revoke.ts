/** `entente revoke`: codes that no longer count, whatever they say. */
import { type Command, InvalidArgumentError } from 'commander';
import { becauseSchema } from '../../node/life/dossier.ts';
import { isRevocable, logOver } from '../../node/revoking/revocable.ts';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Cli, examples } from '../cli.ts';
import { parseCodeArgument } from '../code-argument.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable, shortened } from '../printable.ts';
import { receiptFrom, receiptText } from '../receipt-text.ts';
import { draftOption, type RootOptions, withoutPeersOption } from '../region.ts';

interface RevokeOptions extends RootOptions {
  readonly subject?: string;
  readonly holder?: string;
  readonly root?: true;
  readonly why?: string;
}

interface Place {
  readonly log: string;
  readonly index: number;
}

interface PlaceModules {
  readonly sha256: Sha256;
  readonly nowS: () => number;
}

export function addRevoke(program: Command, cli: Cli): void {
  program
    .command('revoke')
    .summary('revoke codes, for ever')
    .description(
      'Signs that codes no longer count. There is no way back: a mistake is mended by issuing a new code.',
    )
    .argument('<region>', 'directory of the region')
    .argument('[what...]', 'codes: their text, or log and leaf as in 2026-11/17')
    .option('--subject <text>', 'all codes of this person', (text) => text.trim())
    .option('--holder <hex>', "all codes for this device's public key", parseHolder)
    .option('--why <text>', 'what its holder is told, if they declared (`entente update --out`)', parseWhy)
    .option('--root', 'sign with the root, which no limit per hour binds')
    .addOption(draftOption())
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ["entente revoke CN-33 'ENT1:...'", 'by the text of the code'],
        ['entente revoke CN-33 2026-11/17 2026-11/2041', 'by place in the log'],
        ["entente revoke CN-33 --subject 'Person 00001' --why 'The phone was lost.'", 'by person'],
      ),
    )
    .action((region: string, what: readonly string[], options: RevokeOptions) =>
      revoke(cli, region, what, options),
    );
}

async function revoke(
  cli: Cli,
  path: string,
  what: readonly string[],
  options: RevokeOptions,
): Promise<void> {
  if (what.length === 0 && options.subject === undefined && options.holder === undefined) {
    throw usageError('say which codes to revoke: their text or place, --subject or --holder');
  }
  if (options.draft !== undefined && options.root !== true)
    throw usageError('--draft is for what the root signs: say --root too');
  if (options.why !== undefined && options.root === true)
    throw usageError('--why goes without --root: holders are told then that it was revoked by hand');
  const { sha256 } = await cli.crypto();
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const named: Place[] = [];
      for (const one of what) named.push(await placeOf(desk, one, { sha256, nowS }));
      const held = await placesHeld(desk, options);
      const open = held.places.filter(({ log }) => isRevocable(log, desk.state, nowS()));
      const over = held.places.length - open.length + held.givenUp;
      const places = [...named, ...open];
      if (places.length === 0) {
        if (over > 0)
          throw logOver(`nothing was revoked, ${counted(over, 'code')} found in logs that are over`);
        throw new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code; nothing was revoked');
      }
      const byLog = [...newByLog(desk, places)];
      if (options.root !== true)
        for (const [log, indexes] of byLog) await desk.revoke(log, indexes, options.why);
      else if (byLog.length > 0) {
        const statements = byLog.map(([log, indexes]) => revocationOf(log, indexes, nowS()));
        await appendByRoot(cli, desk, statements, options);
      }
      const revoked = byLog.flatMap(([log, indexes]) => indexes.map((index) => ({ log, index })));
      const receipt = await receiptFrom(desk, 'trust');
      cli.output.result({ revoked, before: places.length - revoked.length, over, receipt }, () => [
        revoked.length === 0
          ? 'All of these codes were revoked before; nothing changed.'
          : `Revoked ${counted(revoked.length, 'code')}: ${shortened(revoked.map(placeText).join(' '), 60)}`,
        ...(receipt === undefined ? [] : [receiptText(receipt)]),
      ]);
      if (over > 0)
        cli.output.note(
          `Left out, since it can pass no more: ${counted(over, 'code')} in logs that are over.`,
        );
    },
    options,
  );
}

/** A place that stands in the log of this region; for a code, with this very attestation. */
async function placeOf(home: Desk, text: string, modules: PlaceModules): Promise<Place> {
  const match = /^(\d{4}-\d{2}(?:\.\d)?)\/(\d{1,13})$/.exec(text);
  if (match !== null) {
    const place = { log: match[1] ?? '', index: Number(match[2]) };
    await leafAt(home, place, modules);
    return place;
  }
  if (!text.startsWith('ENT')) {
    throw usageError(
      `expected the text of a code or a place such as 2026-11/17, not ${printable(shortened(text, 40))}`,
    );
  }
  const { attestation } = parseCodeArgument(modules.sha256, text);
  const { region, log, index } = attestation;
  if (region !== home.config.region) {
    throw new CliError(
      EXIT.failure,
      'OTHER_REGION',
      `the code is of ${region}, and only ${region} can revoke it`,
    );
  }
  if (!equalBytes(await leafAt(home, { log, index }, modules), attestation.bytes)) {
    throw new CliError(
      EXIT.failure,
      'NOT_ISSUED',
      `the log has another code at ${log}/${index}: this one is forged, and stopped already`,
    );
  }
  return { log, index };
}

async function leafAt(home: Desk, { log, index }: Place, { nowS }: PlaceModules): Promise<Uint8Array> {
  if (isAttestationLogId(log) && !isRevocable(log, home.state, nowS()))
    throw logOver(`the log ${log} is over`);
  const leaf = isAttestationLogId(log) ? await home.leaf(log, index) : undefined;
  if (leaf !== undefined) return leaf;
  throw new CliError(EXIT.failure, 'NOT_ISSUED', `the region has issued no ${log}/${index}`);
}

function parseHolder(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
}

function parseWhy(text: string): string {
  const { success, data } = becauseSchema.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError('Expected 1 to 200 characters in one line.');
}

/** The places of a person's codes, and of those for a device; `givenUp`: how many more that person had. */
async function placesHeld(
  desk: Desk,
  { subject, holder }: RevokeOptions,
): Promise<{ readonly places: Place[]; readonly givenUp: number }> {
  const places: Place[] = [];
  let givenUp = 0;
  if (subject !== undefined) {
    for await (const held of desk.held({ subject })) {
      if ('givenUp' in held) givenUp += held.givenUp;
      else places.push({ log: held.log, index: held.index });
    }
  }
  if (holder === undefined) return { places, givenUp };
  for (const { log } of desk.state.logs()) {
    for await (const held of desk.held({ log })) {
      if ('givenUp' in held || held.holderKey !== holder) continue;
      places.push({ log: held.log, index: held.index });
    }
  }
  return { places, givenUp };
}

function revocationOf(log: string, indexes: readonly number[], effective: number): StatementDraft {
  return { kind: 'revocation', log, effective, set: encodeIndexSet(Float64Array.from(indexes).sort()) };
}

/** The indexes that are not revoked yet, by log. */
function newByLog({ state }: Desk, places: readonly Place[]): Map<string, number[]> {
  const byLog = new Map<string, number[]>();
  for (const { log, index } of places) {
    if (state.revoked(log)?.has(index) === true) continue;
    const indexes = byLog.get(log) ?? [];
    if (!indexes.includes(index)) indexes.push(index);
    byLog.set(log, indexes);
  }
  return byLog;
}

function placeText({ log, index }: Place): string {
  return `${log}/${index}`;
}
