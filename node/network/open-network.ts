/** Opening the network of a node. */
import { Worker } from 'node:worker_threads';
import { NodeError } from '../node-error.ts';
import { type Admissions } from './admissions.ts';
import { type HelloHead } from './hello.ts';
import { type HostOptions } from './host/libp2p-host.ts';
import { IsolatedNetwork } from './isolation/isolated-network.ts';
import { type Thread } from './isolation/supervisor.ts';
import { HEAP_MB } from './network-limits.ts';

export type NetworkOptions = HostOptions;

export interface NetworkModules {
  /** Who may connect now: asked every second, and at once after a restart. See `PeerDirectory`. Must not throw. */
  readonly admissions: () => Admissions;
  /** The logs that this node holds, for its hellos. None by default. */
  readonly heads?: () => readonly HelloHead[];
  /** Told of what goes wrong in the background, such as the death of the network's thread. Must not throw. */
  readonly onTrouble?: (error: unknown) => void;
  /** Another thread than the usual, for tests. */
  readonly spawn?: (options: HostOptions) => Thread;
}

/**
 * A libp2p node in a thread of its own, which listens when this resolves. Its `stop` ends the thread; `status` is plain data.
 * Handlers and topics that are set later hold across restarts of the thread.
 * @throws {NodeError} NETWORK_FAILED if it cannot listen.
 */
export async function openNetwork(
  options: NetworkOptions,
  modules: NetworkModules,
): Promise<IsolatedNetwork> {
  const { admissions, heads = () => [], onTrouble, spawn = spawnWorker } = modules;
  if (options.identitySeed.length !== 32) {
    throw new NodeError('KEY_FILE_INVALID', 'the secret of a node identity has 32 bytes');
  }
  const network = new IsolatedNetwork(options, { spawn, admissions, heads, onTrouble });
  await network.start();
  return network;
}

function spawnWorker(options: HostOptions): Thread {
  return new Worker(new URL('./isolation/network-worker.js', import.meta.url), {
    name: 'network',
    workerData: options,
    resourceLimits: HEAP_MB,
  });
}
