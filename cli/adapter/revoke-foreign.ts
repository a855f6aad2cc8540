/** `entente adapter revoke`: a code of others stops counting where its region is recognised. */
import { createReadStream, existsSync } from 'node:fs';
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { linesOf } from '../../node/rows/lines.ts';
import { compareBytes, hexOf } from '../../protocol/bytes.ts';
import { keySourceOf, localsIn } from '../../protocol/foreign/announced-codes.ts';
import { CARD_CHARS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { revocationHashesOf } from '../../protocol/foreign/revocation-hashes.ts';
import { signedLocal } from '../../protocol/foreign/verify-local.ts';
import { foreignFormatOf, verifyForeign } from '../../protocol/foreign/verify-foreign.ts';
import { FOREIGN_REVOCATION_BYTES, FOREIGN_REVOCATION_S_MAX } from '../../protocol/limits.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type Cli } from '../cli.ts';
import { readCodeArgument } from '../code-argument.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { type SigningOptions } from '../region.ts';
import { parseSpan, timeText } from '../times.ts';

export interface RevokeForeignOptions extends SigningOptions {
  readonly file?: string;
  readonly hashes?: string;
  readonly for?: string;
}

/** How long a revocation stays that no code's expiry ends, the longest by default: another code of the identifier may live longer than that shown. */
export const STAYS = { from: '1h', to: '3650d' } as const;

const STATEMENT_HASHES_MAX = 1_000;
/** Bytes of a file of hashes, and how many it may hold: as many as statements of the trust-log key have room for. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const HASHES_MAX = 100_000;

interface Revoking {
  readonly hashes: readonly Uint8Array[];
  /** When the last code that they name has expired; undefined where nobody can tell. */
  readonly untilS: number | undefined;
}

export async function revokeForeign(
  cli: Cli,
  path: string,
  code: string | undefined,
  options: RevokeForeignOptions,
): Promise<void> {
  const given = [code, options.file, options.hashes].filter((one) => one !== undefined);
  if (given.length !== 1) throw usageError('give one of a code, --file and --hashes');
  const staysS = parseSpan(options.for ?? STAYS.to, STAYS);
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const wanted = await revokingOf(cli, desk.state, code, options, nowS());
      if (wanted.length === 0) throw usageError('there is no code in it');
      const endOf = (openS: number) =>
        Math.ceil(wanted.reduce((last, { untilS = openS }) => Math.max(last, untilS), 0));
      const until = Math.min(endOf(nowS() + staysS), nowS() + FOREIGN_REVOCATION_S_MAX - 1);
      if (until <= nowS()) throw usageError('it has expired: nobody can show it any more');
      // A list that is revoked again each day is not to fill the log: what stays for years is left until half of them are over.
      const enough = options.for === undefined ? Math.min(until, endOf(nowS() + staysS / 2)) : until;
      const known = revokedUntil(desk.state);
      const all = new Map(wanted.flatMap(({ hashes }) => hashes.map((hash) => [hexOf(hash), hash])));
      const fresh = [...all]
        .filter(([hex]) => (known.get(hex) ?? 0) < enough)
        .map(([, hash]) => hash)
        .sort(compareBytes);
      for (let at = 0; at < fresh.length; at += STATEMENT_HASHES_MAX)
        await desk.revokeForeign(fresh.slice(at, at + STATEMENT_HASHES_MAX), until);
      const home = desk.config.region;
      cli.output.result({ home, hashes: fresh.length, known: all.size - fresh.length, until }, () => [
        fresh.length === 0
          ? 'All of that was revoked before.'
          : `${home} has revoked codes of others by ${counted(fresh.length, 'name')}, until ${timeText(until)}.`,
      ]);
    },
    options,
  );
}

/** The hashes that a region has revoked, in hexadecimal, each with the end of the last statement that does. */
function revokedUntil(state: TrustState): Map<string, number> {
  const until = new Map<string, number>();
  for (const { hashes, untilS } of state.foreignRevocations())
    for (const hex of hashes.map(hexOf)) until.set(hex, Math.max(untilS, until.get(hex) ?? 0));
  return until;
}

async function revokingOf(
  cli: Cli,
  state: TrustState,
  code: string | undefined,
  { file, hashes }: RevokeForeignOptions,
  nowS: number,
): Promise<readonly Revoking[]> {
  if (hashes !== undefined) return [{ hashes: await readHashes(hashes), untilS: undefined }];
  if (code !== undefined) return [await hashesOf(state, await readCodeArgument(cli, code), nowS)];
  if (!existsSync(file ?? '')) throw usageError(`there is no file ${printable(file ?? '')}`);
  const all: Revoking[] = [];
  let line = 0;
  for await (const { text = '' } of linesOf(createReadStream(file ?? ''), CARD_CHARS_MAX)) {
    line++;
    try {
      all.push(await hashesOf(state, text, nowS));
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      throw usageError(`line ${line}: ${error.message}`, 'Nothing was revoked.');
    }
    if (all.length > HASHES_MAX) throw usageError(`expected at most ${HASHES_MAX} codes`);
  }
  return all;
}

/** A forged code could name the identifier of somebody else: only what the region's own keys signed is revoked. */
async function hashesOf(state: TrustState, text: string, nowS: number): Promise<Revoking> {
  const known =
    foreignFormatOf(text) === undefined
      ? undefined
      : await verifyForeign(
          nativeForeignPrimitives,
          text,
          keySourceOf(nativeForeignPrimitives.sha256, state),
          nowS,
        );
  if (known === undefined && localsIn(state, text).tried.length === 0)
    throw usageError('this is no code of another kind');
  const codes =
    known?.key !== undefined && known.code !== undefined
      ? [known.code]
      : (await signedLocal(nativeForeignPrimitives, text, state, nowS)).map(({ code }) => code);
  if (codes.length === 0)
    throw new CliError(
      EXIT.failure,
      'NOT_ISSUED_HERE',
      `no key that ${state.region} announces has signed this code`,
      {
        hint: 'Nothing was revoked.',
      },
    );
  const named = codes.map((code) => revocationHashesOf(nativeForeignPrimitives.sha256, code));
  const identifiers = named.flatMap((one) => one.identifiers);
  // Another code of the identifier, issued before or after, may expire later than this one.
  if (identifiers.length > 0) return { hashes: identifiers, untilS: undefined };
  const endsS = Math.max(...codes.map(({ times: { expiresAtS = Infinity } }) => expiresAtS));
  return {
    hashes: named.map(({ signature }) => signature),
    untilS: Number.isFinite(endsS) ? endsS : undefined,
  };
}

/** Lines of hexadecimal or base64, or a batch as gateways of the EU's member states give them out. */
async function readHashes(path: string): Promise<Uint8Array[]> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(path)}`);
  const text = Buffer.from(bytes).toString('utf8').trim();
  const texts = text.startsWith('{') ? batchOf(text, path) : text.split(/\s+/);
  if (texts.length > HASHES_MAX) throw usageError(`expected at most ${HASHES_MAX} hashes`);
  return texts.map((one, i) => {
    const isHex = /^[0-9a-fA-F]{32}$/.test(one);
    const hash = new Uint8Array(Buffer.from(one, isHex ? 'hex' : 'base64'));
    if (hash.length === FOREIGN_REVOCATION_BYTES && (isHex || Buffer.from(hash).toString('base64') === one))
      return hash;
    throw usageError(
      `hash ${i + 1} of ${printable(path)} is none of 16 bytes`,
      'Write each as hexadecimal or base64.',
    );
  });
}

function batchOf(text: string, path: string): string[] {
  try {
    const { entries } = JSON.parse(text) as { entries?: readonly { hash?: unknown }[] };
    if (Array.isArray(entries)) return entries.map(({ hash }) => (typeof hash === 'string' ? hash : ''));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw usageError(`${printable(path)} is no batch of hashes`, 'As in {"entries": [{"hash": "..."}]}.');
}
