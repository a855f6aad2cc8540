/** The thread in which libp2p runs. Whatever throws here without being caught ends this thread, and nothing else. */
import { parentPort, workerData } from 'node:worker_threads';
import { type StreamingNetwork } from '../../ports.ts';
import { Libp2pHost } from '../host/libp2p-host.ts';
import { BEAT, BEATS_PER_STATUS, GOSSIP_QUEUES } from '../network-limits.ts';
import { isStreamed, PROTOCOLS } from '../protocols.ts';
import { type Call, Channel, onlyChunk } from './channel.ts';
import { toPlainError } from './plain-error.ts';
import { type FromWorker, type ToWorker, VERDICTS, type WorkerData } from './worker-messages.ts';

if (parentPort === null) throw new TypeError('this module runs in a worker thread');
const port = parentPort;

let host: Libp2pHost | undefined;

const channel = new Channel(port, {
  answer: (call, bytes, signal) => answer(call, bytes, signal),
  told: (value) => hear(value as ToWorker),
});

function tell(message: FromWorker): void {
  channel.tell(message);
}

async function* answer(
  { kind, name, peer }: Call,
  bytes: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const network = running();
  if (kind === 'request') yield await network.request(peer, name, bytes, signal);
  else if (kind === 'stream') yield* network.stream(peer, name, bytes, signal);
  else await network.send(name, bytes);
}

function hear(message: ToWorker): void {
  if (message.kind === 'admit') host?.admit(new Map(message.admissions));
  else if (message.kind === 'heads' && host !== undefined) host.heads = message.heads;
  else if (message.kind === 'stop') void host?.stop().finally(end);
}

/** Timers that libp2p leaves behind would keep the thread. In a thread this ends nothing else. */
function end(): void {
  process.exit();
}

function running(): Libp2pHost {
  if (host === undefined) throw new TypeError('the host does not run yet');
  return host;
}

/** What other nodes ask and tell goes to the node's thread. */
function forward(network: StreamingNetwork): void {
  for (const name of PROTOCOLS) {
    if (isStreamed(name)) {
      network.handleStream(name, (peer, request, signal) =>
        channel.call({ kind: 'stream', name, peer }, request, signal),
      );
    } else {
      network.handle(name, (peer, request, signal) =>
        onlyChunk(channel.call({ kind: 'request', name, peer }, request, signal)),
      );
    }
  }
  for (const { topic: name } of GOSSIP_QUEUES) {
    network.subscribe(name, async (peer, message) => {
      const never = new AbortController().signal;
      const [verdict = 1] = await onlyChunk(channel.call({ kind: 'gossip', name, peer }, message, never));
      return VERDICTS[verdict] ?? 'ignore';
    });
  }
}

try {
  const started = await Libp2pHost.start(workerData as WorkerData, {
    clock: { nowMs: () => Date.now() },
    random: () => Math.random(),
  });
  forward(started);
  started.onConnect((peer) => tell({ kind: 'connected', peer }));
  let left = 0;
  started.onPeers(() => {
    tell({ kind: 'peers', peers: started.peers() });
    left = 0;
  });
  host = started;
  const beat = (): void => {
    left = left > 0 ? left - 1 : BEATS_PER_STATUS - 1;
    tell(left < BEATS_PER_STATUS - 1 ? { kind: 'beat' } : { kind: 'status', status: started.status });
  };
  beat();
  setInterval(beat, BEAT.everyMs).unref();
} catch (error) {
  tell({ kind: 'failed', error: toPlainError(error) });
  setImmediate(end);
}
