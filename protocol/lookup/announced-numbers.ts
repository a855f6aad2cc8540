/** Whose number a text may be, by the adapters of all regions that a verifier leans on. Spec: SPEC.md 21.6. */
import { utf8Bytes } from '../encoding/utf8.ts';
import { isProtocolError } from '../fault.ts';
import { isInForce } from '../foreign/claims.ts';
import { LOOKUP_NUMBER_BYTES_MAX } from '../limits.ts';
import { type LoggedAdapter, type TrustState } from '../trust/trust-state.ts';
import { isByAdapter, type Trust } from '../verdict/knowledge.ts';
import { isNumberText, isOpaque, type OpaqueAdapter, readOpaqueAdapter } from './opaque-adapter.ts';

/** A region that has announced numbers which begin as a text does. */
export interface NumberAnnouncer {
  readonly region: string;
  readonly adapter: OpaqueAdapter;
  /** Its codes come by its adapters here. */
  readonly isByAdapter: boolean;
}

/** What follows from a state that never changes: remembered for as long as it is. */
const adaptersOfStates = new WeakMap<TrustState, readonly OpaqueAdapter[]>();

/**
 * The regions that a number may be of, each by the adapter with the longest beginning: those alone whose codes come by their adapters
 * here; without one, the first of the others, and then of those whose recognition is withdrawn, so that a verdict can say why it is none.
 * The home first, whose numbers no others can crowd out, then those whose recognition is in force at `nowS`; of these the longest
 * beginning first, and of equal ones in the order of their ids. Only the first `LOOKUP_ANNOUNCERS_MAX` are to be asked.
 */
export function numberAnnouncers(trust: Trust, text: string, nowS: number): readonly NumberAnnouncer[] {
  if (!isNumberText(text) || !isOfBytes(text)) return [];
  const all = announcersAmong(
    [...trust.regions.values()].map(({ state }) => state),
    trust,
    text,
    nowS,
  );
  const byAdapter = all.filter((one) => one.isByAdapter);
  if (byAdapter.length > 0) return byAdapter;
  return (all.length > 0 ? all : announcersAmong(trust.withdrawn, trust, text, nowS)).slice(0, 1);
}

/** Whether any of these regions is one that the verifier leans on: who is withdrawn says what a text is only where nothing else does. */
export function areLeanedOn(trust: Trust, announcers: readonly NumberAnnouncer[]): boolean {
  return announcers.some(({ region }) => trust.regions.has(region));
}

function announcersAmong(
  states: readonly TrustState[],
  trust: Trust,
  text: string,
  nowS: number,
): NumberAnnouncer[] {
  const all = states.flatMap((state): NumberAnnouncer[] => {
    const [adapter] = opaqueAdapters(state)
      .filter(({ prefix }) => text.startsWith(prefix))
      .sort((a, b) => b.prefix.length - a.prefix.length);
    const { region } = state;
    return adapter === undefined ? [] : [{ region, adapter, isByAdapter: isByAdapter(trust, region) }];
  });
  const rankOf = ({ region }: NumberAnnouncer) =>
    Number(region !== trust.home) + Number(!isInForce(trust, region, nowS));
  return all.sort(
    (a, b) =>
      rankOf(a) - rankOf(b) ||
      b.adapter.prefix.length - a.adapter.prefix.length ||
      (a.region < b.region ? -1 : 1),
  );
}

/** Whether a text has 1 to 512 bytes of UTF-8. The first bound is on what is looked at. */
function isOfBytes(text: string): boolean {
  const { length } = text;
  if (length < 1 || length > LOOKUP_NUMBER_BYTES_MAX || /\p{Surrogate}/u.test(text)) return false;
  return utf8Bytes(text).length <= LOOKUP_NUMBER_BYTES_MAX;
}

/** The adapters of numbers that a region announces, in the order of their ids; one that is malformed announces nothing. */
export function opaqueAdapters(state: TrustState): readonly OpaqueAdapter[] {
  let adapters = adaptersOfStates.get(state);
  if (adapters === undefined) {
    adapters = [...state.adapters()]
      .filter(isOpaque)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .flatMap((logged) => adapterIn(logged) ?? []);
    adaptersOfStates.set(state, adapters);
  }
  return adapters;
}

function adapterIn(logged: LoggedAdapter): OpaqueAdapter | undefined {
  try {
    return readOpaqueAdapter(logged);
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
