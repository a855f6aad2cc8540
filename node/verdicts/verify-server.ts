/** Verdicts for other nodes: the word of this one, for a node that knows less. Spec: SPEC.md 14.5.4. */
import { z } from 'zod';
import { hexBytes } from '../../protocol/bytes.ts';
import { decodeUtf8, utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { ANY_PLACE, type Verdict, type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { type Network } from '../ports.ts';

export const VERIFY_PROTOCOL = '/entente/verify/1.0.0';

/** Bytes of a request: the longest code, a place and a challenge. */
export const VERIFY_REQUEST_BYTES_MAX = 8_192;
/** Bytes of an answer: a verdict with what is known of a few regions. */
export const VERIFY_ANSWER_BYTES_MAX = 16_384;

const schema = z.strictObject({
  code: z.string().max(CODE_CHARS_MAX),
  place: z
    .strictObject({
      risk: z.enum(['low', 'medium', 'high']).default(ANY_PLACE.risk),
      kind: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
        .default(ANY_PLACE.kind),
      gradeNeeded: z.enum(['static', 'live', 'challenged']).default(ANY_PLACE.gradeNeeded),
    })
    .default(ANY_PLACE),
  challenge: z
    .string()
    .regex(/^([0-9a-f]{2}){8,32}$/)
    .exactOptional(),
});

export interface VerifyServerModules {
  readonly network: Network;
  readonly verify: (text: string, context: VerdictContext) => Promise<Verdict>;
}

export class VerifyServer {
  readonly #modules: VerifyServerModules;

  constructor(modules: VerifyServerModules) {
    this.#modules = modules;
  }

  start(): void {
    this.#modules.network.handle(VERIFY_PROTOCOL, (_peer, request) => this.answer(request));
  }

  /** The verdict as JSON. @throws {ProtocolError} TOO_LARGE, UTF8_MALFORMED, SCHEMA_INVALID. */
  async answer(request: Uint8Array): Promise<Uint8Array> {
    const { code, place, challenge } = parseVerifyRequest(request);
    const context: VerdictContext = {
      place,
      mode: 'online',
      challenge: challenge === undefined ? undefined : hexBytes(challenge),
    };
    return utf8Bytes(JSON.stringify(await this.#modules.verify(code, context)));
  }
}

function parseVerifyRequest(request: Uint8Array): z.infer<typeof schema> {
  if (request.length > VERIFY_REQUEST_BYTES_MAX) {
    throw new ProtocolError('TOO_LARGE', 'expected a shorter request', { bytes: request.length });
  }
  const text = decodeUtf8(request, 'UTF8_MALFORMED');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError('SCHEMA_INVALID', 'expected a JSON object');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProtocolError('SCHEMA_INVALID', 'expected a code, and perhaps a place and a challenge');
}
