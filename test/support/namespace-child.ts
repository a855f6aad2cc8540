/**
 * A host of the network as a process of its own: `<region> <address to listen at> [<region>=<address>]...`, the others being those that
 * it knows and dials. It says who is connected whenever that changes, and asks a peer when it is told to.
 */
import { Libp2pHost } from '../../node/network/host/libp2p-host.ts';
import { SYNC_PROTOCOL } from '../../node/sync/messages.ts';
import { hostOptions, peerOf } from './host-fixture.ts';

export type FromNode =
  | { readonly kind: 'peers'; readonly regions: readonly string[]; readonly dead: number }
  | { readonly kind: 'asked'; readonly answered: number };

export interface ToNode {
  readonly ask: string;
  readonly times: number;
}

const PING = { everyMs: 250, deadlineMs: 1_500 };
const ASK_MS_MAX = 8_000;

const [region = '', address = '', ...known] = process.argv.slice(2);
const tell = (message: FromNode) => process.send?.(message);
const host = await Libp2pHost.start(hostOptions(region, { listen: [address], ping: PING }), {
  clock: { nowMs: () => Date.now() },
  random: Math.random,
});
host.handle(SYNC_PROTOCOL, (_peer, bytes) => Promise.resolve(bytes));
host.onPeers(() => {
  const { peers, refused } = host.status;
  tell({ kind: 'peers', regions: peers.map((peer) => peer.region).sort(), dead: refused['dead'] ?? 0 });
});
const others = known.map((text) => text.split('=') as [string, string]);
host.admit(
  new Map(
    others.map(([other, at]) => [peerOf(other), { region: other, standing: 'recognised', addresses: [at] }]),
  ),
);
process.on('message', ({ ask, times }: ToNode) => {
  void Promise.allSettled(
    Array.from({ length: times }, (_, i) =>
      host.request(peerOf(ask), SYNC_PROTOCOL, Uint8Array.of(i), AbortSignal.timeout(ASK_MS_MAX)),
    ),
  ).then((results) =>
    tell({ kind: 'asked', answered: results.filter(({ status }) => status === 'fulfilled').length }),
  );
});
process.on('disconnect', () => process.exit());
