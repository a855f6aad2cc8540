/** `entente revoke`: codes that no longer count, whatever they say. */
import { type Command, InvalidArgumentError } from 'commander';
import { type StatementDraft } from '../../node/log/trust-log-work.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Cli, examples } from '../cli.ts';
import { parseCodeArgument } from '../code-argument.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable, shortened } from '../printable.ts';
import { type SigningOptions, withoutPeersOption } from '../region.ts';

interface RevokeOptions extends SigningOptions {
  readonly subject?: string;
  readonly holder?: string;
  readonly root?: true;
}

interface Place {
  readonly log: string;
  readonly index: number;
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
    .option('--root', 'sign with the root, which no limit per hour binds')
    .addOption(withoutPeersOption())
    .addHelpText(
      'after',
      examples(
        ["entente revoke CN-33 'ENT1:...'", 'by the text of the code'],
        ['entente revoke CN-33 2026-11/17 2026-11/2041', 'by place in the log'],
        ["entente revoke CN-33 --subject 'Person 00001'", 'by person'],
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
  const { sha256 } = await cli.crypto();
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const places: Place[] = [];
      for (const one of what) places.push(await placeOf(desk, one, sha256));
      places.push(...(await placesHeld(desk, options)));
      if (places.length === 0)
        throw new CliError(EXIT.failure, 'NOT_FOUND', 'the registry has no such code; nothing was revoked');
      const revoked: Place[] = [];
      for (const [log, indexes] of newByLog(desk, places)) {
        if (options.root === true) await desk.appendByRoot([revocationOf(log, indexes, nowS())]);
        else await desk.revoke(log, indexes);
        revoked.push(...indexes.map((index) => ({ log, index })));
      }
      cli.output.result({ revoked, before: places.length - revoked.length }, () => [
        revoked.length === 0
          ? 'All of these codes were revoked before; nothing changed.'
          : `Revoked ${counted(revoked.length, 'code')}: ${shortened(revoked.map(placeText).join(' '), 60)}`,
      ]);
    },
    options,
  );
}

/** A place that stands in the log of this region; for a code, with this very attestation. */
async function placeOf(home: Desk, text: string, sha256: Sha256): Promise<Place> {
  const match = /^(\d{4}-\d{2}(?:\.\d)?)\/(\d{1,13})$/.exec(text);
  if (match !== null) {
    const place = { log: match[1] ?? '', index: Number(match[2]) };
    await leafAt(home, place);
    return place;
  }
  if (!text.startsWith('ENT')) {
    throw usageError(
      `expected the text of a code or a place such as 2026-11/17, not ${printable(shortened(text, 40))}`,
    );
  }
  const { attestation } = parseCodeArgument(sha256, text);
  const { region, log, index } = attestation;
  if (region !== home.config.region) {
    throw new CliError(
      EXIT.failure,
      'OTHER_REGION',
      `the code is of ${region}, and only ${region} can revoke it`,
    );
  }
  if (!equalBytes(await leafAt(home, { log, index }), attestation.bytes)) {
    throw new CliError(
      EXIT.failure,
      'NOT_ISSUED',
      `the log has another code at ${log}/${index}: this one is forged, and stopped already`,
    );
  }
  return { log, index };
}

async function leafAt(home: Desk, { log, index }: Place): Promise<Uint8Array> {
  const leaf = isAttestationLogId(log) ? await home.leaf(log, index) : undefined;
  if (leaf !== undefined) return leaf;
  throw new CliError(EXIT.failure, 'NOT_ISSUED', `the region has issued no ${log}/${index}`);
}

function parseHolder(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('Expected 64 hexadecimal digits.');
}

/** The places of a person's codes, and of those for a device. */
async function placesHeld(desk: Desk, { subject, holder }: RevokeOptions): Promise<Place[]> {
  const places: Place[] = [];
  if (subject !== undefined)
    for await (const { log, index } of desk.held({ subject })) places.push({ log, index });
  if (holder === undefined) return places;
  for await (const { log, index, holderKey } of desk.held({})) {
    if (holderKey === holder) places.push({ log, index });
  }
  return places;
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
