/**
 * Each region that is recognised directly has to vouch, with others, for all that count here: one more can leave a region without its
 * quorum. That is looked at before the recognition is logged. Spec: SPEC.md 9.
 */
import { Option } from 'commander';
import { WITNESSES_ALL_MAX, WITNESSES_CHOSEN } from '../../protocol/limits.ts';
import { neededCosignatures } from '../../protocol/log/quorum.ts';
import { type RecognitionWay, type TrustState } from '../../protocol/trust/trust-state.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';
import { type Desk } from '../desk/desk.ts';
import { type Vouched } from '../desk/vouched.ts';
import { CliError, EXIT } from '../exit.ts';

export interface QuorumOptions {
  readonly belowQuorum?: true;
}

type Recognising = Pick<TrustState, 'recognition' | 'recognitions'>;

/** A region whose codes count now and would not any more, with the figures of then. */
export interface Short extends WitnessCount {
  readonly region: string;
}

export function belowQuorumOption(): Option {
  return new Option(
    '--below-quorum',
    'although codes of other regions are undetermined then, until enough vouch for those again',
  );
}

/** The other regions that `home` recognises directly now: with it they are who vouches. */
export function directOnes(state: Pick<TrustState, 'recognitions'>, nowS: number): string[] {
  return [...state.recognitions()].flatMap((one) =>
    one.standing !== 'withdrawn' && one.way === 'direct' && one.fromS <= nowS && nowS < one.untilS
      ? [one.region]
      : [],
  );
}

/**
 * The regions that would fall below their quorum if `newcomer` were recognised directly too, by what is known now. Its own vote counts where it
 * is known. Of the home's own log nothing is told: the newcomer is asked for that vote by the recognition itself. Of more than 64 witnesses a few are
 * chosen, of which one more replaces at most one: nothing is told of those either.
 */
export function shortWith(
  newcomer: string,
  {
    state,
    vouched,
    nowS,
  }: { readonly state: Recognising; readonly vouched: readonly Vouched[]; readonly nowS: number },
): Short[] {
  const before = directOnes(state, nowS);
  if (before.includes(newcomer) || before.length >= WITNESSES_ALL_MAX) return [];
  return vouched.flatMap(({ region, counted, needed, of, by, witnessedBy }) => {
    // Whom the own policy asks for, no recognition changes.
    if (by !== undefined) return [];
    const one = state.recognition(region);
    const isCounting = one?.standing === 'recognised' && one.fromS <= nowS && nowS < one.untilS;
    if (!isCounting || region === newcomer || counted < needed) return [];
    const votes = counted + (witnessedBy.includes(newcomer) ? 1 : 0);
    const after = neededCosignatures(of + 1);
    return votes < after ? [{ region, counted: votes, needed: after, of: of + 1 }] : [];
  });
}

/** What is asked before a recognition is logged, and gives the regions that fall below their quorum by it. @throws {CliError} REFUSED for any, without `belowQuorum`. */
export async function requireQuorums(
  { region: newcomer, way }: { readonly region: string; readonly way: RecognitionWay },
  { desk, nowS }: { readonly desk: Desk; readonly nowS: number },
  { belowQuorum }: QuorumOptions,
): Promise<Short[]> {
  if (way !== 'direct') return [];
  const short = shortWith(newcomer, { state: desk.state, vouched: await desk.vouched(), nowS });
  if (short.length === 0 || belowQuorum === true) return short;
  const names = short.map(({ region }) => region).join(', ');
  throw new CliError(
    EXIT.failure,
    'REFUSED',
    `once ${newcomer} is recognised it has to vouch here too, and codes of ${names} are undetermined: ${short.map(shortText).join('; ')}`,
    {
      hint: `Nothing was recognised. First connect to ${newcomer} alone (\`--connect-only\`, or \`entente peer add --invite\`), and let its people do the same with ${names}; once its node vouches for them, recognise it. You decide: --below-quorum goes on all the same.`,
      details: short,
    },
  );
}

export function shortText({ region, counted, needed, of }: Short): string {
  return `${counted} of ${of} vouch for ${region}, ${needed} needed`;
}

/** Who is to vouch for a region that was just recognised, and how many of them have to before its codes count. */
export interface Awaited {
  readonly needed: number;
  readonly of: readonly string[];
}

export function awaitedFor(
  newcomer: string,
  { config: { region: home }, state }: Pick<Desk, 'config' | 'state'>,
  nowS: number,
): Awaited {
  const of = [home, ...directOnes(state, nowS).filter((one) => one !== newcomer)];
  return { needed: neededCosignatures(of.length > WITNESSES_ALL_MAX ? WITNESSES_CHOSEN : of.length), of };
}

/** What an operator is told of it. */
export function newcomerLines(newcomer: string, { needed, of }: Awaited, short: readonly Short[]): string[] {
  const awaitedText =
    of.length === 1
      ? `${of[0]} vouches`
      : `${needed} of ${of.join(', ')} ${needed === 1 ? 'vouches' : 'vouch'}`;
  return [
    `Codes of ${newcomer} are undetermined here until ${awaitedText} for it, as a node that follows it does within some seconds.`,
    ...short.map((one) => `Undetermined from now on: codes of ${one.region} (${shortText(one)}).`),
  ];
}
