/**
 * What the root is to sign away from the machine that logs it: statements in a file that travels by hand from key to key, with the
 * signatures made so far. Nobody has to believe such a file: whoever signs is shown what it says, and the log checks it again.
 */
import { z } from 'zod';
import { equalBytes, hexBytes, hexOf } from '../../protocol/bytes.ts';
import { decodeBase64, encodeBase64 } from '../../protocol/encoding/base64.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { ENTRY_BYTES_MAX, INDEX_SET_COUNT_MAX, ROOT_KEYS_MAX } from '../../protocol/limits.ts';
import { isNetwork, isRegion, trustLogOrigin } from '../../protocol/log/origin.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { decodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import {
  encodeEntry,
  encodeStatement,
  parseStatement,
  statementMessage,
  type StatementSignature,
} from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type KeyedSigner, type StatementDraft } from '../log/trust-log-work.ts';
import { NodeError } from '../node-error.ts';
import { parseStrictJson, StrictJsonError } from '../../protocol/encoding/strict-json.ts';

/** Some keys, of which `threshold` sign together: 1 to 16 of 32 bytes, strictly ascending. */
export interface Board {
  readonly threshold: number;
  readonly keys: readonly Uint8Array[];
}

export interface DraftedStatement {
  readonly body: Uint8Array;
  readonly statement: Statement;
  /** Good ones of distinct keys that may sign, by ascending key id. */
  readonly signatures: readonly StatementSignature[];
}

export interface RootDraft {
  readonly region: string;
  readonly network: string;
  /** The root in force when it was drafted. */
  readonly board: Board;
  /** 1 to 64, in the order in which they are to be logged. */
  readonly statements: readonly DraftedStatement[];
}

/** How far the signing of a draft is, for the root in force or, where the draft names a new one, for that. */
export interface BoardStanding {
  readonly isNew: boolean;
  readonly threshold: number;
  readonly keys: readonly { readonly keyId: string; readonly hasSigned: boolean }[];
  /** Signatures that are still needed. */
  readonly missing: number;
}

/** A whole round of `key extend` has five. */
const STATEMENTS_MAX = 64;
/** Indexes that all revocations of a draft name together: a few bytes of each could stand for as many. */
const INDEXES_MAX = INDEX_SET_COUNT_MAX;
/** Bytes of a file: far more than statements of the root have in fact. */
export const DRAFT_BYTES_MAX = 4 * ENTRY_BYTES_MAX;

const KIND = 'entente root draft';
const base64 = z
  .string()
  .max(2 * ENTRY_BYTES_MAX)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64');
const draftSchema = z.strictObject({
  format: z.literal(1),
  kind: z.literal(KIND),
  region: z.string().refine(isRegion),
  network: z.string().refine(isNetwork),
  root: z.strictObject({
    threshold: z.int().min(1).max(ROOT_KEYS_MAX),
    keys: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .min(1)
      .max(ROOT_KEYS_MAX),
  }),
  statements: z
    .array(
      z.strictObject({
        body: base64,
        signatures: z
          .array(z.strictObject({ key: z.string().regex(/^[0-9a-f]{16}$/), signature: base64 }))
          .max(2 * ROOT_KEYS_MAX),
      }),
    )
    .min(1)
    .max(STATEMENTS_MAX),
});

/**
 * A draft that nobody has signed.
 * @throws {RangeError} without a root in force, or for more statements than a draft has.
 * @throws {NodeError} DRAFT_INVALID if its revocations name more than 2^20 indexes together.
 */
export function draftOf(state: TrustState, statements: readonly StatementDraft[], atS: number): RootDraft {
  const { root, region, network } = state;
  if (root === undefined) throw new RangeError('a region without a root signs nothing by it');
  if (statements.length < 1 || statements.length > STATEMENTS_MAX)
    throw new RangeError(`a draft has 1 to ${STATEMENTS_MAX} statements`);
  const board = { threshold: root.threshold, keys: root.keys.map(({ publicKey }) => publicKey) };
  const drafted = statements.map((one) => {
    const statement: Statement = { ...one, at: atS };
    return { body: encodeStatement(statement), statement, signatures: [] };
  });
  requireFewIndexes(drafted);
  return { region, network, board, statements: drafted };
}

export function encodeDraft({ region, network, board, statements }: RootDraft): string {
  const told = {
    format: 1,
    kind: KIND,
    region,
    network,
    root: { threshold: board.threshold, keys: board.keys.map(hexOf) },
    statements: statements.map(({ body, signatures }) => ({
      body: encodeBase64(body),
      signatures: signatures.map(({ keyId, signature }) => ({
        key: keyId,
        signature: encodeBase64(signature),
      })),
    })),
  };
  return `${JSON.stringify(told, undefined, 2)}\n`;
}

/**
 * Takes a file apart and checks every signature in it.
 * @throws {NodeError} DRAFT_INVALID for what `encodeDraft` does not write, a statement that SPEC.md 8.2 does not allow, revocations of
 * more than 2^20 indexes together, and a signature that is bad or of a key that does not sign here.
 */
export function parseDraft(bytes: Uint8Array, modules: Primitives): RootDraft {
  const parsed = draftSchema.safeParse(jsonOf(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') ?? ''} is not as expected`);
  }
  const { region, network, root, statements } = parsed.data;
  const keys = root.keys.map(hexBytes);
  const isAscending = root.keys.every((key, i) => i === 0 || (root.keys[i - 1] as string) < key);
  if (!isAscending || root.threshold > keys.length) throw invalid('its root is not as expected');
  const unsigned = { region, network, board: { threshold: root.threshold, keys } };
  try {
    const read = statements.map(({ body: text, signatures }) => {
      const body = decodeBase64(text);
      const signed = signatures.map(({ key, signature }) => ({
        keyId: key,
        signature: decodeBase64(signature),
      }));
      return { body, statement: parseStatement(body), signatures: signed };
    });
    const draft = { ...unsigned, statements: read };
    requireGood(draft, modules);
    return draft;
  } catch (error) {
    if (isProtocolError(error)) throw invalid(error.message, error);
    throw error;
  }
}

/** What all who sign a draft compare: SHA-256 over its statements and where they are to stand. */
export function digestOfDraft(
  { region, network, statements }: RootDraft,
  { sha256 }: Primitives,
): Uint8Array {
  const origin = trustLogOrigin(region, network);
  return sha256(Buffer.from(JSON.stringify([origin, ...statements.map(({ body }) => hexOf(body))]), 'utf8'));
}

/** The draft with the signatures of one more key. @throws {NodeError} REFUSED for a key that is of neither root. */
export function signDraft(draft: RootDraft, signer: KeyedSigner, modules: Primitives): RootDraft {
  if (publicKeyOf(draft, signer.keyId, modules) === undefined)
    throw new NodeError('REFUSED', `the key ${signer.keyId} is none of those that sign this draft`, {
      hint: 'Nothing was signed. See with `entente root show` whose signatures it needs.',
    });
  const origin = trustLogOrigin(draft.region, draft.network);
  const signed = draft.statements.map((one) => {
    const signature = signer.sign(statementMessage(origin, one.body));
    return { ...one, signatures: united(one.signatures, [{ keyId: signer.keyId, signature }]) };
  });
  return { ...draft, statements: signed };
}

/** One draft with the signatures of all. @throws {NodeError} DRAFT_INVALID unless all say the same. */
export function mergeDrafts(drafts: readonly RootDraft[], modules: Primitives): RootDraft {
  const [first, ...others] = drafts;
  if (first === undefined) throw new RangeError('there is nothing to merge');
  const digest = hexOf(digestOfDraft(first, modules));
  for (const other of others) {
    const isSame = hexOf(digestOfDraft(other, modules)) === digest && isSameBoard(first.board, other.board);
    if (!isSame) throw invalid('they do not say the same');
  }
  return {
    ...first,
    statements: first.statements.map((one, i) => ({
      ...one,
      signatures: united(...drafts.map(({ statements }) => statements[i]?.signatures ?? [])),
    })),
  };
}

/** Who has signed all of it, and how many are missing: of the root in force, and of the new one where the draft names one. */
export function standingOf(draft: RootDraft, { sha256 }: Pick<Primitives, 'sha256'>): BoardStanding[] {
  return boardsOf(draft).map((board, i) => {
    const keys = board.keys.map((key) => {
      const keyId = keyIdOf(sha256, key);
      const hasSigned = draft.statements.every(({ signatures }) =>
        signatures.some((one) => one.keyId === keyId),
      );
      return { keyId, hasSigned };
    });
    const count = keys.filter(({ hasSigned }) => hasSigned).length;
    const { threshold } = board;
    return { isNew: i > 0, threshold, keys, missing: Math.max(0, threshold - count) };
  });
}

/** The entries to log. @throws {NodeError} DRAFT_INCOMPLETE while signatures are missing. */
export function entriesOf(draft: RootDraft, modules: Pick<Primitives, 'sha256'>): Uint8Array[] {
  const standing = standingOf(draft, modules);
  const missing = standing.reduce((sum, board) => sum + board.missing, 0);
  if (missing > 0)
    throw new NodeError('DRAFT_INCOMPLETE', `${missing} of the signatures that it needs are missing`, {
      hint: 'See with `entente root show` whose, and let them sign with `entente root sign`.',
    });
  return draft.statements.map(({ body, signatures }) => encodeEntry(body, signatures));
}

/** The root in force, and the one that a draft names: both have to sign that. */
function boardsOf({ board, statements }: RootDraft): Board[] {
  const [one] = statements;
  return one?.statement.kind === 'root' ? [board, one.statement] : [board];
}

function requireGood(draft: RootDraft, modules: Primitives): void {
  const { region, network, statements } = draft;
  const origin = trustLogOrigin(region, network);
  if (statements.length > 1 && statements.some(({ statement }) => statement.kind === 'root'))
    throw invalid('a new root stands alone');
  requireFewIndexes(statements);
  for (const { body, signatures } of statements) {
    const message = statementMessage(origin, body);
    signatures.forEach(({ keyId, signature }, i) => {
      if (i > 0 && (signatures[i - 1] as StatementSignature).keyId >= keyId)
        throw invalid('its signatures do not stand in order');
      const publicKey = publicKeyOf(draft, keyId, modules);
      if (publicKey === undefined) throw invalid(`the key ${keyId} is none of those that sign it`);
      if (!modules.verifySignature({ publicKey, message, signature }))
        throw invalid(`a signature of the key ${keyId} is not good`);
    });
  }
}

/** @throws {ProtocolError} REVOCATION_MALFORMED for bytes that are no set. */
function requireFewIndexes(statements: readonly DraftedStatement[]): void {
  let count = 0;
  for (const { statement } of statements) {
    if (statement.kind === 'revocation') count += decodeIndexSet(statement.set).length;
    if (count > INDEXES_MAX)
      throw invalid(
        `its revocations name more than ${INDEXES_MAX} indexes together`,
        undefined,
        'Make several.',
      );
  }
}

function publicKeyOf(
  draft: RootDraft,
  keyId: string,
  { sha256 }: Pick<Primitives, 'sha256'>,
): Uint8Array | undefined {
  return boardsOf(draft)
    .flatMap(({ keys }) => keys)
    .find((key) => keyIdOf(sha256, key) === keyId);
}

function united(...lists: readonly (readonly StatementSignature[])[]): StatementSignature[] {
  const byKey = new Map(lists.flat().map((one) => [one.keyId, one]));
  return [...byKey.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

function isSameBoard(a: Board, b: Board): boolean {
  const isSameKeys =
    a.keys.length === b.keys.length && a.keys.every((key, i) => equalBytes(key, b.keys[i] ?? key));
  return a.threshold === b.threshold && isSameKeys;
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof StrictJsonError) throw invalid(`it ${error.message}`, error);
    throw invalid('it is no text', error);
  }
}

const MAKE_AGAIN = 'Let it be made again with --draft, and carry it whole.';

function invalid(what: string, cause?: unknown, hint = MAKE_AGAIN): NodeError {
  return new NodeError('DRAFT_INVALID', `this is no draft for the root: ${what}`, { cause, hint });
}
