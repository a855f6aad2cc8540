/** The digits in which a SMART Health Card's QR codes carry its JWS. Spec: SPEC.md 17.4. */
import { ProtocolError } from '../fault.ts';
import { CARD_CHARS_MAX, CARD_PARTS_MAX, JWS_CHARS_MAX } from './foreign-limits.ts';

const PREFIX = 'shc:/';
/** Digits, behind the number of a part and how many there are where a card takes several. */
const PART = /^shc:\/(?:([1-9][0-9]?)\/([1-9][0-9]?)\/)?((?:[0-9]{2})+)$/;
/** The least character of base64url and the dot is 45, the largest 122. */
const LEAST = 45;
const PAIR_MAX = 77;

export function isCardText(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * The JWS in the texts of a card's QR codes, in any order with white space between.
 * @throws {ProtocolError} TOO_LARGE; CODE_MALFORMED for a part that is none, an odd digit or a pair above 77; PARTS_MISMATCH for parts that
 * are missing, twice there or of cards with another number of parts.
 */
export function jwsOfCardText(text: string): string {
  if (text.length > CARD_CHARS_MAX) {
    throw new ProtocolError(
      'TOO_LARGE',
      `expected at most ${CARD_CHARS_MAX} characters, got ${text.length}`,
      {
        chars: text.length,
        charsMax: CARD_CHARS_MAX,
      },
    );
  }
  const texts = text.trim().split(/\s+/);
  if (texts.length > CARD_PARTS_MAX) throw mismatch(`expected at most ${CARD_PARTS_MAX} parts`);
  const parts: string[] = [];
  for (const one of texts) {
    const [, number = '1', count = '1', digits = ''] = PART.exec(one) ?? [];
    if (digits === '')
      throw new ProtocolError(
        'CODE_MALFORMED',
        `expected ${PREFIX} and pairs of digits, or a part of such a text`,
      );
    if (Number(count) !== texts.length)
      throw mismatch(`expected ${Number(count)} parts of a card, got ${texts.length}`);
    if (Number(number) > texts.length || parts[Number(number) - 1] !== undefined)
      throw mismatch('expected each part once');
    parts[Number(number) - 1] = lettersOf(digits);
  }
  const jws = parts.join('');
  if (jws.length > JWS_CHARS_MAX)
    throw new ProtocolError('TOO_LARGE', `expected at most ${JWS_CHARS_MAX} letters`);
  return jws;
}

function lettersOf(digits: string): string {
  const units: number[] = [];
  for (let i = 0; i < digits.length; i += 2) {
    const pair = Number(digits.slice(i, i + 2));
    if (pair > PAIR_MAX)
      throw new ProtocolError('CODE_MALFORMED', `expected pairs of at most ${PAIR_MAX}`, { offset: i });
    units.push(pair + LEAST);
  }
  return units.map((unit) => String.fromCharCode(unit)).join('');
}

function mismatch(message: string): ProtocolError {
  return new ProtocolError('PARTS_MISMATCH', message);
}
