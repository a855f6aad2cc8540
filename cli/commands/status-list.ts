/** `entente status-list`: the revoked codes of a log for verifiers that know nothing of this network. */
import { join } from 'node:path';
import { type Command } from 'commander';
import { openStatusSigner, statusCwt, statusJwt } from '../../node/foreign/status-export.ts';
import { readFileIfPresent, writeFileAtomically } from '../../node/region/files.ts';
import { attestationLogsPath } from '../../node/region/layout.ts';
import { LogFiles } from '../../node/region/log-files.ts';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { type Cli, examples } from '../cli.ts';
import { usageError } from '../exit.ts';
import { counted, figure } from '../output.ts';
import { printable } from '../printable.ts';
import { readRecentRegion, type StaleOption, staleOption } from '../recent-region.ts';
import { parseSpan, timeText } from '../times.ts';

interface StatusListOptions extends StaleOption {
  readonly key: string;
  readonly address: string;
  readonly out: string;
  readonly cwt?: true;
  readonly validFor: string;
}

/** Bytes of a PEM file with one key. */
const KEY_FILE_BYTES_MAX = 16_384;
const SPAN = { from: '1m', to: '30d' } as const;

export function addStatusList(program: Command, cli: Cli): void {
  program
    .command('status-list')
    .summary("a log's revoked codes for verifiers of others")
    .description(
      'Writes which codes of a log are revoked as an IETF token status list, a bit for each leaf, signed by ES256. Prints the public key as JSON. Reads what the region publishes, so it works beside a node that runs, and refuses what is more than 10 minutes old.',
    )
    .argument('<region>', 'directory of the region, or its public directory')
    .argument('<log>', 'the log, as in 2026-11')
    .requiredOption('--key <file>', 'private key on P-256, as PEM')
    .requiredOption('--address <url>', 'where the list will be found, as codes would name it')
    .requiredOption('--out <file>', 'where to write it')
    .option('--cwt', 'as a CWT instead of a JWT')
    .option('--valid-for <span>', 'how long it counts, 1m to 30d; a copy may be kept for half of it', '2h')
    .addOption(staleOption())
    .addHelpText(
      'after',
      examples(
        [
          'entente status-list CN-33 2026-11 --key lists.pem --address urn:a --out a.jwt',
          'a new one every hour; the verifier compares the address',
        ],
        [
          'entente status-list CN-33 2026-11 --key lists.pem --address urn:a --stale --out a.jwt',
          'of a silent region: issued when it was heard last',
        ],
      ),
    )
    .action((region: string, log: string, options: StatusListOptions) =>
      statusList(cli, region, log, options),
    );
}

async function statusList(cli: Cli, path: string, log: string, options: StatusListOptions): Promise<void> {
  const { key, address, out, cwt, validFor } = options;
  const validForS = parseSpan(validFor, SPAN);
  if (!isAttestationLogId(log))
    throw usageError(`expected the id of a log, not ${printable(log)}`, 'An id is a month, as in 2026-11.');
  const pem = await readFileIfPresent(key, KEY_FILE_BYTES_MAX);
  if (pem === undefined) throw usageError(`there is no file ${printable(key)}`);
  const signer = openStatusSigner(Buffer.from(pem).toString('utf8'));
  const { path: publicPath, state, atS, isStale } = await readRecentRegion(cli, path, options);
  const files = new LogFiles(join(attestationLogsPath(publicPath), log));
  if ((await files.checkpoint()) === undefined)
    throw usageError(`the region publishes no log ${printable(log)}`, 'Name one as in 2026-11.');
  const revoked = state.revoked(log);
  const statuses = { size: await files.claimedSize(), revoked: revoked ?? [] };
  const nowS = cli.surroundings.nowS();
  const issuedAtS = isStale ? atS : nowS;
  const expiresAtS = issuedAtS + validForS;
  if (expiresAtS <= nowS)
    throw usageError(
      `the list would have expired ${timeText(expiresAtS)}: it counts from the time of what is in it`,
      'Say a longer --valid-for, and know what it costs.',
    );
  const claims = { subject: address, issuedAtS, expiresAtS, ttlS: Math.floor(validForS / 2) };
  const token =
    cwt === true
      ? statusCwt(statuses, claims, signer)
      : new Uint8Array(Buffer.from(statusJwt(statuses, claims, signer)));
  await writeFileAtomically(out, token);
  const { curve, x, y } = signer.publicKey;
  const jwk = { kty: 'EC', crv: curve, kid: signer.keyId, x: encodeBase64Url(x), y: encodeBase64Url(y) };
  const count = revoked?.count ?? 0;
  cli.output.result({ out, log, size: statuses.size, revoked: count, issuedAtS, expiresAtS, jwk }, () => [
    `Wrote ${printable(out)}: ${figure(count)} of ${counted(statuses.size, 'code')} of log ${printable(log)} revoked, until ${timeText(expiresAtS)}.`,
    `Its key: ${JSON.stringify(jwk)}`,
  ]);
}
