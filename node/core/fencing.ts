/** Putting together what lets a node write where witnesses fence that. */
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { NodeError } from '../node-error.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Writership, type WritershipModules } from '../writer/writership.ts';
import { type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { recognisedDirectly } from './own-logs-check.ts';

export interface FencingModules extends RegionNodeModules, Pick<WritershipModules, 'client'> {
  readonly keeper: (region: string) => TrustKeeper | undefined;
}

/** Undefined for a region whose node is the only one that ever writes. */
export function writershipFor(options: RegionNodeOptions, modules: FencingModules): Writership | undefined {
  return options.fenced === undefined ? undefined : writershipOf(options, options.fenced.identity, modules);
}

/**
 * For a node that nobody fences: a copy of a region from before its writer was fenced must not sign beside it.
 * @throws {NodeError} LOG_FENCED if any witness knows of a writer.
 */
export async function requireUnfenced(options: RegionNodeOptions, modules: FencingModules): Promise<void> {
  if (
    options.isFenceIgnored === true ||
    !(await writershipOf(options, new Uint8Array(32), modules).isClaimed())
  )
    return;
  throw new NodeError(
    'LOG_FENCED',
    'witnesses fence the writer of this region, and the config here does not say so',
    {
      fatal: true,
      hint: 'Set `writer.fenced: true` in entente.yaml and start it again: then it follows whoever writes.',
    },
  );
}

function writershipOf(
  { region, network }: RegionNodeOptions,
  writer: Uint8Array,
  { keeper, ...modules }: FencingModules,
): Writership {
  const origin = trustLogOrigin(region, network);
  return new Writership(
    { origin, writer },
    {
      ...modules,
      witnesses: () => recognisedDirectly(keeper(region)?.state),
      checkpointKey: modules.keys.checkpoint,
      keys: () => {
        const state = keeper(region)?.state;
        return state === undefined ? [] : logVerifierKeys(modules.sha256, state, origin);
      },
    },
  );
}
