/** `entente verify --node`: the verdict of nodes, and in whose name it is. */
import { isVerifierToken } from '../../node/lookup/verifiers.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { type AskedPlace } from '../../protocol/rules/asked-place.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { type Cli } from '../cli.ts';
import { usageError } from '../exit.ts';
import { parsePlace } from '../place.ts';
import { printable } from '../printable.ts';
import { parseRegionId } from '../region.ts';
import { parseChallenge } from './present.ts';

export interface VerifyOptions {
  readonly file?: string;
  readonly region?: string;
  readonly offline?: readonly string[];
  readonly home?: string;
  readonly anyHome?: true;
  readonly pin?: string;
  readonly keep?: string;
  readonly policy?: string;
  readonly at?: string;
  readonly place?: string;
  readonly rules?: string;
  readonly role?: string;
  readonly challenge?: string;
  readonly document?: string;
  readonly proof?: string;
  readonly explain?: true;
  readonly foreignKeys?: readonly string[];
  readonly node?: readonly string[];
  readonly token?: string;
}

/** A verdict of a node that was asked in the name of `home` says by the node of which region it came; null where that did not say. */
export type Judged = Verdict & { readonly home?: string; readonly judgedBy?: string | null };

export type Judge = (text: string) => Promise<Judged>;

const TOKEN_FILE_BYTES_MAX = 1_024;

export function parseUrls(text: string): readonly string[] {
  const urls = text.split(',').map((url) => url.trim());
  for (const url of urls) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw usageError(
        `expected the URL of a node, not ${printable(url)}`,
        'As in https://node.example:8600.',
      );
  }
  return urls;
}

/** By what nodes know. The time is theirs. */
export async function judgeThere(cli: Cli, options: VerifyOptions, urls: readonly string[]): Promise<Judge> {
  const { region, offline, pin, keep, policy, at, document, proof, rules, role, anyHome } = options;
  if ([region, offline, pin, keep, policy, at, document, proof].some((other) => other !== undefined)) {
    throw usageError(
      '--node goes with --home, --any-home, --token, --place, --rules, --role, --challenge, --file and --explain alone',
    );
  }
  const home = options.home === undefined ? undefined : parseRegionId(options.home);
  if (rules !== undefined && anyHome === true)
    throw usageError('--any-home goes without --rules: rules of the same id are others in another region');
  if (rules !== undefined && home === undefined && urls.length > 1)
    throw usageError(
      'rules of the same id are others in another region: of several nodes say with --home whose rules count',
      'As in --home CN-33: a node of another region then gives no verdict.',
    );
  const { VerdictClient } = await import('../../node/http/verdict-client.ts');
  const token = options.token === undefined ? undefined : await readToken(options.token);
  const client = new VerdictClient({ urls, token });
  const { place, challenge } = askedOf(options);
  return async (text) => {
    const question = { home, anyHome, place, rules, role, challenge };
    const { verdict, url, judgedBy = null, insteadOf } = await client.verify(text, question);
    if (insteadOf !== undefined)
      cli.output.note(`${printable(url)} answers in place of ${printable(insteadOf)}`);
    return home === undefined ? verdict : { ...verdict, home, judgedBy };
  };
}

/** Whose verdict it is, where that is not the home. */
export function inWhoseName({ home, judgedBy }: Judged): string[] {
  if (home === undefined || judgedBy === home) return [];
  return [`judged in the name of ${judgedBy ?? 'another region'}, not ${home}`];
}

export function askedOf({ place, challenge }: VerifyOptions): {
  readonly place: AskedPlace;
  readonly challenge: Uint8Array | undefined;
} {
  return {
    place: parsePlace(place),
    challenge: challenge === undefined ? undefined : parseChallenge(challenge),
  };
}

/** @throws {CliError} USAGE for a file that holds none. */
async function readToken(file: string): Promise<string> {
  const bytes = await readFileIfPresent(file, TOKEN_FILE_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
  const token = Buffer.from(bytes).toString('latin1').trim();
  if (isVerifierToken(token)) return token;
  throw usageError(
    `${printable(file)} holds no token of a verifier`,
    'The operator of the node writes one with `entente verifier add`.',
  );
}
