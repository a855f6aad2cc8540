/** Facts of an adapter as a file: for each the expression that reads it from a code. */
import { readFileIfPresent } from '../../node/region/files.ts';
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';
import { type AdapterFormat } from '../../protocol/foreign/adapter.ts';
import { HCERT_FACTS } from '../../protocol/foreign/hcert-facts.ts';
import { LOCAL_FACTS } from '../../protocol/foreign/local-facts.ts';
import { usageError } from '../exit.ts';
import { printable } from '../printable.ts';

/** Bytes of a file of expressions: an entry of a log has no room for more. */
const FACTS_BYTES_MAX = 60_000;

/** What codes say, by default as the profile of rules that comes along for the format. @throws {CliError} USAGE */
export async function readFacts(
  file: string | undefined,
  format: AdapterFormat,
): Promise<Readonly<Record<string, unknown>>> {
  if (file === undefined) {
    if (format === 'hcert') return HCERT_FACTS;
    if (format === 'local') return LOCAL_FACTS;
    throw usageError(
      `say with --facts where codes of ${format} say what the rules ask for`,
      'docs/codes-of-others.md has an example.',
    );
  }
  const bytes = await readFileIfPresent(file, FACTS_BYTES_MAX);
  if (bytes === undefined) throw usageError(`there is no file ${printable(file)}`);
  try {
    const value = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof StrictJsonError || error instanceof TypeError)) throw error;
  }
  throw usageError(
    `${printable(file)} is no JSON object of facts`,
    'As in {"test.result": {"var": "code.t.0.tr"}}.',
  );
}
