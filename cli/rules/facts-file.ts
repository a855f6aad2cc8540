/** Facts of one person as a JSON file. */
import { readFileIfPresent } from '../../node/region/files.ts';
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';
import { type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../exit.ts';
import { printable, shortened } from '../printable.ts';

const FACTS_BYTES_MAX = 65_536;

/** @throws {CliError} USAGE where there is no file, FACTS_INVALID with all that is wrong. */
export async function readFactsFile(cli: Cli, ruleSet: RuleSet, file: string): Promise<Facts> {
  const { facts, faults } = readFacts(ruleSet.data.facts, await jsonOf(cli, file));
  if (facts !== undefined) return facts;
  const told = faults.map(({ fact, unknown, reason, example }) => {
    const name = printable(shortened(fact ?? unknown ?? 'facts', 64));
    return `\n  ${name} ${reason}${example === undefined ? '' : `, as in ${example}`}`;
  });
  throw new CliError(EXIT.failure, 'FACTS_INVALID', `the facts cannot be used:${told.join('')}`, {
    hint: `The rules know ${Object.keys(ruleSet.data.facts).join(', ')}.`,
    details: faults,
  });
}

async function jsonOf(cli: Cli, file: string): Promise<unknown> {
  const bytes = file === '-' ? await stdinOf(cli) : await readFileIfPresent(file, FACTS_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(shortened(file, 80))}`);
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof StrictJsonError ? error.fault : 'is not UTF-8';
    throw new CliError(EXIT.failure, 'FACTS_INVALID', `the file of facts ${why}`);
  }
}

async function stdinOf(cli: Cli): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of cli.surroundings.stdin) {
    length += part.length;
    if (length > FACTS_BYTES_MAX) throw usageError(`expected at most ${FACTS_BYTES_MAX} bytes of facts`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
