/**
 * Asks the peers of a region whose node does not run, in its name and for a few seconds: who lets it in, what time it is there, and
 * whether somebody knows more of its logs than its store does. Changes nothing anywhere.
 */
import { type Config } from '../../node/config/schema.ts';
import { DialledPeers } from '../../node/network/dialled-peers.ts';
import { namedPeers } from '../../node/network/named-peers.ts';
import { PeerDirectory } from '../../node/network/peer-directory.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type LogHeadMessage } from '../../node/sync/messages.ts';
import { PeerBook } from '../../node/sync/peer-book.ts';
import { SyncClient } from '../../node/sync/sync-client.ts';
import { claimedTimeOf } from '../../node/trust/line-places.ts';
import { logVerifierKeys } from '../../node/trust/log-keys.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { openCheckpoint, parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { SOFTWARE } from '../version.ts';
import { type PeerView } from './patient.ts';

export interface ProbeOptions {
  readonly config: Config;
  /** The secret of the node identity. */
  readonly identitySeed: Uint8Array;
  /** Entries of each own log in the store. */
  readonly sizes: Readonly<Record<string, number>>;
}

export interface ProbeModules extends RegionModules {
  readonly stateOf: (region: string) => TrustState | undefined;
}

/** Peers cosign their own log every 10 s: on average it is half as old. */
const BEAT_S = 10;

/** Of each region that is recognised. */
export async function probePeers(options: ProbeOptions, modules: ProbeModules): Promise<PeerView[]> {
  const { config, identitySeed } = options;
  const { region: home, network } = config;
  const { clock, stateOf } = modules;
  const directory = new PeerDirectory({ home, invited: namedPeers(config.peers) }, { clock, stateOf });
  const admissions = directory.admissions();
  const dialled = new DialledPeers({}, { clock });
  const client = new SyncClient({ network: dialled, clock, book: new PeerBook({ clock }) });
  try {
    await dialled.dial({ identitySeed, region: home, network, software: SOFTWARE }, admissions);
    const { connected, missing } = dialled;
    const heads = new Map(
      await Promise.all(
        connected.map(async ({ peer, region }) => {
          const answer = await client.ask(peer, { kind: 'heads' }).catch(() => undefined);
          return [region, answer?.heads ?? []] as const;
        }),
      ),
    );
    return recognisedBy(stateOf(home)).map((region) => ({
      region,
      connected: connected.find((one) => one.region === region),
      trouble: missing.find((one) => one.region === region)?.trouble,
      addresses: [...admissions.values()].flatMap((one) => (one.region === region ? one.addresses : [])),
      aheadS: aheadOf(region, heads.get(region) ?? [], network, clock.nowMs() / 1_000),
      knowsMore: moreIn(heads.get(region) ?? [], options, modules),
    }));
  } finally {
    client.stop();
    await dialled.stop();
  }
}

/** The regions that a region recognises, those included that it has suspended. */
export function recognisedBy(state: TrustState | undefined): string[] {
  return [...(state?.recognitions() ?? [])].flatMap(({ region, standing }) =>
    standing === 'withdrawn' ? [] : [region],
  );
}

/** By how much our clock is ahead of that of a region, by what it signed last about its own trust log. */
function aheadOf(
  region: string,
  heads: readonly LogHeadMessage[],
  network: string,
  nowS: number,
): number | undefined {
  const name = witnessName(region, network);
  for (const { note } of heads) {
    try {
      const { text, signatures } = parseNote(note);
      if (parseCheckpoint(text).origin !== trustLogOrigin(region, network)) continue;
      const times = signatures.filter((line) => line.name === name).map(claimedTimeOf);
      if (times.length > 0) return Math.round(nowS - Math.max(...times) - BEAT_S / 2);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
    }
  }
  return undefined;
}

/** A checkpoint with our own signature that is beyond what the store holds. */
function moreIn(
  heads: readonly LogHeadMessage[],
  { sizes, config }: ProbeOptions,
  { stateOf, sha256, verifySignature }: ProbeModules,
): PeerView['knowsMore'] {
  const state = stateOf(config.region);
  if (state === undefined) return undefined;
  for (const { note } of heads) {
    try {
      const { origin, size } = parseCheckpoint(parseNote(note).text);
      if (state.region !== config.region || !origin.startsWith(`${config.region}.${config.network}/`))
        continue;
      const held = sizes[origin] ?? 0;
      if (size <= held) continue;
      openCheckpoint(note, logVerifierKeys(sha256, state, origin), verifySignature);
      return { origin, size, held };
    } catch (error) {
      // What we did not sign binds us to nothing.
      if (!isProtocolError(error)) throw error;
    }
  }
  return undefined;
}
