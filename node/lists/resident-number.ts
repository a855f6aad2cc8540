/** Identity numbers of residents of China: region, day of birth, sequence, check character (GB 11643-1999, ISO 7064 MOD 11-2). */
import { parseDay } from '../../protocol/rules/calendar.ts';

const FORM = /^\d{17}[\dX]$/;
const CHECK_CHARACTERS = '10X98765432';
const BIRTH_AT = 6;

/** Why a text is no such number; undefined if it is one. `text` has capital letters and no blanks. */
export function residentNumberFault(text: string): string | undefined {
  if (/^\d{15}$/.test(text))
    return 'has 15 digits: such numbers ended in 2013, and the one of 18 characters is needed';
  if (!FORM.test(text)) return 'is not 17 digits and a check character';
  if (parseDay(birthDateOf(text)) === undefined) return 'holds no day of the calendar as the day of birth';
  if (checkCharacterOf(text) !== text.at(-1)) return 'has a check character that does not fit its digits';
  return undefined;
}

/** `1990-05-17`, from a number in which `residentNumberFault` finds no fault. */
export function birthDateOf(number: string): string {
  const [year, month, day] = [
    number.slice(BIRTH_AT, BIRTH_AT + 4),
    number.slice(BIRTH_AT + 4, BIRTH_AT + 6),
    number.slice(BIRTH_AT + 6, BIRTH_AT + 8),
  ];
  return `${year}-${month}-${day}`;
}

/** Of the first 17 digits. */
export function checkCharacterOf(number: string): string {
  let sum = 0;
  for (const digit of number.slice(0, 17)) sum = (2 * (sum + Number(digit))) % 11;
  return CHECK_CHARACTERS[sum] ?? '';
}
