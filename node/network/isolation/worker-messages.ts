/** What the two threads tell each other besides calls. Plain data. */
import { type Admission } from '../admissions.ts';
import { type HelloHead } from '../hello.ts';
import { type HostStatus } from '../host-status.ts';
import { type HostOptions } from '../host/libp2p-host.ts';
import { type GossipVerdict } from '../../ports.ts';
import { type PlainError } from './plain-error.ts';

/** What the thread starts with. */
export type WorkerData = HostOptions;

export type ToWorker =
  | { readonly kind: 'admit'; readonly admissions: readonly (readonly [string, Admission])[] }
  | { readonly kind: 'heads'; readonly heads: readonly HelloHead[] }
  | { readonly kind: 'stop' };

export type FromWorker =
  /** Listening, and a sign of life. */
  | { readonly kind: 'status'; readonly status: HostStatus }
  | { readonly kind: 'beat' }
  | { readonly kind: 'connected'; readonly peer: string }
  | { readonly kind: 'peers'; readonly peers: readonly string[] }
  /** It could not listen, and ends. */
  | { readonly kind: 'failed'; readonly error: PlainError };

export const VERDICTS: readonly GossipVerdict[] = ['accept', 'ignore', 'reject'];
