/** What follows once both operators have confirmed: the other region becomes a peer, and is recognised by the root. */
import { editConfig } from '../../node/config/config-file.ts';
import { type PeerConfig } from '../../node/config/schema.ts';
import { readRegionConfig, RegionLayout } from '../../node/region/layout.ts';
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { type Cli } from '../cli.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { withDesk } from '../desk/with-desk.ts';
import {
  beginOf,
  changeText,
  platformText,
  requireTerms,
  type Terms,
  termsOf,
  type ToldTerms,
} from '../recognition/terms.ts';
import { usageError } from '../exit.ts';
import { type RootOptions } from '../region.ts';
import { parseSpan, type SpanBounds } from '../times.ts';
import { type Answered } from './joining-node.ts';
import { type Awaited, awaitedFor, type QuorumOptions, requireQuorums, type Short } from './quorums.ts';

/** As with `entente recognise`. */
const HOLDS: SpanBounds = { from: '1s', to: '1825d' };

export interface CompleteOptions extends RootOptions, QuorumOptions, Pick<ToldTerms, 'way' | 'via'> {
  readonly for: string;
  readonly connectOnly?: true;
}

/** All but `home` is absent where it is only connected. */
export interface Completed extends Partial<Terms> {
  readonly home: string;
  readonly recognisedFromS?: number;
  readonly recognisedUntilS?: number;
  readonly witnesses?: Awaited;
}

/** Looked at before this side confirms. Rejects as `termsOf`, `requireTerms` and `requireQuorums`. */
export async function requireRecognisable(
  cli: Cli,
  path: string,
  region: string,
  options: CompleteOptions,
): Promise<Short[]> {
  if (options.connectOnly === true) {
    if (options.way === undefined && options.via === undefined) return [];
    throw usageError('--way and --via say how it is recognised, and --connect-only recognises nobody');
  }
  return withDesk(
    cli,
    path,
    (desk, { nowS }) => {
      const terms = termsOf(desk.state.recognition(region), options);
      requireTerms(desk, terms);
      return requireQuorums({ region, way: terms.way }, { desk, nowS: nowS() }, options);
    },
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
      const nowS = modules.nowS();
      const from = beginOf(known, nowS);
      const witnesses = awaitedFor(region, desk, from);
      const terms = termsOf(known, options);
      const isAsTold = changeText(known, terms) === undefined;
      if (
        known?.standing === 'recognised' &&
        isAsTold &&
        equalBytes(known.fingerprint, root) &&
        known.untilS > nowS
      )
        return { home, ...terms, recognisedFromS: known.fromS, recognisedUntilS: known.untilS, witnesses };
      const until = from + span;
      const version = (known?.version ?? 0) + 1;
      const statement = { kind: 'recognition', region, version, fingerprint: root } as const;
      await appendByRoot(cli, desk, [{ ...statement, ...terms, from, until }], options);
      const platform = platformText(desk, region, terms);
      if (platform !== undefined) cli.output.note(platform);
      return { home, ...terms, recognisedFromS: from, recognisedUntilS: until, witnesses };
    },
    options,
  );
}
