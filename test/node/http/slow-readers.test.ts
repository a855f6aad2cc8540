import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type NamedSettings } from '../../../node/config/overlay.ts';
import { type PublicServerModules } from '../../../node/http/public-server.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { configOf, HttpWorld, threeRegions } from '../../support/http-fixture.ts';
import { type NodeWorld } from '../../support/node-fixture.ts';
import { until } from '../../support/until.ts';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
const SNAPSHOT = GET('/v1/snapshot');
/** More than the system holds of a connection that nobody reads. */
const ITEMS = Array.from({ length: 256 }, (_, i) => new Uint8Array(65_536).fill(i));
/** Places in hand, and of them for one address. */
const PLACES = 16;
const SHARE = 4;

/** Lets whoever waits go on, once it is told to. */
class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

describe('PublicServer and clients that do not take their answers', () => {
  let world: NodeWorld;
  let code: string;
  let http: HttpWorld;
  let verify: PublicServerModules['node']['verify'];
  /** What reading the log of DE waits for. */
  let reading: Promise<void>;
  /** Snapshots that were begun, and answers that are over since the start. */
  let begun: number;
  let over: number;
  /** The connection of the last request, at its other end. */
  let asking: Socket | undefined;
  const sockets: Socket[] = [];

  before(async () => {
    world = await threeRegions();
    code = (await world.issue('FR')).text;
    await world.pass(12);
  });
  beforeEach(() => {
    verify = (text, context) => world.node('DE').verify(text, context);
    reading = Promise.resolve();
    begun = 0;
    over = 0;
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(() => http.server.entrance.unread === 0, 'nothing is held for who is gone');
    assert.equal(http.server.admission.inFlight, 0);
    await http.server.stop();
  });
  after(() => world.stop());

  /** DE with a snapshot of 16 MiB. */
  async function start(...settings: NamedSettings): Promise<void> {
    const node = world.node('DE');
    const keeper = node.keeper('DE') ?? assert.fail();
    const fold = { newestBase: () => ({ index: 1, frontier: [new Uint8Array(32)], items: ITEMS }) };
    const { head, reader } = keeper.tree;
    const entries = async function* (from: number, to: number) {
      begun++;
      await reading;
      yield* reader.entries(from, to);
    };
    const tree = { head, reader: { entries } };
    const large = { region: 'DE', tree, published: keeper.published, fold };
    const config = configOf(['limits.inFlightMax', String(PLACES)], ...settings);
    http = await HttpWorld.start(world, config, {
      verify: (text, context) => verify(text, context),
      trust: node.trust,
      status: node.status,
      log: (origin) => node.log(origin),
      cosignedNote: () => undefined,
      keeper: (region) => (region === 'DE' ? (large as unknown as TrustKeeper) : node.keeper(region)),
    });
    const { entrance } = http.server;
    const enter = entrance.enter.bind(entrance);
    entrance.enter = (...request) => {
      asking = request[1].socket;
      const visit = enter(...request);
      return visit && { ...visit, over: () => (over++, visit.over()) };
    };
  }

  /** A connection from an address, on which all that is sent waits until somebody reads. */
  async function client(localAddress: string, bytes = ''): Promise<Socket> {
    const socket = connect({ port: http.port, host: '127.0.0.1', localAddress });
    sockets.push(socket.on('error', () => undefined).pause());
    await once(socket, 'connect');
    socket.write(bytes);
    return socket;
  }

  async function statusOf(localAddress: string, request: string): Promise<number> {
    const socket = await client(localAddress, request);
    const [part] = (await once(socket.resume(), 'data')) as [Buffer];
    socket.destroy();
    return Number(part.toString('latin1', 9, 12));
  }

  const verdictRequest = () => {
    const body = JSON.stringify({ code });
    return `POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };

  const verdict = () => http.post('/v1/verify', { code }).then(({ status }) => status);

  it('T17: pipelined snapshots that one address reads slowly take its share, and no place in hand', async () => {
    await start();
    await Promise.all(Array.from({ length: 4 }, () => client('127.0.0.2', SNAPSHOT.repeat(8))));
    const { entrance, admission } = http.server;
    await until(() => entrance.unread + entrance.overShare === 4 * 8, 'all is made or turned away');
    assert.equal(admission.inFlight, 0);
    assert.ok(entrance.unread >= SHARE / 2 && entrance.unread < SHARE / 2 + SHARE, `${entrance.unread}`);
    assert.equal(await statusOf('127.0.0.2', SNAPSHOT), 503);
    assert.equal(await statusOf('127.0.0.2', verdictRequest()), 200, 'of a neighbour');
    assert.equal(await statusOf('127.0.0.3', SNAPSHOT), 200);
    assert.deepEqual(new Set(await Promise.all(Array.from({ length: SHARE }, verdict))), new Set([200]));
  });

  it('T17: addresses that hold more than all places, each what it may, take no place in hand', async () => {
    await start();
    for (let i = 2; i < 2 + 3 * (PLACES / SHARE); i++) {
      await client(`127.0.0.${i}`, SNAPSHOT);
      await until(() => http.server.entrance.unread === (i - 2) * (SHARE / 2) + 1, `the first of ${i - 1}`);
      await client(`127.0.0.${i}`, SNAPSHOT);
      await until(() => http.server.entrance.unread === (i - 1) * (SHARE / 2), `the half of ${i - 1}`);
    }
    assert.equal(http.server.admission.inFlight, 0);
    assert.equal(await statusOf('127.0.0.99', SNAPSHOT), 200);
    assert.equal(await verdict(), 200);
  });

  it('T17: who takes nothing of an answer loses the connection', async () => {
    await start(['limits.answerTimeoutMs', '200']);
    const socket = await client('127.0.0.2', SNAPSHOT);
    await until(() => http.server.entrance.unread === 1, 'it waits');
    await until(() => http.server.entrance.unread === 0, 'it is given up');
    const closed = once(socket.resume(), 'close');
    await closed;
    assert.match(await (await http.get('/metrics')).text(), /^entente_http_given_up_total 1$/m);
  });

  it('who rests for longer than an idle connection may, and reads on, gets all of it', async () => {
    await start(['limits.idleTimeoutMs', '100']);
    const slow = await client('127.0.0.2', SNAPSHOT);
    await until(() => http.server.entrance.unread === 1, 'it waits');
    for (let i = 0; i < 4; i++) await once((await client('127.0.0.2')).resume(), 'close');
    let bytes = 0;
    slow.resume().on('data', (part) => (bytes += part.length));
    await until(() => http.server.entrance.unread === 0, 'all is taken');
    await once(slow, 'close');
    assert.ok(bytes > ITEMS.length * 65_536, `${bytes} bytes`);
  });

  it('T17: who reads 20 kbit/s all the time is not given up between two pieces that the system takes', async () => {
    await start();
    const slow = await client('127.0.0.2', SNAPSHOT);
    await until(() => http.server.entrance.unread === 1, 'it waits');
    const served = asking ?? assert.fail();
    let [taken, bytes, bytesMost] = [served.bytesWritten, 0, 0];
    while (http.server.entrance.unread > 0) {
      const [part] = (await once(slow.resume(), 'data')) as [Buffer];
      slow.pause();
      bytes += part.length;
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      if (served.bytesWritten === taken) continue;
      bytesMost = Math.max(bytesMost, bytes);
      [taken, bytes] = [served.bytesWritten, 0];
    }
    assert.ok(bytesMost > 65_536, `${bytesMost} bytes: the system holds more than a piece`);
    const ms = (bytesMost / (20_000 / 8)) * 1_000;
    assert.ok(ms < configOf().limits.answerTimeoutMs, `${bytesMost} bytes take ${ms} ms`);
  });

  it('T17: who leaves before the snapshot is made keeps his place until then, and nothing is held for him', async () => {
    await start();
    const gate = new Gate();
    reading = gate.opened;
    const leaving = await Promise.all(Array.from({ length: 3 }, () => client('127.0.0.2', SNAPSHOT)));
    await until(() => begun === 1 && http.server.admission.inFlight === 3, 'it is being made');
    for (const socket of leaving) socket.destroy();
    await until(() => over === 3, 'they have left');
    assert.equal(http.server.admission.inFlight, 3);
    gate.open();
    await until(() => http.server.admission.inFlight === 0, 'it is made');
    assert.equal(http.server.longAnswers.bytes, 0);
    assert.equal(await statusOf('127.0.0.2', SNAPSHOT), 200);
  });

  it('T17: a snapshot that nobody waits for any more when its turn comes is not made, and made for the next', async () => {
    await start();
    const gate = new Gate();
    reading = gate.opened;
    await client('127.0.0.2', SNAPSHOT);
    await until(() => begun === 1, 'the first is being made');
    const leaving = await client('127.0.0.3', GET('/v1/snapshot?since=DE:1'));
    await until(() => http.server.admission.inFlight === 2, 'the second waits');
    leaving.destroy();
    await until(() => over === 1, 'it has left');
    gate.open();
    await until(() => http.server.admission.inFlight === 0, 'both are done');
    assert.equal(begun, 1);
    assert.equal(await statusOf('127.0.0.3', GET('/v1/snapshot?since=DE:1')), 200);
    assert.equal(begun, 2);
  });

  it('T17: of a batch that nobody waits for any more no further code is judged', async () => {
    await start();
    const gate = new Gate();
    let judged = 0;
    verify = async (text, context) => {
      judged++;
      await gate.opened;
      return world.node('DE').verify(text, context);
    };
    const body = JSON.stringify({ codes: Array.from({ length: 20 }, () => code) });
    const head = `POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    const leaving = await client('127.0.0.2', `${head}\r\n\r\n${body}`);
    await until(() => judged === 1, 'the first is being judged');
    leaving.destroy();
    await until(() => over === 1, 'it has left');
    assert.equal(http.server.admission.inFlight, 1);
    gate.open();
    await until(() => http.server.admission.inFlight === 0, 'it is done');
    assert.equal(judged, 1);
  });

  it('T17: what stands in `since` and changes nothing makes no other snapshot', async () => {
    await start();
    for (const since of ['AA:1', 'AA:2', 'DE:0', 'DE:999999', 'ZZ:1,FR:999999'])
      await client('127.0.0.2', GET(`/v1/snapshot?since=${since}`));
    await until(() => http.server.entrance.unread + http.server.entrance.overShare === 5, 'all are made');
    assert.equal(begun, 1);
    const { bytes } = http.server.longAnswers;
    assert.ok(bytes > ITEMS.length * 65_536 && bytes < 2 * ITEMS.length * 65_536, `${bytes} bytes`);
    for (const since of ['FR:1,IT:2', 'IT:2,FR:1', 'IT:02,AA:1,FR:1'])
      assert.equal(await statusOf('127.0.0.3', GET(`/v1/snapshot?since=${since}`)), 200);
    assert.equal(begun, 2);
  });

  it('T17: one address holds a quarter of what long answers may take, and others get theirs', async () => {
    await start(['limits.inFlightMax', '32']);
    for (const size of [1, 2, 3]) {
      await client('127.0.0.2', GET(`/v1/snapshot?since=FR:${size}`));
      await until(() => http.server.entrance.unread === size, 'it waits');
    }
    assert.equal(await statusOf('127.0.0.2', GET('/v1/snapshot?since=FR:4')), 503);
    assert.equal(await statusOf('127.0.0.3', GET('/v1/snapshot?since=FR:4')), 200);
  });

  it('T17: who watches takes no place in hand, and one address only so many', async () => {
    await start();
    await Promise.all(
      Array.from({ length: 2 }, () => client('127.0.0.2', SNAPSHOT + GET('/livez').repeat(12))),
    );
    await until(() => http.server.admission.shed.watch === 24 - 16, 'the rest is turned away');
    await until(() => http.server.admission.inFlight === 0, 'the snapshots are made');
    assert.equal(await statusOf('127.0.0.2', GET('/livez')), 503);
    assert.equal(await statusOf('127.0.0.3', GET('/livez')), 200);
    assert.equal(await verdict(), 200);
  });
});
