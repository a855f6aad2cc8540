/** The interface for the operators of a node: on a unix socket or loopback, and nothing without the secret or an operator's key. */
import { connect } from 'node:net';
import { type IncomingMessage } from 'node:http';
import { rm } from 'node:fs/promises';
import { type Primitives } from '../../protocol/primitives.ts';
import { IssueGate, type IssueGateModules } from '../abuse/issue-gate.ts';
import { type RegionNode } from '../core/region-node.ts';
import { type Log } from '../logging/log.ts';
import { type Verifiers } from '../lookup/verifiers.ts';
import { NodeError } from '../node-error.ts';
import { type Operators } from '../operators/operators.ts';
import { type Actor } from '../operators/scopes.ts';
import { type Trail } from '../operators/trail.ts';
import { type Clock, type Random } from '../ports.ts';
import { isPagePath, pagesApp } from '../web/pages.ts';
import { AdminAccess } from './admin-access.ts';
import { addressOf } from './admin-address.ts';
import { type AdminRoute, operated } from './admin-route.ts';
import { adminRoutes } from './admin-routes.ts';
import { SecretFile } from './admin-secret.ts';
import { declarationRoutes } from './declaration-routes.ts';
import { deskRoutes, type OperatorDesk } from './desk-routes.ts';
import { bridgeRoutes } from './bridge-routes.ts';
import { disclosureRoutes } from './disclosure-routes.ts';
import { issueRoutes } from './issue-routes.ts';
import { type JoiningDesk } from '../joining/joining-desk.ts';
import { joiningRoutes } from './joining-routes.ts';
import { lifeRoutes } from './life-routes.ts';
import { listRoutes } from './list-routes.ts';
import { lookupRoutes } from './lookup-routes.ts';
import { overrideRoutes } from './override-routes.ts';
import { operatorRoutes } from './operator-routes.ts';
import { type ProcessReport } from './process-report.ts';
import { Replies } from './replies.ts';
import { appOf } from './routes.ts';
import { WebServer } from './web-server.ts';

export interface AdminServerOptions {
  readonly region: string;
  /** The path of a unix socket, or `127.0.0.1:<port>` or `[::1]:<port>`. */
  readonly listen: string;
  readonly secretFile: string;
  /** Of the pages. */
  readonly deskSecretFile: string;
}

export interface AdminServerModules extends Primitives {
  readonly node: RegionNode;
  readonly operators: Operators;
  readonly trail: Trail;
  readonly verifiers: Verifiers;
  readonly report: () => ProcessReport;
  readonly desk: OperatorDesk;
  readonly joining: JoiningDesk;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A batch of a million orders takes minutes. */
const LIMITS = {
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 600_000,
  idleTimeoutMs: 120_000,
  answerTimeoutMs: 600_000,
  connectionsMax: 64,
  connectionsPerAddressMax: 64,
};

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #modules: AdminServerModules;
  #server: WebServer | undefined;
  #secrets: readonly SecretFile[] = [];

  constructor(options: AdminServerOptions, modules: AdminServerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Resolves once it listens.
   * @throws {NodeError} as `SecretFile.open`; ADDRESS_UNUSABLE, also where another process answers on the socket.
   */
  async start(): Promise<void> {
    const { clock, log, trail } = this.#modules;
    const { region, listen, secretFile, deskSecretFile } = this.#options;
    const secret = await SecretFile.open(secretFile, this.#modules);
    const deskSecret = await SecretFile.open(deskSecretFile, this.#modules);
    this.#secrets = [secret, deskSecret];
    const replies = new Replies({ corsOrigins: [], isTls: false, hearer: 'operator' }, { log });
    const nowS = () => Math.floor(clock.nowMs() / 1000);
    const access = new AdminAccess({ region }, { ...this.#modules, secret, nowS });
    const actorOf = (request: IncomingMessage) => access.actorOf(request);
    const app = appOf(
      {
        title: `Operator of ${region}`,
        description: 'What a region does with its node. Needs the secret, or the key of an operator.',
      },
      operated(this.#routes(replies, nowS, actorOf), { trail, actorOf, replies }),
      replies,
      // Before anything else: whoever is nobody does not even learn what there is.
      (context, next) => {
        access.admit(context.env.incoming);
        return next();
      },
    );
    const address = addressOf(listen);
    if ('path' in address) await removeStaleSocket(address.path);
    const { node } = this.#modules;
    const isSecret = (text: string) => deskSecret.bears(`Bearer ${text}`);
    const pages = pagesApp({ node, trail, nowS, isSecret });
    // Pages ask for their secret themselves, in a field of each form, and tell nothing before.
    const fetch = (request: Request, env: never) =>
      (isPagePath(new URL(request.url).pathname) ? pages : app).fetch(request, env);
    this.#server = new WebServer({ listen: address, limits: LIMITS }, { fetch });
    await startWithUmask(0o177, this.#server);
  }

  #routes(replies: Replies, nowS: () => number, actorOf: (request: IncomingMessage) => Actor): AdminRoute[] {
    const { node, sha256, report, desk, joining, operators, verifiers } = this.#modules;
    const { region } = this.#options;
    const state = () => node.keeper(region)?.state;
    const weigh: IssueGateModules['weigh'] = (...asked) => node.life.weigh(...asked);
    const gate = new IssueGate({ state, areNamed: () => operators.areNamed, nowS, weigh });
    return [
      ...issueRoutes({ region }, { node, sha256, nowS, gate, replies }),
      ...overrideRoutes({ node, operators, actorOf, replies }),
      ...disclosureRoutes({ node, operators, replies }),
      ...bridgeRoutes({ region }, { node, sha256, nowS }),
      ...adminRoutes({ region }, { node, report, nowS, replies }),
      ...operatorRoutes({ operators, nowS, replies }),
      ...listRoutes({ node, actorOf, replies }),
      ...lookupRoutes({ node, verifiers, nowS, replies }),
      ...declarationRoutes({ node, actorOf, replies }),
      ...joiningRoutes(joining, replies),
      ...lifeRoutes({ node, actorOf, replies }),
      ...deskRoutes({ region }, { node, desk, sha256, replies }),
    ];
  }

  /** As `WebServer.stop`. */
  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** Reads again the files of both secrets, as `SecretFile.reload`. */
  async reload(): Promise<void> {
    for (const secret of this.#secrets) await secret.reload();
  }

  /** Its URL, or the path of its socket. */
  get address(): string {
    if (this.#server === undefined) throw new TypeError('the server is not started');
    return this.#server.address;
  }
}

/** What a process left that is gone. */
async function removeStaleSocket(path: string): Promise<void> {
  const state = await new Promise<'absent' | 'stale' | 'taken'>((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve('taken');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'stale' : 'absent'),
    );
  });
  if (state === 'taken') {
    throw new NodeError('ADDRESS_UNUSABLE', `another process listens on ${path}`, {
      hint: 'Stop the other node of this directory.',
    });
  }
  if (state === 'stale') await rm(path, { force: true });
}

/** The socket comes into being within the call, before it returns: nobody else may connect, not even for a moment. */
function startWithUmask(mask: number, server: WebServer): Promise<void> {
  const before = process.umask(mask);
  try {
    return server.start();
  } finally {
    process.umask(before);
  }
}
