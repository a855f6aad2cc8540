/** How the codes of a region that has a format of its own are recognised, taken apart and read, as its adapter announces it. Spec: SPEC.md 17.11. */
import * as z from 'zod';
import {
  FOREIGN_LIFE_S_MAX,
  LOCAL_COLOURS_MAX,
  LOCAL_FIELDS_MAX,
  LOCAL_NAME_CHARS_MAX,
  LOCAL_PATH_STEPS_MAX,
  NAME_CHARS_MAX,
} from './foreign-limits.ts';
import { LOOKUP_PREFIX_CHARS_MAX } from '../limits.ts';
import { isSelfNamed } from './self-named.ts';
import { LOCAL_ALGORITHMS } from './signature-check.ts';

/** A step of the paths of expressions, in which dots part names. */
const FIELD_NAME = /^[a-z][a-zA-Z0-9]{0,31}$/;

const name = z.string().min(1).max(LOCAL_NAME_CHARS_MAX);
const prefix = z
  .string()
  .max(LOOKUP_PREFIX_CHARS_MAX)
  .refine(
    (text) => /^[!-~]*$/.test(text) && !isSelfNamed(text),
    'expected printable ASCII that begins no other code',
  );

const algorithms = z
  .array(z.enum(LOCAL_ALGORITHMS))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'expected each algorithm once');

/** Names of members, numbers of keys in CBOR, places in a list from 0 on. */
const path = z
  .array(z.union([name, z.int()]))
  .min(1)
  .max(LOCAL_PATH_STEPS_MAX);
export type LocalPath = z.infer<typeof path>;

const time = z.discriminatedUnion('unit', [
  z.strictObject({ at: path, unit: z.literal('s') }),
  z.strictObject({ at: path, unit: z.literal('ms') }),
  z.strictObject({ at: path, unit: z.literal('rfc3339') }),
  /** A day of the calendar, in a zone so many minutes ahead of UTC. */
  z.strictObject({ at: path, unit: z.literal('day'), offset: z.int().min(-840).max(840) }),
]);
export type LocalTime = z.infer<typeof time>;

const atMost = (count: number) => (map: object) => {
  const { length } = Object.keys(map);
  return length <= count;
};

const map = z
  .strictObject({
    issuedAt: time,
    expiresAt: time.exactOptional(),
    /** Seconds after its issue at which a code ends that does not say so itself. */
    life: z
      .int()
      .min(60)
      .max(FOREIGN_LIFE_S_MAX - 1)
      .exactOptional(),
    status: z
      .strictObject({
        at: path,
        colours: z
          .record(name, z.enum(['green', 'yellow', 'red']))
          .refine(atMost(LOCAL_COLOURS_MAX), `expected at most ${LOCAL_COLOURS_MAX}`),
      })
      .exactOptional(),
    id: path.exactOptional(),
    subject: path.exactOptional(),
    issuer: z.strictObject({ at: path, is: z.string().min(1).max(NAME_CHARS_MAX) }).exactOptional(),
    fields: z
      .record(z.string().regex(FIELD_NAME, 'expected a name such as testDay'), path)
      .refine(atMost(LOCAL_FIELDS_MAX), `expected at most ${LOCAL_FIELDS_MAX}`)
      .exactOptional(),
  })
  .refine(
    ({ expiresAt, life }) => (expiresAt === undefined) !== (life === undefined),
    'expected one of expiresAt and life',
  );

/** How the bytes of a container are written in the text. */
const wrapped = { text: z.enum(['base45', 'base64url']), deflate: z.enum(['zlib', 'raw']).exactOptional() };

const members = z.strictObject({
  payload: name,
  /** What of the payload's member is signed: its text in UTF-8, the bytes that it is base64url of, or an object as it stands. */
  form: z.enum(['text', 'base64url', 'object']),
  signature: name,
  algorithm: name.exactOptional(),
  keyId: name.exactOptional(),
});
export type LocalMembers = z.infer<typeof members>;

const common = { prefix, algorithms, map };
export const localProfileSchema = z
  .discriminatedUnion('container', [
    z.strictObject({
      container: z.literal('json'),
      ...common,
      text: z.enum(['plain', 'base45', 'base64url']),
      deflate: wrapped.deflate,
      members,
    }),
    /** `keyId`: whether codes name their key. */
    z.strictObject({ container: z.literal('jws'), ...common, keyId: z.boolean() }),
    z.strictObject({ container: z.literal('cose'), ...common, ...wrapped, keyId: z.boolean() }),
  ])
  .refine(isRecognisable, 'expected a prefix, but for a bare JWS or bare JSON')
  .refine(isOneAlgorithm, 'expected one algorithm where codes do not name theirs')
  .refine(areApart, 'expected a name of its own for each member');

/** `data.profile` of an `adapter` statement of the format `local`. */
export type LocalProfile = z.infer<typeof localProfileSchema>;

interface Shape {
  readonly container: string;
  readonly prefix: string;
  readonly algorithms: readonly string[];
  readonly text?: string;
  readonly deflate?: string;
  readonly members?: LocalMembers;
}

/** Without a prefix only what begins as JSON or a JWS does. Plain text is not deflated. */
function isRecognisable({ container, prefix: begin, text, deflate }: Shape): boolean {
  if (text === 'plain' && deflate !== undefined) return false;
  return begin !== '' || container === 'jws' || text === 'plain';
}

function isOneAlgorithm({ algorithms: list, members: named }: Shape): boolean {
  return named === undefined || named.algorithm !== undefined || list.length === 1;
}

function areApart({ members: named }: Shape): boolean {
  if (named === undefined) return true;
  const names = [named.payload, named.signature, named.algorithm, named.keyId].filter(
    (one) => one !== undefined,
  );
  return new Set(names).size === names.length;
}

/** Total: whether a text may be a code of this profile, by its beginning alone. */
export function mayBeLocal({ prefix: begin, container }: LocalProfile, text: string): boolean {
  if (begin !== '') return text.startsWith(begin) && !isSelfNamed(text);
  return text.startsWith(container === 'jws' ? 'eyJ' : '{');
}
