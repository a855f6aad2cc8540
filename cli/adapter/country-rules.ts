/** `entente adapter rules`: the rules of a country for EU certificates, out of files into the trust log. */
import { readRulesOf, readValueSets, valueSetsRead } from '../../node/foreign/country-rules-file.ts';
import { readFileIfPresent } from '../../node/region/files.ts';
import { encodeCbor } from '../../protocol/encoding/cbor.ts';
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import {
  type CountryRuleData,
  countryRulesData,
  type CountryRulesData,
  isCountryRules,
  readCountryRules,
} from '../../protocol/foreign/country-rules.ts';
import { COUNTRY_RULES_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { type LoggedAdapter } from '../../protocol/trust/trust-state.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { type RootOptions } from '../region.ts';
import { parseSpan, parseTime, type SpanBounds, timeText } from '../times.ts';
import { ADAPTER_ID, DATA_BYTES_MAX } from './announcement.ts';

export interface RulesOptions extends RootOptions {
  readonly file: readonly string[];
  readonly valueSets?: readonly string[];
  readonly language: string;
  readonly from?: string;
  readonly for: string;
}

/** As adapters. */
export const RULES_HOLD: SpanBounds = { from: '1h', to: '1825d' };
const FILE_BYTES_MAX = 4 * 1024 * 1024;

const HINT = 'Nothing was logged. docs/codes-of-others.md says what rules are taken.';

export async function announceRules(
  cli: Cli,
  path: string,
  id: string,
  options: RulesOptions,
): Promise<void> {
  if (!ADAPTER_ID.test(id))
    throw usageError('expected the name of an adapter: small letters, digits and hyphens');
  const span = parseSpan(options.for, RULES_HOLD);
  await withDesk(
    cli,
    path,
    async (desk, { nowS }) => {
      const home = desk.config.region;
      const before = [...desk.state.adapters()].find((logged) => logged.id === id);
      if (before !== undefined && Object.keys(before.data).length > 0 && !isCountryRules(before))
        throw usageError(`${printable(id)} is an adapter of ${home} already`, 'Give the rules another name.');
      const rules = await readRuleFiles(cli, home, options);
      const valueSets = await valueSetsFor(rules, options.valueSets ?? []);
      const from = options.from === undefined ? nowS() : parseTime(options.from);
      const until = nowS() + span;
      if (from >= until) throw usageError('--from names a time after the end of --for');
      const data = countryRulesData(rules, valueSets);
      const version = (before?.version ?? 0) + 1;
      requireReadable({ id, version, fromS: from, untilS: until, data });
      const index = await appendByRoot(
        cli,
        desk,
        [{ kind: 'adapter', id, version, from, until, data }],
        options,
      );
      cli.output.result({ home, adapter: id, rules: rules.length, index, from, until }, () => [
        `${home} announces ${counted(rules.length, 'rule')} for EU certificates as ${id} from ${timeText(from)} until ${timeText(until)}, by entry ${index} of its trust log.`,
        'Those of acceptance count at its own gates, those that void certificates wherever its own are shown.',
      ]);
    },
    options,
  );
}

async function readRuleFiles(
  cli: Cli,
  home: string,
  options: RulesOptions,
): Promise<readonly CountryRuleData[]> {
  const rules: CountryRuleData[] = [];
  const faults: string[] = [];
  let others = 0;
  for (const file of options.file) {
    const read = readRulesOf(await jsonOf(file), { country: home.slice(0, 2), language: options.language });
    rules.push(...read.rules);
    faults.push(...read.faults.map((fault) => `${file}: ${fault}`));
    others += read.others;
  }
  // Without one of them the others say something else.
  if (faults.length > 0)
    throw new CliError(
      EXIT.failure,
      'RULES_INVALID',
      `${counted(faults.length, 'rule')} cannot be taken:${faults
        .slice(0, 20)
        .map((fault) => `\n  ${printable(fault)}`)
        .join('')}`,
      { hint: HINT },
    );
  if (others > 0)
    cli.output.note(
      `${counted(others, 'rule')} of other countries left out: ${home} announces its own alone`,
    );
  if (rules.length === 0 || rules.length > COUNTRY_RULES_MAX)
    throw new CliError(
      EXIT.failure,
      'RULES_INVALID',
      `expected 1 to ${COUNTRY_RULES_MAX} rules of ${home.slice(0, 2)}, and there are ${rules.length}`,
      { hint: 'More are announced under further names, the versions of one rule together.' },
    );
  return rules;
}

/** Those that the rules read. @throws {CliError} RULES_INVALID for a set that no file has. */
async function valueSetsFor(
  rules: readonly CountryRuleData[],
  files: readonly string[],
): Promise<CountryRulesData['valueSets']> {
  const known = new Map<string, string[]>();
  for (const file of files) {
    const sets = readValueSets(await jsonOf(file));
    if (sets === undefined)
      throw new CliError(EXIT.failure, 'RULES_INVALID', `${printable(file)} is no set of values`, {
        hint: 'A set is {"valueSetId": "...", "valueSetValues": {"...": {}}}; several are {"...": ["...", "..."]}.',
      });
    for (const [name, values] of Object.entries(sets)) known.set(name, values);
  }
  const needed = [...new Set(rules.flatMap((rule) => [...valueSetsRead(rule)]))];
  const missing = needed.filter((name) => !known.has(name));
  if (missing.length > 0)
    throw new CliError(
      EXIT.failure,
      'RULES_INVALID',
      `the rules read ${counted(missing.length, 'set')} of values that no file has: ${printable(missing.join(', '))}`,
      { hint: 'Give them by --value-sets: without them the rules decide nothing.' },
    );
  return Object.fromEntries(needed.map((name) => [name, known.get(name) ?? []]));
}

function requireReadable(logged: LoggedAdapter): void {
  try {
    readCountryRules(logged);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    throw new CliError(EXIT.failure, 'RULES_INVALID', printable(error.message), { hint: HINT });
  }
  const { length } = encodeCbor(logged.data);
  if (length > DATA_BYTES_MAX)
    throw new CliError(
      EXIT.failure,
      'RULES_INVALID',
      `the rules and their sets of values have ${length} bytes, more than the ${DATA_BYTES_MAX} of one statement`,
      { hint: 'Announce them in several parts, each under a name of its own.' },
    );
}

async function jsonOf(file: string): Promise<unknown> {
  const bytes = await readFileIfPresent(file, FILE_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof StrictJsonError ? error.fault : 'is not UTF-8';
    throw new CliError(EXIT.failure, 'RULES_INVALID', `${printable(file)} ${why}`, { hint: HINT });
  }
}
