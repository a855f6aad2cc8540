/** Evidence that a region signed two tables of numbers for one minute, with the statements that name its keys. Spec: SPEC.md 18. */
import { equalBytes } from '../../protocol/bytes.ts';
import { encodeEvidence } from '../../protocol/evidence/evidence.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { openLookupHead } from '../../protocol/lookup/head.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type Followed } from '../sync/followed.ts';
import { groundStatements } from '../trust/ground-statements.ts';

export interface TableEvidenceModules extends TrustModules {
  readonly logs: () => ReadonlyMap<string, Followed>;
}

/** A file that anybody verifies; undefined where the region is not followed. Rejects as reading its trust log. */
export async function evidenceOfTables(
  place: { readonly region: string; readonly network: string },
  heads: readonly [Uint8Array, Uint8Array],
  modules: TableEvidenceModules,
): Promise<Uint8Array | undefined> {
  const tree = modules.logs().get(trustLogOrigin(place.region, place.network))?.tree;
  if (tree === undefined) return undefined;
  const signers = heads.map((bytes) => openLookupHead(bytes, modules).publicKey);
  const hasSigned = (publicKey: Uint8Array) => signers.some((one) => equalBytes(one, publicKey));
  const entries = tree.reader.entries(0, tree.size);
  const { statements } = await groundStatements(place, entries, hasSigned, modules);
  return encodeEvidence({ kind: 'tables', grounds: [statements], heads: [...heads] });
}
