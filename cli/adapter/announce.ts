/** `entente adapter announce`: signs which keys sign a local code, or which authorities vouch for its signers, and by which rules what it says becomes a colour. */
import { readRuleSet, type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable } from '../printable.ts';
import { type RootOptions } from '../region.ts';
import { parseSpan, parseTime, type SpanBounds, timeText } from '../times.ts';
import {
  ADAPTER_ID,
  announcing,
  requireDeclared,
  requireOwnId,
  requireTried,
  takenBackLines,
} from './announcement.ts';
import { announcedText, lineOf, refusedSigners } from './authorities.ts';
import { readFacts } from './facts-file.ts';
import { issuersOf, issuersText } from './issuers.ts';
import {
  announcedBefore,
  authoritiesLeftOut,
  leftOut,
  requireNoAuthorityLeftOut,
  requireNoneLeftOut,
} from './replacing.ts';
import { readListedKeys, requireSigners, type SignerOptions, type Signers, signersOf } from './signers.ts';

/** As recognitions: those who decided are to look at it again. */
export const HOLDS: SpanBounds = { from: '1h', to: '1825d' };

export interface AnnounceOptions extends RootOptions, SignerOptions {
  readonly rules: string;
  readonly facts?: string;
  readonly from?: string;
  readonly for: string;
  readonly dropKeys?: true;
}

export async function announce(cli: Cli, path: string, id: string, options: AnnounceOptions): Promise<void> {
  if (!ADAPTER_ID.test(id))
    throw usageError('expected the name of an adapter: small letters, digits and hyphens');
  const span = parseSpan(options.for, HOLDS);
  requireSigners(options);
  const listed = await readListedKeys(cli, options);
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const { state } = desk;
      const signers = await signersOf(cli, desk.config.region, listed, options);
      const { format, keys, profile } = signers;
      requireOwnId(state, id, format);
      const facts = await readFacts(options.facts, format);
      const ruleSet = requireRules(desk, path, options.rules);
      requireDeclared(facts, ruleSet);
      const { from, refused, dropped } = await replacementOf(cli, state, { id, signers }, options);
      const until = nowS() + span;
      if (from >= until) throw usageError('--from names a time after the end of --for');
      if (profile !== undefined) requireTried(state, id, profile);
      const authorities = signers.authorities.map(({ authority }) => authority);
      const { statements, takenBack } = announcing(state, {
        ...{ id, profile, rules: ruleSet.id, facts, keys, authorities, refused, from, until },
      });
      const index = await appendByRoot(cli, desk, statements, options);
      report(cli, {
        ...{ region: desk.config.region, path, id, rules: ruleSet.id, index, from, until },
        ...{ signers, dropped, takenBack },
      });
    },
    options,
  );
}

/** Signers of an announcement whose codes count no more by the next. */
interface Dropped {
  /** Names of keys, as codes give them. */
  readonly keys: readonly string[];
  /** Key ids in hexadecimal. */
  readonly authorities: readonly string[];
}

interface Replacement {
  /** Codes issued before do not count. Seconds since 1970; 0 for no bound. */
  readonly from: number;
  /** Names of keys of signers for whom no authority vouches. */
  readonly refused: readonly Uint8Array[];
  readonly dropped: Dropped;
}

/** What becomes of what is announced under the id now. @throws {CliError} KEYS_LEFT_OUT for signers that are not named now, unless --drop-keys says so; as `refusedSigners`. */
async function replacementOf(
  cli: Cli,
  state: TrustState,
  { id, signers }: { readonly id: string; readonly signers: Signers },
  options: AnnounceOptions,
): Promise<Replacement> {
  const before = announcedBefore(state, id);
  const authoritiesNow = signers.authorities.map(({ authority }) => authority);
  const keys = before === undefined ? [] : leftOut(before, signers.keys);
  const authorities = before === undefined ? [] : authoritiesLeftOut(before, authoritiesNow);
  if (options.dropKeys !== true) {
    requireNoneLeftOut(id, keys);
    requireNoAuthorityLeftOut(id, authorities);
  }
  const refused = [...(before?.refused ?? []), ...(await refusedSigners(options))];
  // Codes that are older than the adapter are why there is one.
  const from = options.from === undefined ? (before?.fromS ?? 0) : parseTime(options.from);
  if (before !== undefined && from < before.fromS)
    cli.output.note(
      `codes issued from ${timeText(from)} on count; before, those from ${timeText(before.fromS)} on`,
    );
  return { from, refused, dropped: { keys: keys.map(({ keyId }) => keyId), authorities } };
}

interface Announced {
  readonly region: string;
  readonly path: string;
  readonly id: string;
  readonly rules: string;
  readonly index: number;
  readonly from: number;
  readonly until: number;
  readonly signers: Signers;
  readonly dropped: Dropped;
  readonly takenBack: readonly string[];
}

function report(cli: Cli, announced: Announced): void {
  const { region, path, id, rules, index, from, until, signers, dropped, takenBack } = announced;
  const { format, keys, authorities } = signers;
  const issuers = format === 'shc' ? issuersOf(keys) : undefined;
  const count = dropped.keys.length + dropped.authorities.length;
  cli.output.result(
    {
      ...{ home: region, adapter: id, format, keys: keys.length, rules, index, from, until },
      ...(issuers && { issuers }),
      ...(authorities.length > 0 && {
        authorities: authorities.map(({ name, fingerprint }) => ({ name, fingerprint })),
      }),
      dropped: [...dropped.keys, ...dropped.authorities],
      takenBack,
    },
    () => [
      `${region} announces ${announcedText(keys.length, authorities.length)} of ${format} as ${id} until ${timeText(until)}, by entry ${index} of its trust log.`,
      ...(issuers === undefined ? [] : [`Of ${issuersText(issuers)}.`]),
      ...authorities.map((one) => `  ${lineOf(one)}`),
      ...(from === 0 ? [] : [`Codes issued before ${timeText(from)} do not count.`]),
      ...(count === 0
        ? []
        : [
            `Announced no more: ${announcedText(dropped.keys.length, dropped.authorities.length)}, whose codes are refused.`,
          ]),
      ...takenBackLines(takenBack),
      'Its codes count where the region is recognised in this way:',
      `  entente recognise <their region> ${printable(path)} --way adapter`,
    ],
  );
}

function requireRules({ state, config }: Desk, path: string, id: string): RuleSet {
  const logged = state.rules(id);
  const ruleSet = logged && readRuleSet(logged).ruleSet;
  if (ruleSet !== undefined) return ruleSet;
  throw new CliError(
    EXIT.failure,
    'NOT_FOUND',
    `${config.region} has no rules ${printable(id)} that can be used`,
    {
      hint: `Log them first: entente rules activate ${printable(path)} ${printable(id)}`,
    },
  );
}
