/** The public interface of one of three regions that recognise each other, on a real loopback socket. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { openLog } from '../../node/logging/log.ts';
import { parseConfig } from '../../node/config/config-file.ts';
import { type NamedSettings } from '../../node/config/overlay.ts';
import { type Config } from '../../node/config/schema.ts';
import { encodeAddCheckpoint } from '../../node/witness/add-checkpoint.ts';
import { PublicServer, type PublicServerModules } from '../../node/http/public-server.ts';
import { type JoiningDesk } from '../../node/joining/joining-desk.ts';
import { joiningOf } from './joining-fixture.ts';
import { NodeWorld } from './node-fixture.ts';
import { sha256 } from './primitives.ts';

export const REGIONS = ['DE', 'FR', 'IT'] as const;

/** A configuration of DE on a free port, with these settings. */
export function configOf(...settings: NamedSettings): Config {
  // However busy this machine is, it is not what is tested.
  const text =
    'format: 1\nregion: DE\nnetwork: test\nname: Germany\nhttp: {port: 0}\nlimits: {delayMsMax: 10000}\n';
  return parseConfig('entente.yaml', text, { settings });
}

/** Three regions that recognise each other, and whose witnesses have seen all. */
export async function threeRegions(): Promise<NodeWorld> {
  const world = new NodeWorld();
  for (const region of REGIONS) await world.found(region);
  await world.befriend('DE', 'FR');
  await world.befriend('DE', 'IT');
  await world.befriend('FR', 'IT');
  await world.pass(15);
  return world;
}

export class HttpWorld {
  readonly world: NodeWorld;
  /** Of DE. */
  readonly joining: JoiningDesk;
  readonly server: PublicServer;
  /** All that was logged. */
  readonly lines: string[];

  private constructor(world: NodeWorld, joining: JoiningDesk, server: PublicServer, lines: string[]) {
    this.world = world;
    this.joining = joining;
    this.server = server;
    this.lines = lines;
  }

  /** Serves what DE knows, or what `node` does. */
  static async start(
    world: NodeWorld,
    config = configOf(),
    node: PublicServerModules['node'] = world.node('DE'),
  ): Promise<HttpWorld> {
    const lines: string[] = [];
    const log = openLog({ level: 'debug', format: 'json' }, (line) => lines.push(line));
    const { witnessDesk } = world.node('DE');
    const joining = joiningOf(world, 'DE', 'test');
    const server = new PublicServer(config, {
      node,
      witnessDesk,
      joining,
      // A table and a bucket, whatever is asked for.
      lookup: {
        head: () => Uint8Array.of(0x80),
        bucket: () => Promise.resolve({ bytes: new Uint8Array(140), path: [] }),
      },
      clock: world.clock,
      sha256,
      log,
    });
    await server.start();
    return new HttpWorld(world, joining, server, lines);
  }

  get port(): number {
    return Number(new URL(this.server.address).port);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.server.address + path, { headers });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.server.address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** A request that the witness of DE answers with 200: the newest checkpoint of a log that it holds. */
  async addCheckpoint(origin: string): Promise<string> {
    const node = this.world.node('DE');
    const seen = await node.witness.lastSeen(origin);
    const tree = node.log(origin);
    const note = tree?.head.signed?.note;
    assert.ok(seen !== undefined && note !== undefined && seen.size === tree?.size);
    return Buffer.from(encodeAddCheckpoint({ oldSize: seen.size, path: [], note })).toString();
  }

  /** Sends bytes as they are, and gives all that comes back until the other side closes. */
  raw(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      const parts: Buffer[] = [];
      socket.on('data', (part) => parts.push(part));
      socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
      socket.on('error', reject);
    });
  }
}

/** The problem that an answer is: its status, content type and code are held against what is expected. */
export async function problemIn(
  response: Response,
  status: number,
  code: string,
): Promise<{ readonly detail: string; readonly errors?: readonly { at: string; detail: string }[] }> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as { code: string; status: number; detail: string };
  assert.equal(problem.code, code, text);
  assert.equal(problem.status, status);
  return problem;
}
