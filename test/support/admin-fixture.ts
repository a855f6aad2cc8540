/** The interface for the operators of one of three regions that recognise each other, on a real loopback socket. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminClient, AdminProblem, type AdminRequest } from '../../node/http/admin-client.ts';
import { AdminServer } from '../../node/http/admin-server.ts';
import { type IssuedCode } from '../../node/http/admin-schemas.ts';
import { Verifiers } from '../../node/lookup/verifiers.ts';
import { openNativeCrypto } from '../../node/crypto/native.ts';
import { Operators } from '../../node/operators/operators.ts';
import { Trail } from '../../node/operators/trail.ts';
import { type ProcessReport } from '../../node/http/process-report.ts';
import { openLog } from '../../node/logging/log.ts';
import { isNodeError, type NodeErrorCode } from '../../node/node-error.ts';
import { profileText } from '../../node/rules/profiles.ts';
import { readRuleFile } from '../../node/rules/rule-file.ts';
import { systemRandom } from '../../node/system-random.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { threeRegions } from './http-fixture.ts';
import { joiningOf } from './joining-fixture.ts';
import { type NodeWorld } from './node-fixture.ts';
import { sha256 } from './primitives.ts';
import { DAY_S, type TestStatement } from './region-fixture.ts';

export const REPORT: ProcessReport = {
  peers: [],
  missing: { someone: { region: 'FR', addresses: [], failures: 2, trouble: 'refused' } },
  conduct: [],
  addresses: { peer: 'us', http: 'http://127.0.0.1:8600', p2p: [] },
  health: { ready: true, reasons: [] },
  process: { pid: 1, node: 'v24.0.0', uptimeS: 1, residentBytes: 1, heapBytesMax: 1 },
};

export function isError(code: NodeErrorCode) {
  return (error: unknown) => isNodeError(error, code);
}

export function refusedWith(status: number, code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof AdminProblem, String(error));
    assert.deepEqual([error.problem.status, error.problem.code], [status, code], error.message);
    return true;
  };
}

/** Where a server has its files. */
export function adminFiles(dir: string) {
  const at = (name: string) => join(dir, name);
  return {
    secretFile: at('admin.secret'),
    deskSecretFile: at('desk.secret'),
    operatorsFile: at('operators.json'),
    trailFile: at('trail.jsonl'),
  };
}

export class AdminWorld {
  readonly world: NodeWorld;
  readonly server: AdminServer;
  readonly files: ReturnType<typeof adminFiles>;
  readonly client: AdminClient;
  /** All that was logged. */
  readonly lines: string[];
  #byRules: ReturnType<typeof logRules> | undefined;

  private constructor(world: NodeWorld, server: AdminServer, dir: string, lines: string[]) {
    this.world = world;
    this.server = server;
    this.files = adminFiles(dir);
    this.lines = lines;
    this.client = new AdminClient({ listen: this.host, secretFile: this.files.secretFile });
  }

  /** Serves DE, with its files in this folder. */
  static async start(dir: string): Promise<AdminWorld> {
    const world = await threeRegions();
    const lines: string[] = [];
    const server = await AdminWorld.serverOn(world, '127.0.0.1:0', dir, lines);
    await server.start();
    return new AdminWorld(world, server, dir, lines);
  }

  /** Another server of DE, not started. */
  static async serverOn(
    world: NodeWorld,
    listen: string,
    dir: string,
    lines: string[] = [],
  ): Promise<AdminServer> {
    const { secretFile, deskSecretFile, operatorsFile, trailFile } = adminFiles(dir);
    return new AdminServer(
      { region: 'DE', listen, secretFile, deskSecretFile },
      {
        node: world.node('DE'),
        report: () => REPORT,
        desk: {
          publish: () => Promise.resolve(),
          leave: () => undefined,
          reload: () => Promise.resolve({ peers: 2, keys: 4 }),
          witness: (regions) =>
            Promise.resolve({
              witnessed: [],
              faults: (regions ?? []).map((region) => ({
                region,
                code: 'PEER_UNREACHABLE',
                message: 'gone',
              })),
            }),
        },
        joining: joiningOf(world, 'DE', 'test'),
        clock: world.clock,
        random: systemRandom(),
        sha256,
        verifySignature: (await openNativeCrypto()).verifySignature,
        operators: await Operators.open(operatorsFile, { sha256 }),
        trail: await Trail.open(trailFile, { nowS: () => world.nowS }),
        verifiers: await Verifiers.open(join(dir, 'verifiers.json')),
        log: openLog({ level: 'debug', format: 'json' }, (line) => lines.push(line)),
      },
    );
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.world.stop();
  }

  get url(): string {
    return this.server.address;
  }

  get host(): string {
    return new URL(this.url).host;
  }

  get secret(): string {
    return readFileSync(this.files.secretFile, 'utf8').trim();
  }

  ask(request: AdminRequest): Promise<unknown> {
    return this.world.run(this.client.ask(request));
  }

  get today(): string {
    return new Date(this.world.nowS * 1_000).toISOString().slice(0, 10);
  }

  /** Logs the baseline rules, once. Gives orders of what they give on declared facts and more. */
  byRules(): ReturnType<typeof logRules> {
    return (this.#byRules ??= logRules(this));
  }

  orderOf(subject: string, more: object = {}): object {
    return { subject, status: { colour: 'green', expiresAtS: this.world.nowS + 7 * DAY_S }, ...more };
  }

  /** The code; its receipt, which changes as others vouch, left out. */
  async issue(body: object, idempotencyKey?: string): Promise<IssuedCode> {
    const more = idempotencyKey !== undefined && { idempotencyKey };
    const answer = (await this.ask({ method: 'POST', path: '/v1/issue', body, ...more })) as IssuedCode;
    const { log, index, code, expiresAtS } = answer;
    return { log, index, code, expiresAtS };
  }

  /** Neither subjects nor codes nor secrets may be in the log. */
  assertDiscreet(): void {
    const logged = this.lines.join('');
    for (const trace of ['ENT1:', 'C01X00T47', this.secret]) assert.ok(!logged.includes(trace));
  }
}

async function logRules(admin: AdminWorld) {
  const { world } = admin;
  const { file } = readRuleFile(profileText('baseline') ?? '', () => undefined);
  const { ruleSet } = file ?? assert.fail();
  const { id, version, fromS: from, data } = ruleSet;
  const { fixture, node } = world.machine('DE');
  fixture.nowS = world.nowS;
  const entry = fixture.entryOf({ kind: 'rules', id, version, from, data } as TestStatement, 'root');
  await world.run(node.submit({ entry }));
  return (subject: string, more: Record<string, string> = {}) => {
    const { nowS: atS } = world;
    const told = { 'declaration.day': admin.today, 'declaration.consent': true, ...more };
    const { facts = assert.fail() } = readFacts(data.facts, told);
    const { status = assert.fail() } = decide(ruleSet, facts, atS);
    return { subject, status, basis: { atS, facts: told } };
  };
}
