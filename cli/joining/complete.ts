/** What follows once both operators have confirmed: the other region becomes a peer, and is recognised by the root. */
import { editConfig } from '../../node/config/config-file.ts';
import { type PeerConfig } from '../../node/config/schema.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { type Cli } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { withDesk } from '../desk/with-desk.ts';
import { termsOf } from '../recognition/terms.ts';
import { type RootOptions } from '../region.ts';
import { parseSpan, type SpanBounds } from '../times.ts';
import { type Answered } from './joining-node.ts';
import { type Awaited, awaitedFor, type QuorumOptions, requireQuorums, type Short } from './quorums.ts';

/** As with `entente recognise`. */
const HOLDS: SpanBounds = { from: '1s', to: '1825d' };

export interface CompleteOptions extends RootOptions, QuorumOptions {
  readonly for: string;
  readonly connectOnly?: true;
}

export interface Completed {
  readonly home: string;
  /** Until when it is recognised; absent where it is only connected. */
  readonly recognisedUntilS?: number;
  readonly witnesses?: Awaited;
}

/** Looked at before this side confirms. Rejects as `requireQuorums`. */
export async function requireQuorumsWith(
  cli: Cli,
  path: string,
  region: string,
  options: CompleteOptions,
): Promise<Short[]> {
  if (options.connectOnly === true) return [];
  return withDesk(
    cli,
    path,
    (desk, { nowS }) => requireQuorums({ region, way: 'direct' }, { desk, nowS: nowS() }, options),
    { reading: true, silent: true },
  );
}

/** Can be done again: what is there already stays. Rejects as `appendByRoot`. */
export async function complete(
  cli: Cli,
  path: string,
  { region, fingerprint, addresses }: Answered,
  options: CompleteOptions,
): Promise<Completed> {
  const span = parseSpan(options.for, HOLDS);
  return withDesk(
    cli,
    path,
    async (desk, modules) => {
      const layout = new RegionLayout(desk.layout.path);
      const { peers, region: home } = await readRegionConfig(layout);
      const isInvited = options.connectOnly === true && { invited: true, fingerprint };
      const value: PeerConfig = { ...peers[region], addresses, ...isInvited };
      await editConfig(layout.config, [{ at: ['peers', region], value }]);
      await desk.reload();
      if (options.connectOnly === true) return { home };
      const known = desk.state.recognition(region);
      const root = hexBytes(fingerprint);
      const from = modules.nowS();
      const witnesses = awaitedFor(region, desk, from);
      if (known?.standing === 'recognised' && equalBytes(known.fingerprint, root) && known.untilS > from)
        return { home, recognisedUntilS: known.untilS, witnesses };
      const until = from + span;
      const version = (known?.version ?? 0) + 1;
      const statement = { kind: 'recognition', region, version, fingerprint: root } as const;
      await appendByRoot(cli, desk, [{ ...statement, ...termsOf(known, {}), from, until }], options);
      return { home, recognisedUntilS: until, witnesses };
    },
    options,
  );
}
