/** The shapes of what an operator asks for and hears. */
import { z } from '@hono/zod-openapi';
import { isRuleId } from '../../protocol/code/status.ts';
import { ENTRY_BYTES_MAX, EVIDENCE_BYTES_MAX, INDEX_BOUND } from '../../protocol/limits.ts';
import { isAttestationLogId } from '../../protocol/log/origin.ts';
import { orderedSchema } from '../issuing/forgotten-marks.ts';
import { becauseSchema } from '../life/dossier.ts';
import { identitySchema } from '../lists/identity.ts';
import { isSubject, SUBJECT_BYTES_MAX } from '../registry/record-page.ts';
import { regionId } from './schemas.ts';

const log = z
  .string()
  .max(16)
  .refine(isAttestationLogId, 'expected the id of an attestation log, as in 2026-11');
/** Statements of the root that belong together: keys for 90 days come to a few. */
const ENTRIES_MAX = 64;
const subject = z.string().refine(isSubject, `expected 1 to ${SUBJECT_BYTES_MAX} bytes of UTF-8`);
const indexes = z
  .array(
    z
      .int()
      .min(0)
      .max(INDEX_BOUND - 1),
  )
  .min(1);

const status = z
  .strictObject({
    colour: z.enum(['green', 'yellow', 'red']),
    measure: z.enum(['none', 'home', 'isolate']).default('none'),
    untilS: z.int().min(0).optional(),
    expiresAtS: z.int().min(0),
    ruleId: z.string().refine(isRuleId, 'expected a rule id').default('manual'),
    ruleVersion: z.int().min(0).default(1),
  })
  .refine(({ measure, untilS }) => (measure === 'none') === (untilS === undefined), {
    message: 'untilS goes with a measure, and a measure with untilS',
  })
  .refine(({ colour, measure }) => colour !== 'green' || measure === 'none', 'green demands nothing');

export const ordered = z.strictObject(orderedSchema.shape).openapi('Ordered', {
  description: 'How often somebody had been forgotten by then, as `counter` has it, and the time.',
});

export const issueOrder = z
  .strictObject({
    subject: subject.openapi({
      description: "The region's own reference to the person; it stays in the registry.",
    }),
    status,
    holderKey: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hexadecimal')
      .optional()
      .openapi({ description: 'Public key of the device that will show the code.' }),
    document: z
      .strictObject({ country: z.string().regex(/^[A-Z]{2}$/), number: z.string().min(4).max(256) })
      .optional()
      .openapi({
        description:
          'For a code on paper. Costs 50 ms. With a basis it is that of `identity`, or one that the person declared.',
      }),
    isReplacement: z.boolean().default(false),
    ordered: ordered.optional().openapi({
      description:
        'When it was ordered first, as `/v1/issue/ordered` said then, where it is given later or again under another key: whoever was forgotten since, in the last eight days, gets none (`FORGOTTEN`).',
    }),
    identity: identitySchema.optional().openapi({
      description:
        'Who the person is by papers, as they stand in files of lists, and checked like these: needed with a basis where lists of people are in force and the person has not declared. Kept by keyed names: another order for the same reference tells no others, and none for another reference tells these.',
    }),
    basis: z
      .strictObject({
        atS: z.int().min(0),
        facts: z.record(
          z.string().min(1).max(64),
          z.union([
            z.string().max(256),
            z.number(),
            z.boolean(),
            z.null(),
            z.array(z.string().max(256)).max(64),
          ]),
        ),
      })
      .optional()
      .openapi({
        description:
          'What rules decided on, and when: a region with operators issues nothing without it. It is held against what the region itself knows of the person.',
      }),
  })
  .openapi('IssueOrder');
export type IssueOrder = z.infer<typeof issueOrder>;

/** As `LogReceipt`. */
export const receipt = z
  .object({
    sequenced: z.object({ origin: z.string(), size: z.int(), atS: z.int() }),
    witnessed: z.object({
      counted: z.int(),
      needed: z.int(),
      of: z.int(),
      by: z.literal('policy').optional(),
      isQuorum: z.boolean(),
      size: z.int().optional(),
      ageS: z.int().optional(),
      doubt: z.enum(['FORKED', 'QUARANTINED', 'CHECKPOINT_KEY_UNFIT']).optional(),
    }),
    proof: z.string().optional(),
  })
  .openapi('Receipt');

export const receiptQuery = z
  .strictObject({
    log: z.union([z.literal('trust'), log]).default('trust'),
    size: z.coerce.number().int().min(1).optional(),
    index: z.coerce.number().int().min(0).optional(),
  })
  .refine(({ size, index }) => size === undefined || index === undefined, {
    path: ['index'],
    message: 'expected a size or an index',
  });

export const issuedCode = z
  .object({ log, index: z.int(), code: z.string(), expiresAtS: z.int() })
  .openapi('IssuedCode');
export type IssuedCode = z.infer<typeof issuedCode>;

/** A code, and the proof that its attestation is in the log: absent where that cannot be told now. */
export const issuedAnswer = issuedCode.extend({ receipt: receipt.optional() }).openapi('IssuedAnswer');

export const revokeOrder = z
  .strictObject({
    log: log.optional(),
    indexes: indexes.max(65_536).optional(),
    subject: subject.optional(),
    why: becauseSchema.optional(),
  })
  .refine(
    ({ log: of, indexes: places, subject: whom }) =>
      (of === undefined) === (places === undefined) && (of === undefined) !== (whom === undefined),
    {
      message: 'expected log and indexes, or a subject',
    },
  )
  .openapi('RevokeOrder', {
    description: '`why`: what holders who declared are told of it; it is public nowhere.',
  });

export const revoked = z
  .object({ revoked: z.array(z.object({ log, indexes })), receipt: receipt.optional() })
  .openapi('Revoked');

export const entryOrder = z
  .strictObject({
    entries: z
      .array(
        z
          .string()
          .max(Math.ceil(ENTRY_BYTES_MAX / 3) * 4)
          .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64'),
      )
      .min(1)
      .max(ENTRIES_MAX),
  })
  .openapi('EntryOrder');

export const codesOrder = z
  .strictObject({
    subject: subject.optional(),
    log: log.optional(),
    from: z
      .int()
      .min(0)
      .optional()
      .openapi({ description: 'Of the log only what stands at this index and after it.' }),
  })
  .refine(({ log: of, from }) => from === undefined || of !== undefined, 'from goes with log')
  .openapi('CodesOrder');

export const forgetOrder = z
  .strictObject({
    subject,
    lettingPass: z.boolean().default(false).openapi({ description: 'Forgets codes that still pass too.' }),
  })
  .openapi('ForgetOrder');

export const forgotten = z
  .object({
    leaves: z.array(
      z.object({
        log,
        index: z.int(),
        proven: z.object({ leafHash: z.string(), size: z.int(), root: z.string() }).optional(),
      }),
    ),
    other: z.enum(['forgot', 'awaited']).optional().openapi({
      description:
        'Where the region has a standby: whether its other machine has forgotten the codes too, or does as soon as it answers',
    }),
    declared: z.literal('on-writer').optional().openapi({
      description:
        'The order was given on the standby: what the person declared is still on the machine that writes. Give the order there too',
    }),
  })
  .openapi('Forgotten', {
    description: 'Leaves that nobody can open any more, proven in the newest tree of their log.',
  });

export const heldCode = z
  .object({ subject, log, index: z.int(), code: z.string(), holderKey: z.string().optional() })
  .openapi('HeldCode');
export type HeldCodeLine = z.infer<typeof heldCode>;

export const givenUp = z
  .object({ log, givenUp: z.int().min(1) })
  .openapi('GivenUp', { description: 'So many codes of a log that is over, which cannot be made again.' });
export const heldLine = z.union([heldCode, givenUp]);

export const witnessOrder = z
  .strictObject({ regions: z.array(regionId).max(1_024).optional() })
  .openapi('WitnessOrder');

export const witnessed = z
  .object({
    witnessed: z.array(
      z.object({ origin: z.string(), size: z.int(), root: z.string(), sizeBefore: z.int() }),
    ),
    faults: z.array(z.object({ region: z.string(), code: z.string(), message: z.string() })),
  })
  .openapi('Witnessed');
export type WitnessedReport = z.infer<typeof witnessed>;

export const published = z.object({ published: z.literal(true) }).openapi('Published');
export const stopping = z.object({ stopping: z.literal(true) }).openapi('Stopping');
export const reloaded = z.object({ peers: z.int(), keys: z.int() }).openapi('Reloaded');

export const suspendOrder = z.strictObject({ region: regionId }).openapi('SuspendOrder');

/** As many as a body has room for. */
const FOREIGN_HASHES_MAX = 1_000;

export const foreignRevocationOrder = z
  .strictObject({
    hashes: z
      .array(z.string().regex(/^[0-9a-f]{32}$/, 'expected 16 bytes in lower-case hexadecimal'))
      .min(1)
      .max(FOREIGN_HASHES_MAX)
      .refine(
        (hashes) => hashes.every((hash, i) => i === 0 || (hashes[i - 1] as string) < hash),
        'expected ascending hashes',
      ),
    untilS: z.int().min(0),
  })
  .openapi('ForeignRevocationOrder');

export const evidenceOrder = z
  .strictObject({ evidence: z.base64().max(Math.ceil(EVIDENCE_BYTES_MAX / 3) * 4) })
  .openapi('EvidenceOrder', { description: 'A file of evidence, in base64.' });
export const accused = z.object({ isNew: z.boolean() }).openapi('Accused');

export const keptQuery = z.strictObject({
  files: z.literal('true').optional().openapi({ description: 'Each proof with its file.' }),
});
const keptProof = z.object({
  name: z.string(),
  kind: z.string(),
  region: regionId,
  origin: z.string(),
  at: z.int(),
  words: z.array(z.array(z.string())),
  isOfEarlierRoot: z.boolean(),
  file: z.base64().optional(),
});
const unread = z.object({ name: z.string(), code: z.string(), message: z.string() });
export const keptLine = z
  .union([keptProof, z.object({ unread })])
  .openapi('KeptEvidence', { description: 'A proof, or what is kept and cannot be read.' });

export const logged = z.object({ index: z.int(), receipt: receipt.optional() }).openapi('Logged');

export const promoted = z.object({ epoch: z.int() }).openapi('Promoted');

export const forced = z.object({ forced: z.literal(true) }).openapi('Forced');

/** Plain data of the node, for people and for `entente status`. Its members may grow. */
export const nodeStatus = z.looseObject({ writing: z.string(), store: z.string() }).openapi('Status');
export const peerList = z.looseObject({ peers: z.array(z.looseObject({})) }).openapi('Peers');
