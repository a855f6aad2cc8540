/** `entente adapter check`: what the profile of a local code makes of examples, before anything is announced. */
import { createReadStream, existsSync } from 'node:fs';
import { nativeForeignPrimitives } from '../../node/crypto/foreign-primitives.ts';
import { linesOf } from '../../node/rows/lines.ts';
import { hexOf } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { type Adapter, adapterData, readAdapter } from '../../protocol/foreign/adapter.ts';
import { factsOfCode } from '../../protocol/foreign/facts-of-code.ts';
import { type ForeignCode } from '../../protocol/foreign/foreign-code.ts';
import { foreignChecksOf, ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { FOREIGN_STEPS_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { judgeForeign } from '../../protocol/foreign/foreign-verdict.ts';
import { isStatusOpen, localSubject } from '../../protocol/foreign/local-claims.ts';
import { readLocal } from '../../protocol/foreign/local-code.ts';
import { mayBeLocal, type LocalProfile } from '../../protocol/foreign/local-profile.ts';
import { revocationHashesOf } from '../../protocol/foreign/revocation-hashes.ts';
import { foreignFormatOf, readForeign } from '../../protocol/foreign/verify-foreign.ts';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { Steps } from '../../protocol/rules/evaluate.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Cli } from '../cli.ts';
import { EXIT, usageError } from '../exit.ts';
import { aligned, counted } from '../output.ts';
import { printable } from '../printable.ts';
import { readRules } from '../rules/rule-argument.ts';
import { parseTime, timeText } from '../times.ts';
import { readFacts } from './facts-file.ts';
import { requireDeclared } from './announcement.ts';
import { readLocalFiles } from './local-profile.ts';

export interface CheckOptions {
  readonly keys: readonly string[];
  readonly rules: string;
  readonly facts?: string;
  readonly file?: string;
  readonly at?: string;
}

/** Whose codes they are does not matter to a profile. */
const NOBODY = 'XX';

/** What became of one text; `wrong` says why it would not count. */
interface Checked {
  readonly line: number;
  readonly wrong?: string;
  readonly colour?: string;
  readonly code?: object;
}

export async function checkLocal(
  cli: Cli,
  profilePath: string,
  codes: readonly string[],
  options: CheckOptions,
): Promise<void> {
  const { profile, keys } = await readLocalFiles(cli, NOBODY, { profile: profilePath, keys: options.keys });
  const { ruleSet } = await readRules(cli, options.rules);
  const facts = await readFacts(options.facts, 'local');
  requireDeclared(facts, ruleSet);
  const nowS = options.at === undefined ? cli.surroundings.nowS() : parseTime(options.at);
  const data = adapterData({ profile, rules: ruleSet.id, facts, keys: keys.slice(0, 1) });
  const adapter = readAdapter({ id: 'check', version: 1, fromS: 0, untilS: Number.MAX_SAFE_INTEGER, data });
  const results: Checked[] = [];
  const check = { profile, keys: new ForeignKeys(keys), adapter, ruleSet, nowS };
  for await (const text of textsOf(codes, options.file))
    results.push(await checkedOf(text, results.length + 1, check));
  const bad = results.filter(({ wrong }) => wrong !== undefined).length;
  if (bad > 0) cli.exit = EXIT.stop;
  cli.output.result(
    { keys: keys.length, rules: ruleSet.id, passed: results.length - bad, failed: bad, codes: results },
    () => [
      ...results.flatMap(linesOfChecked),
      results.length === 0
        ? `The profile can be announced, with ${counted(keys.length, 'key')}. Try it with codes before: give some, or --file.`
        : `${counted(results.length - bad, 'code')} read, signed and given a colour, ${bad} not.`,
    ],
  );
}

async function* textsOf(codes: readonly string[], file: string | undefined): AsyncGenerator<string> {
  yield* codes;
  if (file === undefined) return;
  if (!existsSync(file)) throw usageError(`there is no file ${printable(file)}`);
  // A line that is too long or no UTF-8 begins as no profile does.
  for await (const { text = '\ufffd' } of linesOf(createReadStream(file), CODE_CHARS_MAX + 1)) yield text;
}

interface Checking {
  readonly profile: LocalProfile;
  readonly keys: ForeignKeys;
  readonly adapter: Adapter;
  readonly ruleSet: RuleSet;
  readonly nowS: number;
}

async function checkedOf(text: string, line: number, check: Checking): Promise<Checked> {
  const { profile, keys, nowS } = check;
  if (!mayBeLocal(profile, text)) return { line, wrong: 'it does not begin as codes of the profile do' };
  const other = await readAsOther(text);
  if (other !== undefined) return { line, wrong: `it is a code of the format ${other}, and is read as that` };
  let code: ForeignCode;
  try {
    code = await readLocal(nativeForeignPrimitives, profile, text);
  } catch (error) {
    if (isProtocolError(error)) return { line, wrong: `${error.fault.code}: ${error.message}` };
    throw error;
  }
  const candidates = keys.candidatesFor(code);
  const results = foreignChecksOf(code, candidates).map(nativeForeignPrimitives.verifyForeign);
  const { reasons } = judgeForeign(code, candidates, results, nowS);
  const against = reasons.filter(({ outcome }) => outcome !== 'note');
  const told = toldOf(code, check);
  const wrong = against
    .map(({ code: reason, details }) => [reason, ...Object.values(details ?? {})].join(' '))
    .join(', ');
  if (wrong !== '') return { line, wrong, ...told };
  return told.colour === undefined ? { line, wrong: `no colour: ${told.open}`, ...told } : { line, ...told };
}

/** JSON and a JWS that are of a format which says itself what it is stay that. */
async function readAsOther(text: string): Promise<string | undefined> {
  const format = foreignFormatOf(text);
  if (format === undefined) return undefined;
  try {
    await readForeign(nativeForeignPrimitives, text);
    return format;
  } catch (error) {
    if (isProtocolError(error)) return isProtocolError(error, 'CODE_VERSION_UNKNOWN') ? format : undefined;
    throw error;
  }
}

function toldOf(code: ForeignCode, { profile, adapter, ruleSet, nowS }: Checking) {
  const steps = new Steps(FOREIGN_STEPS_MAX);
  const facts = factsOfCode(adapter, ruleSet.data.facts, code, steps);
  const { status, open } = decide(ruleSet, facts, nowS, { steps });
  const isOpen = isStatusOpen(profile, code);
  const { sha256 } = nativeForeignPrimitives;
  const { identifiers, signature } = revocationHashesOf(sha256, code);
  return {
    ...(status !== undefined && !isOpen && { colour: status.colour }),
    open: isOpen
      ? 'its status is none that the profile gives a colour'
      : open.map(({ code: why, rule }) => [why, rule].filter(Boolean).join(' ')).join(', '),
    code: {
      keyId: code.keyId,
      algorithm: code.algorithm,
      issuer: code.issuer,
      ...code.times,
      says: code.content,
      facts: Object.fromEntries(facts),
      subject: localSubject(code),
      revokedBy: hexOf(identifiers[0] ?? signature),
    },
  };
}

function linesOfChecked({ line, wrong, colour, code }: Checked): string[] {
  const head = `${line}: ${wrong === undefined ? `good, ${colour ?? ''}` : printable(wrong)}`;
  if (code === undefined) return [head];
  const told = code as Readonly<Record<string, unknown>>;
  const rows = Object.entries(told).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    if (name.endsWith('AtS')) return [[name.slice(0, -1), timeText(value as number)]];
    return [[name, printable(typeof value === 'string' ? value : JSON.stringify(value))]];
  });
  return [head, ...aligned(rows, '  ')];
}
