/** What the entries of a trust log that name keys or give them up say, where nothing else of the log is folded and little hangs on it. Spec: SPEC.md 8.3. */
import { isProtocolError } from '../../protocol/fault.ts';
import { applyStatement } from '../../protocol/trust/effect.ts';
import { type StateDraft } from '../../protocol/trust/state-draft.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustModules, verifyStatement } from '../../protocol/trust/verify-statement.ts';

export interface NamingPlace {
  /** Of the entry, in the whole log. */
  readonly index: number;
  /** Of what was taken before: it forgets nothing. */
  readonly draft: StateDraft;
  /** The root that the log has at a size. */
  readonly rootAt: (size: number) => Promise<Uint8Array>;
}

/**
 * Takes an entry with the effect that it has in a fold of the whole log, but for what that has forgotten by then: of keys that were forgotten and of those
 * that were named anew a `WholeFold` says otherwise. A compromise is held against the tree: the region can log one that names another, of a key that it goes on using.
 * Rejects as `rootAt`.
 */
export async function takeNaming(
  bytes: Uint8Array,
  { index, draft, rootAt }: NamingPlace,
  modules: TrustModules,
): Promise<void> {
  try {
    const { statement } = parseEntry(bytes);
    const { kind } = statement;
    if (kind !== 'root' && kind !== 'keys' && kind !== 'compromise') return;
    const size = cutOffOf(statement);
    const root = size === undefined || size > index ? undefined : await rootAt(size);
    const place = { index, draft, isVoided: () => false, rootAt: root && (() => root) };
    applyStatement(verifyStatement(bytes, place, modules), draft, modules.sha256);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
  }
}

/** The size at which a compromise cuts the trust log off. */
function cutOffOf(statement: Statement): number | undefined {
  if (statement.kind !== 'compromise') return undefined;
  return statement.cutoffs.find(({ log }) => log === 'trust')?.size;
}
