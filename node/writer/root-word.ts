/** What a witness knows of the keys of a region that writes: by its trust log as it is held here, and by what the root has signed besides. */
import { equalBytes } from '../../protocol/bytes.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { continuesRoots } from '../../protocol/trust/branch.ts';
import { type LoggedStatement, readNamingSince } from '../../protocol/trust/naming.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type WriterBookModules } from './writer-book.ts';
import { type RootWord } from './writer-memory.ts';
import { type WriterServerModules } from './writer-server.ts';

export interface RootWordModules extends TrustModules {
  /** The trust state of a region that is followed. */
  readonly stateOf: (region: string) => TrustState | undefined;
}

export class RootWords implements Pick<WriterBookModules, 'isNamed'>, Pick<WriterServerModules, 'rootWord'> {
  readonly #modules: RootWordModules;

  constructor(modules: RootWordModules) {
    this.#modules = modules;
  }

  readonly isNamed = (origin: string, publicKey: Uint8Array): boolean => {
    const { stateOf, sha256 } = this.#modules;
    const key = stateOf(parseOrigin(origin).region)?.key(keyIdOf(sha256, publicKey));
    return key !== undefined && equalBytes(key.publicKey, publicKey);
  };

  /** By statements that have the roots which are known here, and of these what the latest or a later one has signed: who held a root that was replaced since says nothing. */
  readonly rootWord = (origin: string, statements: readonly LoggedStatement[]): RootWord | undefined => {
    const { region, network } = parseOrigin(origin);
    const held = this.#modules.stateOf(region);
    if (held === undefined) return undefined;
    const since = held.root?.version ?? 1;
    const { state, before } = readNamingSince({ region, network }, statements, since, this.#modules);
    return continuesRoots(state, held) && before !== undefined ? rootWordOf(state, before) : undefined;
  };
}

/** What a trust state says of the keys of its checkpoints, and did not say before. */
export function rootWordOf(state: TrustState, before?: TrustState): RootWord {
  const keys = state.keysWithRole('checkpoint').filter(({ keyId, compromise }) => {
    const known = before?.key(keyId);
    return known === undefined || known.compromise?.version !== compromise?.version;
  });
  const publicKeys = (isGivenUp: boolean) =>
    keys
      .filter(({ compromise }) => (compromise !== undefined) === isGivenUp)
      .map(({ publicKey }) => publicKey);
  return { givenUp: publicKeys(true), named: publicKeys(false) };
}
