/** Evidence as a file: words of one region that cannot all be true, and the statements that say whose keys signed them. Spec: SPEC.md 18.1. */
import * as z from 'zod';
import { type CborValue, decodeCbor, encodeCbor } from '../encoding/cbor.ts';
import { isProtocolError, ProtocolError } from '../fault.ts';
import { EVIDENCE_BYTES_MAX, EVIDENCE_STATEMENTS_MAX, LOOKUP_HEAD_BYTES_MAX } from '../limits.ts';
import { isRegion } from '../log/origin.ts';
import {
  bytesForm,
  countForm,
  entryForm,
  forkSideForm,
  forkSidesForm,
  forkSidesValue,
  forkSizeForm,
  hashForm,
  noteForm,
  pathForm,
  pathValue,
} from './proof-form.ts';

const FORMAT = 1;

/** Of one region: entries of its trust log, `root` and `keys` alone, in their order. */
const ground = z.array(entryForm).min(1).max(EVIDENCE_STATEMENTS_MAX);
const shared = { format: z.literal(FORMAT), grounds: z.array(ground).min(1).max(2) };
const attestation = entryForm;
const lookupHead = bytesForm.refine(({ length }) => length <= LOOKUP_HEAD_BYTES_MAX);
const placed = z.strictObject({ attestation, path: pathForm });
/** And the inclusion proof of the root of the log's region, which is entry 0, in the tree of the note. */
const rootedSide = forkSideForm.extend({ firstPath: pathForm });

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fork'), ...shared, size: forkSizeForm, sides: forkSidesForm }),
  z.strictObject({
    kind: z.literal('cosignatures'),
    ...shared,
    witness: z.string().refine(isRegion, 'expected a region'),
    size: forkSizeForm,
    sides: z.tuple([rootedSide, rootedSide]),
  }),
  z.strictObject({
    kind: z.literal('leaf'),
    ...shared,
    attestation,
    note: noteForm,
    leafHash: hashForm,
    path: pathForm,
  }),
  z.strictObject({ kind: z.literal('index'), ...shared, attestations: z.tuple([attestation, attestation]) }),
  z.strictObject({ kind: z.literal('hours'), ...shared, note: noteForm, entries: z.tuple([placed, placed]) }),
  z.strictObject({
    kind: z.literal('entry'),
    ...shared,
    note: noteForm,
    index: countForm,
    entry: entryForm,
    path: pathForm,
  }),
  z.strictObject({ kind: z.literal('tables'), ...shared, heads: z.tuple([lookupHead, lookupHead]) }),
]);

type Parsed = z.infer<typeof schema>;
type WithoutFormat<E> = E extends Parsed ? Readonly<Omit<E, 'format'>> : never;

/**
 * Nothing of it is proven. `fork`: a log signed two trees of which neither goes on from the other. `cosignatures`: a witness
 * cosigned two such trees of a trust log, which begin with the same root. `leaf`: an attestation was signed for an index at which
 * the log has another leaf. `index`: two attestations were signed for one index. `hours`: an entry was issued before one that stands
 * before it. `entry`: an attestation log has, at an index, an entry that is no attestation for that place. `tables`: two tables of
 * numbers were signed for one day and minute.
 */
export type Evidence = WithoutFormat<Parsed>;
export type EvidenceKind = Evidence['kind'];
export type EvidenceOf<K extends EvidenceKind> = Extract<Evidence, { kind: K }>;

/** The one file of this evidence. @throws {RangeError} if no reader would take it. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const bytes = bytesOf(evidence);
  try {
    parseEvidence(bytes);
  } catch (cause) {
    throw new RangeError('no reader would take this evidence', { cause });
  }
  return bytes;
}

/**
 * As `encodeEvidence`; undefined if it has more statements or bytes than any reader takes, which is so where a region has changed its root or its keys so
 * often: then nothing can be proven. @throws {RangeError} as `encodeEvidence` for anything else.
 */
export function encodeEvidenceIfTaken(evidence: Evidence): Uint8Array | undefined {
  if (evidence.grounds.some(({ length }) => length > EVIDENCE_STATEMENTS_MAX)) return undefined;
  const bytes = bytesOf(evidence);
  return bytes.length > EVIDENCE_BYTES_MAX ? undefined : encodeEvidence(evidence);
}

/**
 * Takes what `encodeEvidence` makes; byte strings in it are views of `bytes`.
 * @throws {ProtocolError} TOO_LARGE; EVIDENCE_MALFORMED for anything else that is not of this form.
 */
export function parseEvidence(bytes: Uint8Array): Evidence {
  let value: CborValue;
  try {
    value = decodeCbor(bytes, { bytesMax: EVIDENCE_BYTES_MAX });
  } catch (cause) {
    if (!isProtocolError(cause) || cause.fault.code === 'TOO_LARGE') throw cause;
    throw new ProtocolError('EVIDENCE_MALFORMED', cause.message, cause.fault.details, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path = [], code = '' } = parsed.error.issues[0] ?? {};
    throw new ProtocolError('EVIDENCE_MALFORMED', `not evidence: ${path.join('.')} ${code}`);
  }
  return parsed.data;
}

function bytesOf(evidence: Evidence): Uint8Array {
  return encodeCbor({ format: FORMAT, ...evidence, ...pathsJoined(evidence) });
}

/** The members with paths, in which each is one byte string. */
function pathsJoined(evidence: Evidence): Readonly<Record<string, CborValue>> {
  switch (evidence.kind) {
    case 'fork':
      return { sides: forkSidesValue(evidence.sides) };
    case 'cosignatures':
      return {
        sides: evidence.sides.map(({ note, root, path, firstPath }) => {
          return { note, root, path: pathValue(path), firstPath: pathValue(firstPath) };
        }),
      };
    case 'leaf':
    case 'entry':
      return { path: pathValue(evidence.path) };
    case 'hours':
      return {
        entries: evidence.entries.map(({ attestation, path }) => ({ attestation, path: pathValue(path) })),
      };
    case 'index':
    case 'tables':
      return {};
  }
}
