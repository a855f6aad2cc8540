/** What a text says by the profile of a local code: that of a file, or those that a region announces. Says nothing of whether it is genuine. */
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { localsOf } from '../../protocol/foreign/announced-codes.ts';
import { readLocal } from '../../protocol/foreign/local-code.ts';
import { mayBeLocal, type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { type Cli } from '../cli.ts';
import { notACode } from '../code-argument.ts';
import { usageError } from '../exit.ts';
import { foreignInWords } from '../foreign.ts';
import { printable } from '../printable.ts';
import { readRegion } from '../region.ts';
import { readProfile } from './local-profile.ts';

/** Where profiles come from: one of both. */
export interface ProfileSource {
  readonly profile?: string;
  readonly region?: string;
}

/** @throws {CliError} USAGE without a profile by which the text can be read; the first one's fault says why not. */
export async function inspectLocal(cli: Cli, text: string, source: ProfileSource): Promise<object> {
  const able = (await profilesOf(cli, source)).filter((profile) => mayBeLocal(profile, text));
  if (able.length === 0)
    throw usageError(
      'the text does not begin as codes of the profile do',
      'Paste the text whole, and quote it: a code may hold characters that a shell replaces.',
    );
  let fault: ProtocolError | undefined;
  for (const profile of able) {
    try {
      const code = await readLocal(nativeForeignPrimitives, profile, text);
      const { prefix, container } = profile;
      return { ...foreignInWords(code), readAs: { prefix, container } };
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      fault ??= error;
    }
  }
  throw notACode(fault as ProtocolError);
}

/** Those of a region with the longest beginning first, as a verdict goes by them. */
async function profilesOf(cli: Cli, { profile, region }: ProfileSource): Promise<readonly LocalProfile[]> {
  if (profile !== undefined && region !== undefined)
    throw usageError('--profile and --region each name profiles: leave one out');
  if (profile !== undefined) return [await readProfile(profile)];
  const { state, region: name } = await readRegion(cli, region ?? '');
  const profiles = localsOf(state).map((one) => one.profile);
  if (profiles.length === 0)
    throw usageError(
      `${printable(name)} announces no format of its own`,
      'Name the profile as a file: --profile pass.json.',
    );
  return profiles.sort((a, b) => b.prefix.length - a.prefix.length);
}
