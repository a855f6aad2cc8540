/** The figures of a node for Prometheus. docs/operations.md lists them; a test holds the list against this file. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { type NodeStatus } from '../core/node-status.ts';
import { type UpdatesReport } from '../life/last-update.ts';
import { type NetworkStatus } from '../network/isolation/isolated-network.ts';
import { type Admission } from './admission.ts';
import { type Entrance } from './entrance.ts';

export interface MetricsModules {
  readonly status: () => NodeStatus;
  readonly admission: Admission;
  /** Absent where nobody is let in. */
  readonly entrance?: Pick<Entrance, 'unread' | 'overShare'>;
  /** Connections that were refused since the start. */
  readonly refused?: () => number;
  /** Connections given up since the start, because their answers were not taken. */
  readonly givenUp?: () => number;
  /** Of the home, once there is one: what of it will run out. */
  readonly home?: () => TrustState | undefined;
  readonly network?: (() => NetworkStatus) | undefined;
  /** Of the colours of people who declared. Must not reject. */
  readonly updates?: () => Promise<UpdatesReport>;
  /** Milliseconds of a clock that never steps; that of the process by default. */
  readonly nowMs?: () => number;
}

export interface MetricsText {
  /** Its content type. */
  readonly type: string;
  readonly body: string;
}

/** Milliseconds for which the figures are given again: to gather them is work, and anybody may ask. */
export const METRICS_KEPT_MS = 1_000;

/** Seconds. The goal for verdicts is 0.05. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Milliseconds between two looks at how late the event loop is: by default a hundred a second, most of what an idle node did. */
const LOOP_SAMPLE_MS = 200;

const KEY_ROLES = ['attest', 'checkpoint', 'trust-log', 'witness'] as const;

/** Sets gauges from the status of the moment. */
type Reader = (status: NodeStatus) => void;

export class Metrics {
  readonly registry = new Registry();
  readonly #modules: MetricsModules;
  readonly #readers: Reader[] = [];
  readonly #requests: Counter<'work' | 'status'>;
  readonly #seconds: Histogram<'work'>;
  #made: Promise<MetricsText> | undefined;
  #madeMs = 0;
  #updates: UpdatesReport | undefined;
  #asking: Promise<void> | undefined;

  constructor(modules: MetricsModules) {
    this.#modules = modules;
    const registers = [this.registry];
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'entente_',
      eventLoopMonitoringPrecision: LOOP_SAMPLE_MS,
    });
    this.#requests = new Counter({
      name: 'entente_http_requests_total',
      help: 'Requests answered, by kind of work and status; those turned away too, and those whose client did not wait',
      labelNames: ['work', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'entente_http_request_seconds',
      help: 'Seconds from the head of a request to the end of its answer, by kind of work',
      labelNames: ['work'],
      buckets: BUCKETS,
      registers,
    });
    this.#addLoad();
    this.#addNode();
    this.#addDates();
    this.#addNetwork();
    this.#addLookup();
    this.#addUpdates();
  }

  observe(work: string, status: number, seconds: number): void {
    this.#requests.inc({ work, status });
    this.#seconds.observe({ work }, seconds);
  }

  /** Counts a request that was turned away: of the time that others take it says nothing. */
  refuse(work: string): void {
    this.#requests.inc({ work, status: 503 });
  }

  /** Counts a request whose client went away before its answer began: that took no time that says anything. */
  leave(work: string): void {
    this.#requests.inc({ work, status: 'gone' });
  }

  /** The text format, of the last second however many ask. */
  text(): Promise<MetricsText> {
    const { nowMs = () => performance.now() } = this.#modules;
    const atMs = nowMs();
    if (this.#made === undefined || atMs - this.#madeMs >= METRICS_KEPT_MS) {
      this.#made = this.#make();
      this.#madeMs = atMs;
    }
    return this.#made;
  }

  async #make(): Promise<MetricsText> {
    const status = this.#modules.status();
    this.#asking ??= this.#askUpdates();
    for (const read of this.#readers) read(status);
    return { type: this.registry.contentType, body: await this.registry.metrics() };
  }

  #addLoad(): void {
    const { admission, entrance, refused, givenUp } = this.#modules;
    this.#gauge('entente_http_in_flight', 'Requests in hand', () => admission.inFlight);
    this.#gauge(
      'entente_http_loop_delay_seconds',
      'Lateness of the event loop',
      () => admission.delayMs / 1000,
    );
    this.#gauges('entente_http_shed_total', 'Requests turned away under load', 'work', () => admission.shed);
    if (entrance !== undefined) {
      this.#gauge('entente_http_unread', 'Answers not taken yet', () => entrance.unread);
      this.#gauge(
        'entente_http_over_share_total',
        'Requests turned away since their address had its share under way',
        () => entrance.overShare,
      );
    }
    if (givenUp !== undefined) {
      this.#gauge('entente_http_given_up_total', 'Connections whose answers were not taken', givenUp);
    }
    if (refused !== undefined) {
      this.#gauge('entente_http_connections_refused_total', 'Connections beyond the limits', refused);
    }
  }

  #addNode(): void {
    this.#gauge('entente_writing', '1 if the node signs', ({ writing }) => Number(writing === 'writing'));
    this.#gauge(
      'entente_clock_ahead_seconds',
      'By how much the clock is ahead of those of other regions, in the middle',
      ({ clock }) => clock.aheadS ?? NaN,
    );
    this.#gauge('entente_store_serving', '1 if the store reads and writes', ({ store }) =>
      Number(store === 'serving'),
    );
    this.#gauges('entente_verdicts_total', 'Verdicts by outcome', 'outcome', ({ verdicts }) => {
      const { pass, act, stop, undetermined } = verdicts;
      return { pass, act, stop, undetermined };
    });
    this.#gauge(
      'entente_proofs_fetched_total',
      'Leaf proofs fetched for verdicts',
      ({ verdicts }) => verdicts.proofsFetched,
    );
    this.#gauge(
      'entente_proofs_refused_total',
      'Leaf proofs not fetched since too many were under way',
      ({ verdicts }) => verdicts.proofsRefused,
    );
    this.#gauges(
      'entente_colours_changed',
      'Colours changed within the last hour, by what happened',
      'kind',
      ({ bulk }) => bulk.counts,
    );
    this.#gauges(
      'entente_colours_changed_day',
      'Colours changed within the last day, by what happened',
      'kind',
      ({ bulk }) => bulk.ofDay,
    );
    this.#gauge(
      'entente_bulk_alarms',
      'Alarms that many colours changed at once',
      ({ bulk }) => bulk.alarms.length,
    );
    this.#gauges('entente_log_entries', 'Entries of each log that is held', 'origin', ({ sizes }) => sizes);
    this.#gauges(
      'entente_log_witnessed_entries',
      'Entries of each own attestation log under the newest checkpoint for which a quorum vouches',
      'origin',
      ({ cosigning: { logs } }) => {
        const all = logs.filter(({ of }) => of > 0);
        return Object.fromEntries(all.map(({ origin, witnessed }) => [origin, witnessed?.size ?? 0]));
      },
    );
    this.#gauge(
      'entente_forked_logs',
      'Logs of which a fork is proven, by keys that count',
      ({ forked }) => forked.length,
    );
    this.#gauge(
      'entente_unlogged_codes',
      'Codes shown since the start that the log of their region does not have',
      ({ unlogged }) => Object.values(unlogged).reduce((sum, count) => sum + count, 0),
    );
    this.#gauge(
      'entente_closed_logs',
      'Logs that cannot be used now',
      ({ closed }) => Object.keys(closed).length,
    );
    this.#gauge(
      'entente_scrub_corrupt_total',
      'Values found damaged on the disk',
      ({ scrub }) => scrub.corrupt,
    );
    this.#gauge(
      'entente_scrub_healed_total',
      'Of them those that peers made good',
      ({ scrub }) => scrub.healed,
    );
    this.#gauge(
      'entente_gossip_dropped_total',
      'Messages dropped by a full queue',
      ({ sync }) => sync.dropped,
    );
    const byRegion =
      (figure: (report: NodeStatus['knowledge'][number]) => number | undefined) =>
      ({ knowledge }: NodeStatus) =>
        Object.fromEntries(knowledge.map((report) => [report.region, figure(report) ?? NaN]));
    this.#gauges(
      'entente_knowledge_age_seconds',
      'Since a quorum vouched for a region',
      'region',
      byRegion(({ ageS }) => ageS),
    );
    this.#gauges(
      'entente_issuer_silence_seconds',
      'Since a region last signed',
      'region',
      byRegion(({ silenceS }) => silenceS),
    );
    this.#gauges(
      'entente_witnesses_missing',
      'Cosignatures that a quorum lacks',
      'region',
      byRegion(({ witnesses: { counted, needed } }) => Math.max(0, needed - counted)),
    );
  }

  /** Unix times, so that what is left can be reckoned where the alerts are. */
  #addDates(): void {
    const { home } = this.#modules;
    if (home === undefined) return;
    this.#gauges('entente_keys_until_seconds', 'Until when the home has keys of a role', 'role', () => {
      const state = home();
      return Object.fromEntries(
        KEY_ROLES.map((role) => [role, state === undefined ? NaN : lastUntilS(state, role)]),
      );
    });
    this.#gauges('entente_rules_until_seconds', 'Until when rules of the home count', 'rules', () => {
      const all = [...(home()?.allRules() ?? [])];
      return Object.fromEntries(all.map(({ id, data }) => [id, Number(data['until'] ?? NaN)]));
    });
    this.#gauges(
      'entente_recognition_until_seconds',
      'Until when the home recognises a region',
      'region',
      () => {
        const recognitions = [...(home()?.recognitions() ?? [])];
        return Object.fromEntries(
          recognitions.flatMap((one) =>
            one.standing === 'withdrawn' ? [] : [[one.region, one.untilS] as const],
          ),
        );
      },
    );
    this.#gauges('entente_adapter_until_seconds', 'Until when the home announces an adapter', 'adapter', () =>
      Object.fromEntries(
        [...(home()?.adapters() ?? [])].flatMap(({ id, untilS, data }) =>
          // An empty one was taken back.
          Object.keys(data).length === 0 ? [] : [[id, untilS] as const],
        ),
      ),
    );
  }

  #addNetwork(): void {
    const { network } = this.#modules;
    if (network === undefined) return;
    this.#gauge('entente_network_up', '1 if the network of nodes runs', () =>
      Number(network().state === 'up'),
    );
    this.#gauge(
      'entente_network_restarts_total',
      'Starts of the thread of the network after the first',
      () => network().thread.restarts,
    );
    this.#gauge('entente_peers', 'Peers that are connected', () => network().host?.peers.length ?? 0);
    this.#gauge(
      'entente_peers_missing',
      'Peers that are dialled and do not answer',
      () => Object.keys(network().host?.missing ?? {}).length,
    );
    this.#gauges(
      'entente_peers_refused_total',
      'Connections of nodes that were refused or closed',
      'reason',
      () => network().host?.refused ?? {},
    );
    this.#gauge(
      'entente_peers_shut_out',
      'Peers that are shut out, since they broke the protocol again and again',
      () => (network().host?.conduct ?? []).filter(({ isShutOut }) => isShutOut).length,
    );
  }

  #addLookup(): void {
    this.#gauges(
      'entente_lookups_total',
      'Numbers looked up for verifiers, by what came of it',
      'result',
      ({ lookup }) => ({
        found: 0,
        unknown: 0,
        ...lookup.looked,
      }),
    );
    this.#gauges(
      'entente_lookup_answers_total',
      'Questions of other nodes and of this one about own numbers, by answer',
      'answer',
      ({ lookup }) => lookup.asked,
    );
    this.#gauge(
      'entente_lookup_table_age_seconds',
      'Since the table of today was so',
      ({ lookup }) => lookup.ageS ?? NaN,
    );
    this.#gauge(
      'entente_lookup_contradictions_total',
      'Heads that contradict another of their minute',
      ({ lookup }) => lookup.heads.contradicted,
    );
  }

  /** What it answers is told with the next figures: whatever it reads from may hang. Never rejects. */
  async #askUpdates(): Promise<void> {
    this.#updates = await this.#modules.updates?.();
    this.#asking = undefined;
  }

  #addUpdates(): void {
    if (this.#modules.updates === undefined) return;
    this.#gauge(
      'entente_colours_updated_seconds',
      'When the colours of all who declared were last updated',
      () => this.#updates?.lastAtS || NaN,
    );
    this.#gauge(
      'entente_colours_not_updated',
      '1 if the newest update of colours failed, or the next would',
      () => Number(this.#updates?.trouble !== undefined),
    );
    this.#gauges(
      'entente_people_damaged',
      'People whose colours stay as they are, since what is kept of them is damaged',
      'what',
      () => ({ dossier: this.#updates?.damaged?.length ?? 0, codes: this.#updates?.unread ?? 0 }),
    );
    this.#gauges('entente_list_as_of_seconds', 'Of what moment lists are that rules ask for', 'list', () =>
      Object.fromEntries((this.#updates?.lists ?? []).map(({ list, asOfS = 0 }) => [list, asOfS])),
    );
  }

  #gauge(name: string, help: string, figure: (status: NodeStatus) => number): void {
    const gauge = new Gauge({ name, help, registers: [this.registry] });
    this.#readers.push((status) => gauge.set(figure(status)));
  }

  #gauges(
    name: string,
    help: string,
    label: string,
    figures: (status: NodeStatus) => Readonly<Record<string, number>>,
  ): void {
    const gauge = new Gauge({ name, help, labelNames: [label], registers: [this.registry] });
    this.#readers.push((status) => {
      // A log or region that is gone has no figure any more.
      gauge.reset();
      for (const [value, figure] of Object.entries(figures(status))) gauge.set({ [label]: value }, figure);
    });
  }
}

function lastUntilS(state: TrustState, role: (typeof KEY_ROLES)[number]): number {
  const keys = [...state.keysWithRole(role)].filter(({ compromise }) => compromise === undefined);
  return Math.max(...keys.map(({ untilS }) => untilS), 0);
}
