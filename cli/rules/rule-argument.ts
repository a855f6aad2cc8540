/** Rules as command lines name them: a profile that comes with the program, or a file. */
import { existsSync } from 'node:fs';
import { readFileIfPresent } from '../../node/region/files.ts';
import { profileBases, profileNames, profileText } from '../../node/rules/profiles.ts';
import {
  readRuleFile,
  type RuleFile,
  type RuleFileFault,
  RULE_FILE_BYTES_MAX,
} from '../../node/rules/rule-file.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { counted } from '../output.ts';
import { printable, shortened } from '../printable.ts';

export const RULES_ARGUMENT = 'file of rules, or the name of a profile';

/** Faults that are told one by one. */
const FAULTS_TOLD = 20;

/** @throws {CliError} USAGE where there is no such file or profile, RULES_INVALID with all that is wrong with it. */
export async function readRules(named: string): Promise<RuleFile> {
  const { file, faults } = readRuleFile(await rulesText(named), profileBases);
  if (file !== undefined) return file;
  throw rulesError(named, faults);
}

/** Whether a profile of the program is named, and no file. */
export function isProfile(named: string): boolean {
  return !existsSync(named) && profileText(named) !== undefined;
}

/** The text of a profile or file. A file comes first, so that nobody's file is overlooked. */
export async function rulesText(named: string): Promise<string> {
  if (!existsSync(named)) {
    const text = profileText(named);
    if (text !== undefined) return text;
    throw usageError(
      `there is no file or profile ${printable(shortened(named, 80))}`,
      `The profiles are ${profileNames().join(', ')}.`,
    );
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
