/** Evidence that a region signed two tables of numbers for one minute, with the statements that name its keys. Spec: SPEC.md 18. */
import { equalBytes } from '../../protocol/bytes.ts';
import { encodeEvidenceIfTaken } from '../../protocol/evidence/evidence.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { minuteOf, openLookupHead } from '../../protocol/lookup/head.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type EvidenceBook } from '../evidence/evidence-book.ts';
import { type LogTree } from '../log/log-tree.ts';
import { groundStatements } from '../trust/ground-statements.ts';

export interface TableEvidenceModules extends TrustModules {
  readonly logs: () => ReadonlyMap<string, { readonly tree: Pick<LogTree, 'head' | 'size' | 'reader'> }>;
  readonly evidence: Pick<EvidenceBook, 'hasRoomFor'>;
}

/**
 * A file that anybody verifies; undefined where the book has no room for it, before the trust log is read, where that is not followed or not held from
 * its first root on, and where the file would be larger than any reader takes. Rejects as reading the trust log.
 */
export async function evidenceOfTables(
  place: { readonly region: string; readonly network: string },
  heads: readonly [Uint8Array, Uint8Array],
  modules: TableEvidenceModules,
): Promise<Uint8Array | undefined> {
  const { region, network } = place;
  const origin = trustLogOrigin(region, network);
  const tree = modules.logs().get(origin)?.tree;
  if (tree === undefined || tree.head.minimum > 0) return undefined;
  const opened = heads.map((bytes) => openLookupHead(bytes, modules));
  const isToTake = opened.every(({ head }) =>
    modules.evidence.hasRoomFor({ kind: 'tables', region, origin, at: minuteOf(head) }),
  );
  if (!isToTake) return undefined;
  const signers = opened.map(({ publicKey }) => publicKey);
  const hasSigned = (publicKey: Uint8Array) => signers.some((one) => equalBytes(one, publicKey));
  const entries = tree.reader.entries(0, tree.size);
  const { statements } = await groundStatements(place, entries, hasSigned, modules);
  return encodeEvidenceIfTaken({ kind: 'tables', grounds: [statements], heads: [...heads] });
}
