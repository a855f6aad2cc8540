/**
 * Suite `shc`: SMART Health Cards, key sets and revocation lists under `shc/`. Files are told apart by what they hold, and nothing in them says
 * what should come of it: an oracle does.
 */
import { join } from 'node:path';
import { isProtocolError } from '../../protocol/fault.ts';
import { cardKeysOf, parseCardRevocations } from '../../protocol/foreign/card-keys.ts';
import { isCardText, jwsOfCardText } from '../../protocol/foreign/card-text.ts';
import { type Json } from '../../protocol/foreign/foreign-code.ts';
import { memberOf, parseForeignJson, textOf } from '../../protocol/foreign/foreign-json.ts';
import { ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { type ForeignVerdict } from '../../protocol/foreign/foreign-verdict.ts';
import { readForeign, verifyForeign } from '../../protocol/foreign/verify-foreign.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type TextFile, textFilesOf } from './files.ts';
import { isNamedKey, isSignedByIssuer, type TrustedSet } from './shc-oracle.ts';
import { Tally, type Suite } from './suite.ts';

/** The key set that the layout of the vectors calls trusted, and whose it is. */
const TRUSTED_SET = 'issuer/jwks.json';
const ISSUER = 'https://spec.smarthealth.cards/examples/issuer';

interface Trusted extends TrustedSet {
  readonly keys: ForeignKeys;
}

export const shcSuite: Suite = {
  name: 'shc',
  async run(dir) {
    const tally = new Tally();
    const listed = textFilesOf(join(dir, 'shc'));
    if (listed === undefined) {
      tally.skip('there is no folder shc');
      return tally.result();
    }
    const files: TextFile[] = [];
    for await (const file of listed) files.push(file);
    const trusted = trustedOf(files);
    if (trusted === undefined) {
      tally.fail(`there is no key set ${TRUSTED_SET}`);
      return tally.result();
    }
    const parts: string[] = [];
    for (const { name, text } of files) {
      const trimmed = text.trim();
      if (isPartOfCard(trimmed)) parts.push(trimmed);
      else await runFile(tally, name, trimmed, trusted);
    }
    for (const [index, card] of cardsOf(parts).entries())
      await runCard(tally, `card ${index} in parts`, card, trusted);
    return tally.result();
  },
};

function trustedOf(files: readonly TextFile[]): Trusted | undefined {
  const file = files.find(({ name }) => name.replaceAll('\\', '/') === TRUSTED_SET);
  const set = file && jsonOf(file.text);
  const jwks = memberOf(set, 'keys');
  if (!Array.isArray(jwks)) return undefined;
  const { keys } = cardKeysOf(nativeForeignPrimitives.sha256, ISSUER, set);
  return { issuer: ISSUER, jwks: jwks as TrustedSet['jwks'], keys: new ForeignKeys(keys) };
}

async function runFile(tally: Tally, name: string, text: string, trusted: Trusted): Promise<void> {
  if (isCardText(text) || /^eyJ[^\s{]*$/.test(text)) {
    await runCard(tally, name, text, trusted);
    return;
  }
  const json = jsonOf(text);
  const cards = cardsIn(json);
  const isWellKnown = name.includes('.well-known');
  for (const [index, card] of cards.entries()) await runCard(tally, `${name}, card ${index}`, card, trusted);
  if (cards.length > 0) return;
  if (memberOf(json, 'rids') !== undefined) tally.settle(revocationsFault(name, json));
  else if (isWellKnown || memberOf(json, 'keys') !== undefined) tally.settle(keySetFault(name, text, json));
  else tally.skip(`${name} holds no card, key set or revocation list`);
}

/** A card is right if reader and oracle take it, or neither does and the reader says why. */
async function runCard(tally: Tally, name: string, text: string, trusted: Trusted): Promise<void> {
  const { outcome, reasons } = await judgeAtIssue(text, trusted.keys);
  const isGood = isSignedByIssuer(jwsOf(text), trusted);
  const said = reasons
    .map(({ code, details }) => [code, ...Object.values(details ?? {})].join(' '))
    .join(', ');
  if (isGood && outcome !== 'genuine') tally.fail(`${name}: ${outcome} (${said}), and the oracle takes it`);
  else if (!isGood && outcome === 'genuine')
    tally.fail(`${name}: taken, and the oracle finds no good signature`);
  else if (!isGood && said === '') tally.fail(`${name}: ${outcome} without a reason`);
  else tally.pass();
}

/** Cards seldom expire, and a case has no clock: each is judged at its own time of issue. */
async function judgeAtIssue(text: string, keys: ForeignKeys): Promise<ForeignVerdict> {
  let nowS = 0;
  try {
    nowS = (await readForeign(nativeForeignPrimitives, text)).times.issuedAtS ?? 0;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
  }
  return verifyForeign(nativeForeignPrimitives, text, keys, nowS);
}

function jwsOf(text: string): string {
  try {
    return isCardText(text) ? jwsOfCardText(text) : text;
  } catch (error) {
    if (isProtocolError(error)) return '';
    throw error;
  }
}

/** The lists in a card file and in the answer of an issuer's interface. */
function cardsIn(json: Json | undefined): string[] {
  const list = memberOf(json, 'verifiableCredential');
  const parameters = memberOf(json, 'parameter');
  const fromAnswer = Array.isArray(parameters)
    ? (parameters as readonly Json[]).map((parameter) => memberOf(parameter, 'valueString'))
    : [];
  const all = [...(Array.isArray(list) ? (list as readonly Json[]) : []), ...fromAnswer];
  return all.filter((card): card is string => typeof card === 'string');
}

function keySetFault(name: string, text: string, json: Json | undefined): string | undefined {
  let taken = -1;
  try {
    taken = cardKeysOf(nativeForeignPrimitives.sha256, ISSUER, parseForeignJson(text)).keys.length;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
  }
  const jwks = memberOf(json, 'keys');
  const expected = Array.isArray(jwks)
    ? jwks.filter((jwk) => isNamedKey(jwk as TrustedSet['jwks'][0])).length
    : -1;
  return taken === expected
    ? undefined
    : `${name}: ${taken} keys were taken, and the oracle takes ${expected}`;
}

/** The oracle of revocation lists is their written rule: one method, ids of 1 to 24 characters, none of them twice. */
function revocationsFault(name: string, json: Json | undefined): string | undefined {
  const rids = memberOf(json, 'rids');
  const ids = (Array.isArray(rids) ? rids : [0]).map((rid) => String(rid).split('.')[0] ?? '');
  const isRight =
    memberOf(json, 'method') === 'rid' &&
    new Set(ids).size === ids.length &&
    ids.every((id) => /^[\w-]{1,24}$/.test(id)) &&
    Number.isSafeInteger(memberOf(json, 'ctr'));
  let isTaken = true;
  try {
    parseCardRevocations(json, textOf(json, 'kid', 256) ?? '', 0);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    isTaken = false;
  }
  return isTaken === isRight ? undefined : `${name}: ${isTaken ? 'taken' : 'refused'} against the rule`;
}

const PART = /^shc:\/(\d+)\/(\d+)\/\d+$/;

function isPartOfCard(text: string): boolean {
  return (PART.exec(text)?.[2] ?? '1') !== '1';
}

/** Cards whose parts lie in files of their own: of several with as many parts, the first parts belong together, then the second ones. */
function cardsOf(parts: readonly string[]): string[] {
  const cards = new Map<string, string[]>();
  const seen = new Map<string, number>();
  for (const part of parts) {
    const [, number = '', count = ''] = PART.exec(part) ?? [];
    const turn = seen.get(`${number}/${count}`) ?? 0;
    seen.set(`${number}/${count}`, turn + 1);
    const card = `${count} ${turn}`;
    cards.set(card, [...(cards.get(card) ?? []), part]);
  }
  return [...cards.values()].map((texts) => texts.join('\n'));
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
