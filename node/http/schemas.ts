/** The shapes of what goes in and out over HTTP: they check requests, and describe all of it in /openapi.json. */
import { z } from '@hono/zod-openapi';
import { REASONS, type ReasonCode } from '../../protocol/verdict/reasons.ts';
import { isRegion } from '../../protocol/log/origin.ts';
import { isRuleId } from '../../protocol/code/status.ts';

const SECONDS_MAX = 10 * 365 * 86_400;

export const regionId = z
  .string()
  .max(6)
  .refine(isRegion, 'expected an ISO 3166 code in ASCII such as CN-33 or DE')
  .openapi({ type: 'string', example: 'CN-33' });

/** A whole number as a parameter says it, without signs, zeros in front or exponents. */
export const count = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/, 'expected a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, 'expected at most 2^53-1')
  .openapi({ type: 'integer', minimum: 0 });

/** As rules name kinds of places, and roles. */
const word = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected small letters, digits and hyphens');

const place = z.strictObject({
  risk: z.enum(['low', 'medium', 'high']).optional(),
  kind: word.optional(),
  gradeNeeded: z.enum(['static', 'live', 'challenged']).optional(),
  limits: z
    .strictObject({
      knowledgeAgeS: z.int().min(0).max(SECONDS_MAX).optional(),
      issuerSilenceS: z.int().min(0).max(SECONDS_MAX).optional(),
    })
    .optional(),
});

const code = z
  .string()
  .openapi({ description: 'The text of a code or presentation, as scanned.', example: 'ENT1:6BF...' });

export function verifyRequest(batchCodesMax: number) {
  return z
    .strictObject({
      code: code.optional(),
      codes: z.array(code).min(1).max(batchCodesMax).optional(),
      place: place
        .optional()
        .openapi({ description: 'What the place asks for; nothing in particular without it and rules.' }),
      rules: z.string().refine(isRuleId, 'expected the id of rules').optional().openapi({
        type: 'string',
        description:
          "Rules of the trust log of the node's region: what codes mean at this kind of place, and what it asks for where `place` does not say so.",
      }),
      home: regionId.optional().openapi({
        description:
          'In whose name is judged: a node of another region refuses the question, whose trust and rules are others.',
      }),
      role: word.optional().openapi({ description: 'Of the person, as the rules know it.' }),
      challenge: z
        .string()
        .regex(/^([0-9a-f]{2}){8,32}$/, 'expected 8 to 32 bytes in lower-case hexadecimal')
        .optional()
        .openapi({ description: 'What this verifier gave the holder to sign.' }),
    })
    .refine(
      ({ code: one, codes }) => (one === undefined) !== (codes === undefined),
      'expected either code or codes',
    )
    .refine(({ rules, role }) => rules !== undefined || role === undefined, {
      path: ['role'],
      message: 'says nothing without rules',
    });
}
export type VerifyRequest = z.infer<ReturnType<typeof verifyRequest>>;

const seconds = z.number().openapi({ description: 'Seconds.' });
const atS = z.int().openapi({ description: 'Seconds since 1970.' });
const hex = z.string().regex(/^[0-9a-f]*$/);
const reasonCodes = Object.keys(REASONS) as [ReasonCode, ...ReasonCode[]];
const outcome = z.enum(['pass', 'act', 'stop', 'undetermined']);

const knowledge = z
  .object({
    region: regionId,
    size: z.int().openapi({ description: 'Entries of the trust log that this rests on.' }),
    knowledgeAtS: atS.optional(),
    ageS: seconds
      .optional()
      .openapi({ description: 'Since a quorum last vouched that nothing newer exists.' }),
    silenceS: seconds.optional().openapi({ description: 'Since the region itself last signed.' }),
    witnesses: z.object({
      counted: z.int(),
      needed: z.int(),
      of: z.int(),
      by: z
        .literal('policy')
        .optional()
        .openapi({ description: 'A policy of the verifier counted, in the place of the table.' }),
    }),
  })
  .openapi('Knowledge');

export const verdict = z
  .object({
    outcome,
    reasons: z.array(
      z.object({
        code: z.enum(reasonCodes),
        outcome: z.enum(['note', 'act', 'undetermined', 'stop']),
        region: regionId.optional(),
        details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      }),
    ),
    atS,
    code: z
      .object({ region: regionId, log: z.string(), index: z.int(), hour: z.int(), keyId: hex })
      .optional()
      .openapi({ description: 'By its own words; proven only if the signature is good.' }),
    foreign: z
      .object({
        format: z.enum(['hcert', 'shc', 'vdsnc', 'local', 'opaque']),
        keyId: z.string(),
        issuer: z.string().optional(),
        issuedAtS: atS.optional(),
        region: regionId.optional(),
        adapter: z.string().optional(),
        subject: z
          .string()
          .optional()
          .openapi({ description: 'Whom a local code names, to be compared with a document.' }),
      })
      .optional()
      .openapi({
        description:
          'A code of others, by its own words; `region` and `adapter` say whose announced key signed it.',
      }),
    original: z
      .object({
        region: regionId,
        log: z.string().optional(),
        index: z.int().optional(),
        keyId: hex.optional(),
        hashes: z.array(hex).optional(),
        signer: hex.optional(),
        issuedAtS: atS.optional(),
      })
      .optional()
      .openapi({
        description:
          'Of a bridged code: the code that the platform, which is `code.region`, has checked. By its own words; proven only if the signature is good.',
      }),
    colour: z.enum(['green', 'yellow', 'red']).optional(),
    measure: z.object({ kind: z.string(), untilS: atS }).optional(),
    rule: z.object({ id: z.string(), version: z.int() }).optional(),
    expiresAtS: atS.optional(),
    grade: z.enum(['static', 'live', 'challenged']).optional(),
    knowledge: z.array(knowledge),
  })
  .openapi('Verdict');

export const verdicts = z.object({ verdicts: z.array(verdict) }).openapi('Verdicts');

const region = z
  .object({
    region: regionId,
    name: z.string().optional(),
    fingerprint: hex.optional(),
    standing: z.enum(['home', 'recognised', 'suspended']),
    way: z.string().optional(),
    fromS: atS.optional(),
    untilS: atS.optional(),
    origin: z.string().openapi({ description: 'Of its trust log: the path of its tiles on this interface.' }),
    logs: z.array(z.string()).openapi({ description: 'Ids of its attestation logs.' }),
    knowledge: knowledge.optional(),
  })
  .openapi('Region');

export const regions = z
  .object({ home: regionId, network: z.string(), regions: z.array(region) })
  .openapi('Regions');
export type Regions = z.infer<typeof regions>;

export const keysQuery = z.strictObject({ region: regionId });

export const jwkSet = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        kid: hex.openapi({ description: 'As codes name the key.' }),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
        x: z.string(),
        nbf: atS,
        exp: atS,
      }),
    ),
  })
  .openapi('JwkSet');

export const dccKeys = z
  .object({
    eu_keys: z.record(
      z.string(),
      z.array(
        z.object({
          subjectPk: z.string().openapi({ description: 'SubjectPublicKeyInfo as DER, in base64.' }),
          keyUsage: z.array(z.enum(['t', 'v', 'r'])),
        }),
      ),
    ),
  })
  .openapi('DccKeys');

export const keys = z
  .object({
    region: regionId,
    keys: z.array(
      z.object({
        keyId: hex,
        role: z.enum(['attest', 'checkpoint', 'trust-log', 'witness']),
        publicKey: hex,
        fromS: atS,
        untilS: atS,
        isCompromised: z.boolean(),
      }),
    ),
  })
  .openapi('Keys');
export type Keys = z.infer<typeof keys>;

export const inclusionQuery = z.strictObject({ index: count, size: count });
export const consistencyQuery = z.strictObject({ oldSize: count, newSize: count });

export const proof = z
  .object({ hashes: z.array(z.string()).openapi({ description: 'Base64, leaf side first.' }) })
  .openapi('Proof');

export const snapshotQuery = z.strictObject({
  since: z
    .string()
    .max(4_096)
    .regex(
      /^[A-Z]{2}(-[A-Z0-9]{1,3})?:[0-9]{1,16}(,[A-Z]{2}(-[A-Z0-9]{1,3})?:[0-9]{1,16})*$/,
      'expected DE:120,FR:45',
    )
    .optional()
    .openapi({
      description: 'Entries that are held already, by region: the answer is a delta from there.',
      example: 'DE:120,FR:45',
    }),
});

export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ at: z.string(), detail: z.string() })).optional(),
    hint: z.string().optional(),
    retry: z.boolean().optional(),
  })
  .openapi('Problem');

export const health = z.object({ ready: z.boolean(), reasons: z.array(z.string()) }).openapi('Health');
