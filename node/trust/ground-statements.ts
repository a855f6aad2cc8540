/** The statements of a trust log that say whose keys signed something: what evidence brings with it. Spec: SPEC.md 18.2. */
import { isProtocolError } from '../../protocol/fault.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';

export interface GroundStatements {
  readonly statements: Uint8Array[];
  /** What they lead to by themselves. */
  readonly state: TrustState;
}

/**
 * The statements that name a wanted key, and the roots up to the last of them, the first in any case, as far as they have effect: none that says nothing of
 * these keys, since evidence takes few. Rejects as `entries`.
 */
export async function groundStatements(
  { region, network }: { readonly region: string; readonly network: string },
  entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isWanted: (publicKey: Uint8Array) => boolean,
  modules: TrustModules,
): Promise<GroundStatements> {
  const statements: Uint8Array[] = [];
  const fold = new TrustFold({ region, network }, modules);
  let { state } = fold;
  let pending: Uint8Array[] = [];
  for await (const bytes of entries) {
    const kind = kindOfUse(bytes, isWanted);
    if (kind === undefined || fold.append(bytes) !== undefined) continue;
    pending.push(bytes);
    if (kind === 'root' && statements.length > 0) continue;
    statements.push(...pending);
    pending = [];
    ({ state } = fold);
  }
  return { statements, state };
}

function kindOfUse(
  bytes: Uint8Array,
  isWanted: (publicKey: Uint8Array) => boolean,
): 'root' | 'keys' | undefined {
  try {
    const { statement } = parseEntry(bytes);
    if (statement.kind === 'root') return 'root';
    return statement.kind === 'keys' && statement.keys.some(({ key }) => isWanted(key)) ? 'keys' : undefined;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
