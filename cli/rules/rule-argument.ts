/** Rules as command lines name them: a profile that comes with the program, a file, or those of a trust log. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { readFileIfPresent } from '../../node/region/files.ts';
import { profileBases, profileNames, profileText } from '../../node/rules/profiles.ts';
import {
  readRuleFile,
  type RuleFile,
  type RuleFileFault,
  RULE_FILE_BYTES_MAX,
} from '../../node/rules/rule-file.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted, figure } from '../output.ts';
import { printable, shortened } from '../printable.ts';
import { fileTextOf, parseLoggedName, readLoggedRules } from './logged-rules.ts';

export const RULES_ARGUMENT =
  'file of rules, name of a profile, or DIRECTORY:ID for rules in the trust log of a region';

/** Faults that are told one by one. */
const FAULTS_TOLD = 20;

/** @throws {CliError} USAGE where there is no such file or profile, RULES_INVALID with all that is wrong with it; and as `readLoggedRules`. */
export async function readRules(cli: Cli, named: string): Promise<RuleFile> {
  const logged = parseLoggedName(named);
  if (logged !== undefined) {
    const ruleSet = await readLoggedRules(cli, logged);
    return { ruleSet, examples: [], hasOwnZone: true, source: undefined };
  }
  const { file, faults } = readRuleFile(await rulesText(cli, named), profileBases);
  if (file !== undefined) return file;
  throw rulesError(named, faults);
}

/** Whether a profile of the program is named, and no file. */
export function isProfile(named: string): boolean {
  return !existsSync(named) && profileText(named) !== undefined;
}

/** The text of a profile or file, or one that says what rules in a trust log say. A file comes first, so that nobody's file is overlooked. */
export async function rulesText(cli: Cli, named: string): Promise<string> {
  const logged = parseLoggedName(named);
  if (logged !== undefined)
    return fileTextOf(await readLoggedRules(cli, logged), (await cli.crypto()).sha256);
  if (!existsSync(named)) {
    const text = profileText(named);
    if (text !== undefined) return text;
    throw usageError(
      `there is no file or profile ${printable(shortened(named, 80))}`,
      `The profiles are ${profileNames().join(', ')}. Rules in a trust log are named by directory and id, as in DE:de.`,
    );
  }
  const { size } = await stat(named);
  if (size > RULE_FILE_BYTES_MAX) {
    const reason = `the file has ${figure(size)} bytes, and no file of rules more than ${figure(RULE_FILE_BYTES_MAX)}: a rule set has at most 60,000`;
    throw rulesError(named, [{ line: undefined, path: '', reason }]);
  }
  const bytes = await readFileIfPresent(named, RULE_FILE_BYTES_MAX);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw rulesError(named, [
      { line: undefined, path: '', reason: 'the file is not UTF-8: save it as UTF-8' },
    ]);
  }
}

function rulesError(named: string, faults: readonly RuleFileFault[]): CliError {
  const lines = faults.slice(0, FAULTS_TOLD).map((fault) => `\n  ${faultText(fault)}`);
  const rest = faults.length - FAULTS_TOLD;
  const more = rest > 0 ? `\n  and ${counted(rest, 'fault')} more` : '';
  const message = `${shortened(named, 80)} cannot be used:${lines.join('')}${more}`;
  const hint = 'docs/rules.md says what rules hold; `entente rules show baseline` prints some.';
  return new CliError(EXIT.failure, 'RULES_INVALID', message, {
    hint,
    details: faults.slice(0, FAULTS_TOLD),
  });
}

function faultText({ line, path, reason }: RuleFileFault): string {
  const place = [...(line === undefined ? [] : [`line ${line}`]), ...(path === '' ? [] : [path])].join(', ');
  return printable(place === '' ? reason : `${place}: ${reason}`);
}
