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

/** Every root, and the statements that name a wanted key, as far as they have effect. Rejects as `entries`. */
export async function groundStatements(
  { region, network }: { readonly region: string; readonly network: string },
  entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isWanted: (publicKey: Uint8Array) => boolean,
  modules: TrustModules,
): Promise<GroundStatements> {
  const statements: Uint8Array[] = [];
  const fold = new TrustFold({ region, network }, modules);
  for await (const bytes of entries)
    if (isOfUse(bytes, isWanted) && fold.append(bytes) === undefined) statements.push(bytes);
  return { statements, state: fold.state };
}

function isOfUse(bytes: Uint8Array, isWanted: (publicKey: Uint8Array) => boolean): boolean {
  try {
    const { statement } = parseEntry(bytes);
    if (statement.kind === 'root') return true;
    return statement.kind === 'keys' && statement.keys.some(({ key }) => isWanted(key));
  } catch (error) {
    if (isProtocolError(error)) return false;
    throw error;
  }
}
