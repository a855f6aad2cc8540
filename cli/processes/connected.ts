/** Whether the nodes of regions that run on this machine are connected with each other, as they say themselves. */
import { z } from 'zod';
import { DIAL_TROUBLES, type DialTrouble } from '../../node/network/host/dial-trouble.ts';
import { systemClock } from '../../node/system-clock.ts';
import { adminOf } from '../desk/admin-of.ts';

export interface Place {
  readonly region: string;
  /** The region's directory. */
  readonly path: string;
}

/** Two regions that recognise each other, and the first's node has no connection with the second's. */
export interface Unconnected {
  readonly region: string;
  readonly peer: string;
  readonly why: string;
}

export interface WaitOptions {
  /** Milliseconds. */
  readonly msMax: number;
  readonly signal?: AbortSignal;
}

/** They look for each other every second. */
export const MEET_MS_MAX = 45_000;
const LOOK_MS = 100;

const statusSchema = z.looseObject({
  regions: z.array(z.looseObject({ region: z.string(), standing: z.string() })),
  peers: z.array(z.looseObject({ region: z.string() })),
  missing: z.record(z.string(), z.looseObject({ region: z.string(), trouble: z.string().optional() })),
});
type Status = z.infer<typeof statusSchema>;

/** Resolves once all are connected that recognise each other, or the time is over: with those that are not. */
export async function whenConnected(
  places: readonly Place[],
  { msMax, signal = new AbortController().signal }: WaitOptions,
): Promise<readonly Unconnected[]> {
  const endMs = performance.now() + msMax;
  for (;;) {
    const missing = await unconnected(places);
    if (missing.length === 0 || performance.now() > endMs || signal.aborted) return missing;
    await systemClock.wait(LOOK_MS, signal).catch(() => undefined);
  }
}

async function unconnected(places: readonly Place[]): Promise<Unconnected[]> {
  const statuses = new Map(
    await Promise.all(places.map(async ({ region, path }) => [region, await statusOf(path)] as const)),
  );
  return places.flatMap(({ region }) => {
    const own = statuses.get(region);
    return places
      .filter(({ region: peer }) => peer !== region && isMutual(region, peer, statuses))
      .filter(({ region: peer }) => own?.peers.some((one) => one.region === peer) !== true)
      .map(({ region: peer }) => ({ region, peer, why: reasonOf(own, peer) }));
  });
}

function isMutual(a: string, b: string, statuses: ReadonlyMap<string, Status | undefined>): boolean {
  return recognises(statuses.get(a), b) && recognises(statuses.get(b), a);
}

/** A node that does not answer may. */
function recognises(status: Status | undefined, other: string): boolean {
  return (
    status?.regions.some(({ region, standing }) => region === other && standing === 'recognised') !== false
  );
}

async function statusOf(path: string): Promise<Status | undefined> {
  try {
    const admin = await adminOf(path, {});
    return statusSchema.parse(await admin.ask({ method: 'GET', path: '/v1/status' }));
  } catch {
    return undefined;
  }
}

function reasonOf(status: Status | undefined, peer: string): string {
  if (status === undefined) return 'its own node does not answer';
  const dialled = Object.values(status.missing).find(({ region }) => region === peer);
  if (dialled === undefined) return 'it knows no address of it';
  return DIAL_TROUBLES[dialled.trouble as DialTrouble] ?? 'it is being dialled';
}
