/**
 * What the root of a trust log says of its branches, apart from the log: the statements that name and give up checkpoint keys. Nobody but the
 * root can make them, so whoever shows them has something to show before a whole log is read. Spec: SPEC.md 8.5, 14.5.1.
 */
import { isProtocolError } from '../fault.ts';
import { hexOf } from '../bytes.ts';
import { NAMING_BYTES_MAX, NAMING_STATEMENTS_MAX } from '../limits.ts';
import { type Sha256 } from '../primitives.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { applyStatement } from './effect.ts';
import { StateDraft } from './state-draft.ts';
import { type Entry } from './statement.ts';
import { type Statement } from './statement-schema.ts';
import { type TrustState } from './trust-state.ts';
import { type TrustModules, verifyStatement } from './verify-statement.ts';

/** An entry of a trust log, and where it stands. */
export interface LoggedStatement {
  readonly index: number;
  readonly entry: Uint8Array;
}

/**
 * Of the entries of a log those that say which of its branches goes on: roots, compromises with a cut-off for `trust`, and what names the keys of those
 * and of `isSigner`. Ascending by index; none if nothing is given up. Where they are too many, the newest compromises and their keys are left out last.
 */
export function namingStatements(
  entries: Iterable<{ readonly index: number; readonly entry: Entry }>,
  isSigner: (publicKey: Uint8Array) => boolean,
  sha256: Sha256,
  givenUpBy: (statement: Statement) => string | undefined = givenUpWithCutOff,
): LoggedStatement[] {
  const all = [...entries];
  const givenUp = new Set(all.flatMap(({ entry: { statement } }) => givenUpBy(statement) ?? []));
  if (givenUp.size === 0) return [];
  const isWanted = ({ entry: { statement } }: (typeof all)[number]) => {
    if (statement.kind === 'root') return true;
    if (statement.kind === 'compromise') return givenUpBy(statement) !== undefined;
    if (statement.kind !== 'keys') return false;
    return statement.keys.some(({ key }) => isSigner(key) || givenUp.has(keyIdOf(sha256, key)));
  };
  const rank = ({ entry: { statement } }: (typeof all)[number]) => RANKS.indexOf(statement.kind);
  const byRank = all
    .filter(isWanted)
    .sort((one, other) => rank(one) - rank(other) || other.index - one.index);
  let bytes = 0;
  const few = byRank.filter(({ entry }, place) => {
    bytes += entry.bytes.length;
    return place < NAMING_STATEMENTS_MAX && bytes <= NAMING_BYTES_MAX;
  });
  return few
    .sort((one, other) => one.index - other.index)
    .map(({ index, entry }) => ({ index, entry: entry.bytes }));
}

/**
 * The state that such statements lead to by themselves, in the order in which they come. That a cut-off has a root of their log is not checked, and
 * what has no effect is passed over: what is in the state, the root has signed.
 */
export function readNaming(
  names: { readonly region: string; readonly network: string },
  statements: readonly LoggedStatement[],
  modules: TrustModules,
): TrustState {
  return readNamingSince(names, statements, 1, modules).state;
}

/**
 * The same, and `before`: as it was when the root of version `since` came into force, undefined where it did not. Nothing says where in the log
 * a statement stands, so that whoever held an earlier root can have said of that time what no log has.
 */
export function readNamingSince(
  names: { readonly region: string; readonly network: string },
  statements: readonly LoggedStatement[],
  since: number,
  modules: TrustModules,
): { readonly state: TrustState; readonly before: TrustState | undefined } {
  const draft = new StateDraft(names, modules.sha256);
  let before: TrustState | undefined;
  for (const { index, entry } of statements) {
    try {
      const place = { index, draft, isVoided: () => false, rootAt: undefined };
      const slot = verifyStatement(entry, place, modules);
      if (RANKS.includes(slot.entry.statement.kind)) applyStatement(slot, draft, modules.sha256);
      if (draft.root?.version === since) before ??= draft.fork();
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
  return { state: draft.fork(), before };
}

const RANKS: readonly Statement['kind'][] = ['root', 'keys', 'compromise'];

function givenUpWithCutOff(statement: Statement): string | undefined {
  if (statement.kind !== 'compromise' || !statement.cutoffs.some(({ log }) => log === 'trust'))
    return undefined;
  return hexOf(statement.key);
}
