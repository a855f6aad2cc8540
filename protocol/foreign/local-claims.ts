/** What the payload of a local code says, by the paths of its profile. Spec: SPEC.md 17.11. */
import { hexOf } from '../bytes.ts';
import { type Colour } from '../code/status.ts';
import { utf8Bytes } from '../encoding/utf8.ts';
import { ProtocolError } from '../fault.ts';
import { parseDay } from '../rules/calendar.ts';
import { DateTime } from '../rules/date-time.ts';
import { type ForeignCbor } from './foreign-cbor.ts';
import { type ForeignCode, type ForeignTimes, type Json } from './foreign-code.ts';
import { isObject } from './foreign-json.ts';
import {
  FOREIGN_LIFE_S_MAX,
  LOCAL_FIELD_CHARS_MAX,
  LOCAL_ID_CHARS_MAX,
  LOCAL_SUBJECT_CHARS_MAX,
  LOCAL_VALUES_MAX,
  NAME_CHARS_MAX,
} from './foreign-limits.ts';
import { type LocalPath, type LocalProfile, type LocalTime } from './local-profile.ts';

/** A payload in JSON or in CBOR. */
export type LocalPayload = Json | ForeignCbor;

/** The members of `ForeignCode` that come of the payload. */
export type LocalClaims = Pick<ForeignCode, 'issuer' | 'times' | 'content' | 'flaw'>;

const DAY_S = 86_400;
const TIME_S_MAX = 253_402_300_799;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
/** Controls, marks that turn the direction of text, and ends of lines: a name on a screen has none of them. */
const UNSHOWABLE = /[\p{Cc}\p{Surrogate}\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]/u;

/**
 * Reads the payload. What the profile does not point at is not looked at.
 * @throws {ProtocolError} TOO_LARGE for more values than are taken.
 */
export function readLocalClaims({ map }: LocalProfile, payload: LocalPayload): LocalClaims {
  requireFewValues(payload);
  const at = (path: LocalPath | undefined) => (path === undefined ? undefined : valueAt(payload, path));
  const issuedAtS = timeOf(map.issuedAt, at(map.issuedAt.at), 0);
  const times: ForeignTimes = {
    issuedAtS,
    expiresAtS:
      map.expiresAt === undefined
        ? issuedAtS !== undefined && map.life !== undefined
          ? issuedAtS + map.life
          : undefined
        : timeOf(map.expiresAt, at(map.expiresAt.at), DAY_S),
  };
  const id = idOf(at(map.id));
  const issuer = at(map.issuer?.at);
  const colour = colourOf(map.status, at(map.status?.at));
  const subject = subjectOf(at(map.subject));
  const fields = Object.entries(map.fields ?? {}).flatMap(([name, path]): (readonly [string, Json])[] => {
    const value = fieldOf(at(path));
    return value === undefined ? [] : [[name, value]];
  });
  return {
    issuer: typeof issuer === 'string' && issuer.length <= NAME_CHARS_MAX ? issuer : undefined,
    times,
    content: {
      ...(colour !== undefined && { colour }),
      ...(id !== undefined && { id }),
      ...(subject !== undefined && { subject }),
      fields: Object.fromEntries(fields),
    },
    flaw: flawOf(map, times, { id, issuer }),
  };
}

/** The bytes by which a code can be revoked wherever it says the same: none where its profile names no identifier. Needs a code that `readLocal` made. */
export function localRevocationId({ content }: ForeignCode): Uint8Array | undefined {
  const id = content['id'];
  return typeof id === 'string' ? utf8Bytes(id) : undefined;
}

/** Whether a code has a status that its profile gives no colour: nothing can be decided on it. Needs a code that `readLocal` made. */
export function isStatusOpen({ map }: LocalProfile, { content }: ForeignCode): boolean {
  return map.status !== undefined && content['colour'] === undefined;
}

/** Who the code is about, as a person at a gate reads it. Needs a code that `readLocal` made. */
export function localSubject({ content }: ForeignCode): string | undefined {
  const subject = content['subject'];
  return typeof subject === 'string' ? subject : undefined;
}

function flawOf(
  { id: idPath, issuer: issuerRule }: LocalProfile['map'],
  { issuedAtS, expiresAtS }: ForeignTimes,
  { id, issuer }: { readonly id: string | undefined; readonly issuer: LocalPayload | undefined },
): string | undefined {
  if (issuedAtS === undefined || expiresAtS === undefined) return 'no time of issue or of expiry';
  if (expiresAtS <= issuedAtS) return 'expires before it was issued';
  if (expiresAtS - issuedAtS >= FOREIGN_LIFE_S_MAX) return 'a life of ten years or more';
  if (idPath !== undefined && id === undefined) return 'no identifier';
  return issuerRule !== undefined && issuer !== issuerRule.is ? 'of another issuer' : undefined;
}

/** The value at the end of a path: own members, names of a map, places in a list. Undefined where there is none. */
function valueAt(payload: LocalPayload, path: LocalPath): LocalPayload | undefined {
  let value: LocalPayload | undefined = payload;
  for (const step of path) value = value === undefined ? undefined : stepInto(value, step);
  return value;
}

function stepInto(value: LocalPayload, step: string | number): LocalPayload | undefined {
  if (value instanceof Map) return (value as ReadonlyMap<string | number, ForeignCbor>).get(step);
  if (Array.isArray(value)) {
    const list = value as readonly LocalPayload[];
    return typeof step === 'number' && step >= 0 ? list[step] : undefined;
  }
  if (value instanceof Uint8Array || typeof step === 'number') return undefined;
  return isObject(value as Json) && Object.hasOwn(value as object, step)
    ? (value as { readonly [name: string]: Json })[step]
    : undefined;
}

/** Whole seconds since 1970, within the years to 9999. A day counts from its begin, so many seconds later. */
function timeOf(time: LocalTime, value: LocalPayload | undefined, dayLaterS: number): number | undefined {
  const seconds = secondsOf(time, value, dayLaterS);
  return seconds !== undefined && seconds >= 0 && seconds <= TIME_S_MAX ? Math.floor(seconds) : undefined;
}

function secondsOf(time: LocalTime, value: LocalPayload | undefined, dayLaterS: number): number | undefined {
  if (time.unit === 's') return typeof value === 'number' ? value : undefined;
  if (time.unit === 'ms') return typeof value === 'number' ? value / 1_000 : undefined;
  if (typeof value !== 'string') return undefined;
  if (time.unit === 'rfc3339') {
    const moment = RFC3339.test(value) ? DateTime.parse(value) : undefined;
    return moment && moment.ms / 1_000;
  }
  const day = parseDay(value);
  return day === undefined ? undefined : day * DAY_S - 60 * time.offset + dayLaterS;
}

/** The colour of the status that a code has, by the table of the profile; none for a status that it does not name. */
function colourOf(
  status: LocalProfile['map']['status'],
  value: LocalPayload | undefined,
): Colour | undefined {
  const word = wordOf(value);
  return status !== undefined && word !== undefined && Object.hasOwn(status.colours, word)
    ? status.colours[word]
    : undefined;
}

/** A text, a whole number in decimal, `true` or `false`. */
function wordOf(value: LocalPayload | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  // Minus zero is zero.
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Bytes are an identifier by their hexadecimal digits. */
function idOf(value: LocalPayload | undefined): string | undefined {
  const id =
    value instanceof Uint8Array ? hexOf(value) : typeof value === 'boolean' ? undefined : wordOf(value);
  const isId = id !== undefined && id !== '' && id.length <= LOCAL_ID_CHARS_MAX && !/\p{Surrogate}/u.test(id);
  return isId ? id : undefined;
}

function subjectOf(value: LocalPayload | undefined): string | undefined {
  const isShowable =
    typeof value === 'string' &&
    value !== '' &&
    value.length <= LOCAL_SUBJECT_CHARS_MAX &&
    !UNSHOWABLE.test(value);
  return isShowable ? value : undefined;
}

function fieldOf(value: LocalPayload | undefined): string | number | boolean | undefined {
  if (typeof value === 'string') return value.length <= LOCAL_FIELD_CHARS_MAX ? value : undefined;
  return typeof value === 'boolean' || Number.isFinite(value) ? (value as boolean | number) : undefined;
}

function requireFewValues(payload: LocalPayload): void {
  let left = LOCAL_VALUES_MAX;
  const count = (value: LocalPayload): void => {
    for (const child of childrenOf(value)) {
      if (--left < 0)
        throw new ProtocolError('TOO_LARGE', `expected at most ${LOCAL_VALUES_MAX} values in a payload`);
      count(child);
    }
  };
  count(payload);
}

function childrenOf(value: LocalPayload): Iterable<LocalPayload> {
  if (value instanceof Map) return (value as ReadonlyMap<string | number, ForeignCbor>).values();
  if (Array.isArray(value)) return value as readonly LocalPayload[];
  if (value instanceof Uint8Array) return [];
  return isObject(value as Json) ? Object.values(value as { readonly [name: string]: Json }) : [];
}
