/** Putting together what lets a node write where witnesses fence that. */
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { logVerifierKeys } from '../trust/log-keys.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { Writership, type WritershipModules } from '../writer/writership.ts';
import { type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { recognisedDirectly } from './own-logs-check.ts';

export interface FencingModules extends RegionNodeModules, Pick<WritershipModules, 'client'> {
  /** Of the own trust log. */
  readonly home: () => TrustKeeper | undefined;
}

/** Undefined for a region whose node is the only one that ever writes. */
export function writershipFor(
  { region, network, fenced }: RegionNodeOptions,
  { home, ...modules }: FencingModules,
): Writership | undefined {
  if (fenced === undefined) return undefined;
  const origin = trustLogOrigin(region, network);
  return new Writership(
    { origin, writer: fenced.identity },
    {
      ...modules,
      witnesses: () => recognisedDirectly(home()?.state),
      checkpointKey: modules.keys.checkpoint,
      keys: () => {
        const state = home()?.state;
        return state === undefined ? [] : logVerifierKeys(modules.sha256, state, origin);
      },
    },
  );
}
