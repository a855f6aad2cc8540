/** The public interface of a node (SPEC.md 15): it reads and judges, holds no secret, and turns away what is too much before it costs anything. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { KNOWLEDGE_AGE_ONLINE_S_MAX, SNAPSHOT_BYTES_MAX } from '../../protocol/limits.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Config } from '../config/schema.ts';
import { type RegionNode } from '../core/region-node.ts';
import { type Log } from '../logging/log.ts';
import { type Lookup } from '../lookup/lookup.ts';
import { type Verifiers } from '../lookup/verifiers.ts';
import { type NetworkStatus } from '../network/isolation/isolated-network.ts';
import { type Clock } from '../ports.ts';
import { type WitnessDesk } from '../witness/witness-desk.ts';
import { Admission, type Work } from './admission.ts';
import { Entrance, type Visit } from './entrance.ts';
import { exportRoutes } from './export-routes.ts';
import { type Health, healthOf } from './health.ts';
import { type JoiningDesk } from '../joining/joining-desk.ts';
import { publicJoiningRoutes } from './joining-routes.ts';
import { logRoutes } from './log-routes.ts';
import { publicLookupRoutes } from './lookup-routes.ts';
import { LongAnswers, SENDING_BYTES_MAX } from './long-answers.ts';
import { Metrics } from './metrics.ts';
import { regionRoutes } from './region-routes.ts';
import { Refusals } from './refusals.ts';
import { Replies } from './replies.ts';
import { appOf } from './routes.ts';
import { snapshotRoutes } from './snapshot-routes.ts';
import { Snapshots } from './snapshots.ts';
import { TlsFiles } from './tls-files.ts';
import { type VerifyModules, verifyRoutes } from './verify-routes.ts';
import { gateApp, isGatePath } from '../web/gate.ts';
import { GATE_PATH } from '../web/gate-page.ts';
import { watchRoutes } from './watch-routes.ts';
import { WebServer } from './web-server.ts';
import { witnessRoutes } from './witness-routes.ts';

export interface PublicServerOptions {
  readonly region: string;
  /** Paths of TLS files are taken as they are. */
  readonly http: Config['http'];
  readonly limits: Config['limits'];
}

export interface PublicServerModules {
  readonly node: Pick<RegionNode, 'verify' | 'trust' | 'status' | 'keeper' | 'log' | 'cosignedNote'> & {
    readonly life?: Pick<RegionNode['life'], 'updates'>;
  };
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly log: Log;
  /** Cosigns for whoever asks by HTTP, where the configuration lets it. */
  readonly witnessDesk?: Pick<WitnessDesk, 'replyTo'>;
  /** Takes answers to invitations; absent where there are none. */
  readonly joining?: Pick<JoiningDesk, 'take'>;
  /** Codes that are mere numbers; absent where none are looked up. */
  readonly lookup?: Pick<Lookup, 'head' | 'bucket'>;
  readonly verifiers?: Pick<Verifiers, 'nameOf'>;
  /** For the figures; absent where there is none. */
  readonly network?: () => NetworkStatus;
}

/** For a trust log whose checkpoint nobody may see yet. */
const NOT_SHOWN = new Uint8Array();

export class PublicServer {
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly entrance: Entrance;
  readonly longAnswers: LongAnswers;
  readonly #visits = new WeakMap<ServerResponse, Visit>();
  readonly #refusals = new Refusals();
  readonly #server: WebServer;
  readonly #health: () => Health;
  readonly #tls: TlsFiles | undefined;

  constructor({ region, http, limits }: PublicServerOptions, modules: PublicServerModules) {
    const { node, clock, sha256, log, witnessDesk, joining, lookup, verifiers } = modules;
    const { life } = node;
    this.admission = new Admission(limits);
    this.entrance = new Entrance(limits, { admission: this.admission });
    this.metrics = new Metrics({
      status: () => node.status,
      admission: this.admission,
      entrance: this.entrance,
      givenUp: () => this.#server.givenUp,
      refused: () => this.#server.refused + this.#refusals.cutOff,
      home: () => node.keeper(region)?.state,
      network: modules.network,
      ...(life !== undefined && { updates: () => life.updates() }),
    });
    this.#health = () =>
      healthOf(node.status, { home: region, knowledgeAgeSMax: KNOWLEDGE_AGE_ONLINE_S_MAX });
    const { corsOrigins, tls, address: host, port } = http;
    const clientBytesMax = Math.max(
      SNAPSHOT_BYTES_MAX,
      (SENDING_BYTES_MAX * limits.addressSharePercent) / 100,
    );
    this.longAnswers = new LongAnswers({ clientBytesMax });
    const replies = new Replies(
      { corsOrigins, isTls: tls !== undefined, hearer: 'public' },
      { log, longAnswers: this.longAnswers },
    );
    const trust = () => node.trust;
    const nowS = () => Math.floor(clock.nowMs() / 1000);
    const keeper = (of: string) => node.keeper(of);
    const verify: VerifyModules['verify'] = (text, context, verifier) => node.verify(text, context, verifier);
    const gate = gateApp({ verify, trust, nowS });
    const app = appOf(
      {
        title: `Entente node of ${region}`,
        description: 'Verdicts on health codes, and the logs, keys and snapshots that they rest on.',
      },
      [
        ...verifyRoutes(limits, {
          verify,
          trust,
          verifiers,
          replies,
        }),
        ...snapshotRoutes({ snapshots: new Snapshots({ trust, keeper, clock, sha256 }), replies }),
        ...regionRoutes({ trust, nowS, replies }),
        ...exportRoutes({ trust, sha256, nowS, replies }),
        ...(http.witness && witnessDesk !== undefined ? witnessRoutes({ witnessDesk, replies }) : []),
        ...(lookup === undefined ? [] : publicLookupRoutes(lookup, replies)),
        ...(joining === undefined ? [] : publicJoiningRoutes(joining, replies)),
        ...watchRoutes({ health: this.#health, metrics: this.metrics, replies }),
        ...logRoutes({
          log: (origin) => node.log(origin),
          noteOf: (origin) => {
            const { kind, region: of } = parseOrigin(origin);
            return kind === 'trust' ? (keeper(of)?.note ?? NOT_SHOWN) : node.cosignedNote(origin);
          },
          sha256,
          replies,
        }),
      ],
      replies,
    );
    this.#tls = tls === undefined ? undefined : new TlsFiles(tls, { log });
    this.#server = new WebServer(
      { listen: { host, port }, limits },
      {
        fetch: (request, env) => (isGatePath(new URL(request.url).pathname) ? gate : app).fetch(request, env),
        admit: (request, response) => this.#admit(request, response),
        answered: (response) => this.#visits.get(response)?.answered(),
        tls: this.#tls,
      },
    );
  }

  /** Resolves once it listens. Rejects as `WebServer.start`. */
  async start(): Promise<void> {
    this.admission.start();
    await this.#server.start();
  }

  /** As `WebServer.stop`. */
  async stop(): Promise<void> {
    await this.#server.stop();
    this.admission.stop();
  }

  /** Looks for a new certificate now. */
  async reload(): Promise<void> {
    await this.#tls?.look();
  }

  /** Its URL. */
  get address(): string {
    return this.#server.address;
  }

  get health(): Health {
    return this.#health();
  }

  #admit(request: IncomingMessage, response: ServerResponse): boolean {
    const startMs = performance.now();
    const work = workOf(request);
    const visit = this.entrance.enter(work, request);
    if (visit === undefined) {
      this.metrics.refuse(work);
      this.#refusals.add(response);
      return false;
    }
    this.#visits.set(response, visit);
    response.once('close', () => {
      visit.over();
      if (response.headersSent)
        this.metrics.observe(work, response.statusCode, (performance.now() - startMs) / 1000);
      else this.metrics.leave(work);
    });
    return true;
  }
}

/** Bodies above this are batches, as far as can be told before they are read: one code has at most 4,296 characters. */
export const SINGLE_BYTES_MAX = 6_144;

/** What the router resolves or cuts off before it looks: `/x/../v1/verify` and `/v1/verify#` lead to `/v1/verify`. */
const UNRESOLVED = /#|\/\.\.?(?:\/|$)/;

/**
 * What a request asks for, by its head alone. A path that is written in another way than SPEC.md 15 has it may be any: it can wait as
 * what can wait most.
 */
export function workOf({
  method,
  url = '',
  headers,
}: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): Work {
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  if (!path.startsWith('/') || path.includes('%') || UNRESOLVED.test(path)) return 'batch';
  switch (path) {
    case GATE_PATH:
    case '/v1/verify':
      if (path === GATE_PATH && method !== 'POST') return 'read';
      // A page asks whether it may before it does, without a body.
      if (method === 'OPTIONS') return 'verdict';
      return Number(headers['content-length'] ?? Infinity) > SINGLE_BYTES_MAX ? 'batch' : 'verdict';
    case '/livez':
    case '/readyz':
    case '/metrics':
      return 'watch';
    case '/v1/snapshot':
      return 'snapshot';
    default:
      return path.startsWith('/v1/') ? 'read' : 'log';
  }
}
