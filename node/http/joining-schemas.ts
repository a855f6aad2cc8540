/** The shapes of joining over HTTP: between two regions, and between an operator and his node. */
import { z } from '@hono/zod-openapi';
import { INVITATION_S_MAX, JOINING_BYTES_MAX } from '../../protocol/limits.ts';
const SIGNATURE_CHARS_MAX = 88;

const base64 = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64');

export const joiningRequest = z
  .strictObject({
    answer: base64(Math.ceil(JOINING_BYTES_MAX / 3) * 4).openapi({
      description: 'What the joining region says, SPEC 20.1.',
    }),
    confirmation: base64(SIGNATURE_CHARS_MAX)
      .optional()
      .openapi({ description: 'The signature by which its operator has confirmed, SPEC 20.3.' }),
  })
  .openapi('JoiningRequest');

export const joiningReply = z
  .object({ confirmation: base64(SIGNATURE_CHARS_MAX).optional() })
  .openapi('JoiningReply', {
    description: 'With the signature of the inviting side once its operator has confirmed.',
  });

export const inviteOrder = z
  .strictObject({
    forS: z.int().min(60).max(INVITATION_S_MAX),
    http: z
      .url({ protocol: /^https?$/ })
      .max(256)
      .optional(),
  })
  .openapi('InviteOrder');

export const invited = z
  .object({ invitation: z.string(), untilS: z.int(), http: z.string() })
  .openapi('Invited');

export const joinOrder = z
  .strictObject({ invitation: z.string().max(2 * JOINING_BYTES_MAX) })
  .openapi('JoinOrder');

export const confirmOrder = z
  .strictObject({
    transcript: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hexadecimal')
      .openapi({ description: 'That whose words were compared, SPEC 20.3.' }),
  })
  .openapi('JoiningConfirmOrder');

export const dropOrder = z
  .strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/, 'expected 8 bytes in lower-case hexadecimal') })
  .openapi('JoiningDropOrder');

export const joiningView = z
  .object({
    id: z.string().openapi({ description: "The first 8 bytes of the invitation's hash." }),
    side: z.enum(['inviting', 'joining']),
    /** Absent while nobody has answered. */
    region: z.string().optional(),
    name: z.string().optional(),
    fingerprint: z.string().optional(),
    /** With the name of its node. */
    addresses: z.array(z.string()).optional(),
    transcript: z.string().optional(),
    words: z.string().optional(),
    ours: z.boolean(),
    theirs: z.boolean(),
    untilS: z.int(),
    vouching: z.array(z.string()).optional(),
    contradicting: z.array(z.string()).optional(),
  })
  .openapi('Joining');
export type JoiningView = z.infer<typeof joiningView>;

export const joiningList = z.object({ joinings: z.array(joiningView) }).openapi('Joinings');
