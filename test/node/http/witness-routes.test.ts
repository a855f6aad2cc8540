import assert from 'node:assert/strict';
import { type NodeStatus } from '../../../node/core/node-status.ts';
import { PublicServer } from '../../../node/http/public-server.ts';
import { CHECKPOINTS } from '../../../node/http/witness-routes.ts';
import { httpPost } from '../../../node/http/http-post.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { askOutside, submissionUrl } from '../../../node/witness/outside-question.ts';
import { silentLog } from '../../../node/logging/log.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import {
  ADD_CHECKPOINT_BYTES_MAX,
  type AddCheckpoint,
  encodeAddCheckpoint,
} from '../../../node/witness/add-checkpoint.ts';
import { Witness, type WitnessModules } from '../../../node/witness/witness.ts';
import { WitnessDesk } from '../../../node/witness/witness-desk.ts';
import { WitnessServer } from '../../../node/witness/witness-server.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { verifyCosignature } from '../../../protocol/log/cosignature.ts';
import { emptyRoot } from '../../../protocol/log/merkle.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { parseSignatureLines } from '../../../protocol/log/signature-line.ts';
import { Trust } from '../../../protocol/verdict/knowledge.ts';
import { configOf, problemIn } from '../../support/http-fixture.ts';
import { logKey, testKey, verifySignature, witnessKey } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { medium, storeOn } from '../../support/store-fixture.ts';

const ORIGIN = 'CN-33.test/attest/2026-11';
const NAME = 'DE.test/witness';
const log = logKey(ORIGIN, 1);
const key = witnessKey(NAME, 2);
const tree = ReferenceTree.ofSize(9);
const otherTree = new ReferenceTree([
  ...tree.entries.slice(0, 3),
  new Uint8Array(1),
  ...tree.entries.slice(4),
]);

function noteOf(size: number, signer = log, root = tree.root(size)): Uint8Array {
  return encodeNote(signCheckpoint({ origin: signer.key.name, size, root }, signer.key, signer.sign));
}

function asked(oldSize: number, size: number, changes: Partial<AddCheckpoint> = {}): Uint8Array {
  const path = oldSize === 0 || oldSize >= size ? [] : tree.proof(oldSize, size);
  return encodeAddCheckpoint({ oldSize, path, note: noteOf(size), ...changes });
}

class World {
  readonly clock = new ManualClock(1_795_436_400_000);
  readonly store = storeOn(medium());
  readonly forks: string[] = [];
  readonly witness: Witness;
  readonly witnessDesk: WitnessDesk;
  /** What was held against the copy of the log. */
  readonly heeded: string[] = [];
  readonly #servers: PublicServer[] = [];

  constructor(modules: Partial<WitnessModules> = {}) {
    this.witness = new Witness(
      { name: NAME },
      {
        store: this.store,
        secondPlace: new MemorySecondPlace(),
        clock: this.clock,
        sha256,
        verifySignature,
        key: () => testKey(2),
        vet: () => ({ isFolded: true, objection: undefined }),
        keysOf: (origin) => (origin === ORIGIN ? [log.key] : undefined),
        onFork: (origin) => void this.forks.push(origin),
        ...modules,
      },
    );
    const hear = (origin: string, note: Uint8Array): Promise<void> => {
      assert.equal(origin, ORIGIN);
      this.heeded.push(Buffer.from(note).toString());
      return Promise.resolve();
    };
    this.witnessDesk = new WitnessDesk({ witness: this.witness, unproven: { hear } });
  }

  async serve(config = configOf()): Promise<string> {
    if (this.#servers.length === 0) await this.store.start();
    const trust = new Trust({ home: 'DE', network: 'test', regions: [] }, { sha256 });
    const node = {
      verify: () => assert.fail(),
      trust,
      status: {} as NodeStatus,
      keeper: () => undefined,
      log: () => undefined,
      cosignedNote: () => undefined,
    };
    const { clock, witnessDesk } = this;
    const server = new PublicServer(config, { node, witnessDesk, clock, sha256, log: silentLog });
    this.#servers.push(server);
    await server.start();
    return server.address;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.stop();
    await this.store.stop();
  }
}

describe('POST /add-checkpoint', () => {
  let world: World;
  let url: string;

  beforeEach(async () => {
    world = new World();
    url = await world.serve();
  });
  afterEach(() => world.stop());

  const post = (body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${url}/add-checkpoint`, { method: 'POST', body: Buffer.from(body), headers });
  const answer = async (body: Uint8Array) => {
    const response = await post(body);
    return [response.status, await response.text()] as const;
  };

  it('gives 200 and a signature line that verifies, at the first meeting and as the log grows', async () => {
    for (const body of [asked(0, 4), asked(4, 9), asked(9, 9)]) {
      const response = await post(body);
      assert.equal(response.status, 200);
      const [line, second] = parseSignatureLines(await response.text());
      assert.ok(line !== undefined && second === undefined);
      const size =
        body === undefined
          ? 0
          : Number(/\n(\d+)\n[A-Za-z0-9+/]{43}=\n\n/.exec(Buffer.from(body).toString())?.[1]);
      const text = `${ORIGIN}\n${size}\n${Buffer.from(tree.root(size)).toString('base64')}\n`;
      const { timestampS } = verifyCosignature(key.key, text, line, verifySignature);
      assert.equal(timestampS, world.clock.nowMs() / 1_000);
    }
  });

  it('A14 gives 409, of its own media type, with the size that was cosigned last', async () => {
    const first = await post(asked(3, 4));
    assert.deepEqual([first.status, first.headers.get('content-type')], [409, 'text/x.tlog.size']);
    assert.equal(await first.text(), '0\n');
    await answer(asked(0, 4));
    for (const old of [0, 3, 5]) assert.deepEqual(await answer(asked(old, 9)), [409, '4\n']);
  });

  it('answers a node of another network that asks it as a witness outside', async () => {
    const { signal } = new AbortController();
    const ask = (request: Uint8Array) =>
      askOutside(
        { url: submissionUrl(`${url}/`) ?? assert.fail(), request, signal },
        { post: httpPost, clock: systemClock },
      );
    await answer(asked(0, 4));
    assert.deepEqual(await ask(asked(0, 9)), { cosigns: false, refusal: 'conflict', size: 4 });
    const given = await ask(asked(4, 9));
    assert.ok('lines' in given);
    assert.deepEqual(
      given.lines.map(({ name }) => name),
      [NAME],
    );
    assert.deepEqual(await ask(asked(9, 9, { note: noteOf(9, log, otherTree.root(9)) })), {
      cosigns: false,
      refusal: 'unproven',
    });
  });

  it('B60 A23 gives 422 for proofs that prove nothing, and for proofs of nothing', async () => {
    assert.deepEqual(await answer(asked(0, 4, { path: tree.proof(3, 4) })), [422, '']);
    assert.deepEqual(await answer(asked(0, 0, { note: noteOf(0, log, tree.root(1)) })), [422, '']);
    assert.deepEqual(await answer(asked(0, 4)).then(([status]) => status), 200);
    for (const path of [[], tree.proof(3, 9), [...tree.proof(4, 9), tree.root(1)]])
      assert.deepEqual(await answer(asked(4, 9, { path })), [422, '']);
    assert.deepEqual(await answer(asked(4, 4, { path: [tree.root(1)] })), [422, '']);
    assert.equal((await answer(asked(0, 0, { note: noteOf(0, log, emptyRoot(sha256)) })))[0], 409);
  });

  it('A1 B58 gives 422 for another root of the same size, and has evidence', async () => {
    await answer(asked(0, 4));
    assert.deepEqual(await answer(asked(4, 4, { note: noteOf(4, log, otherTree.root(4)) })), [422, '']);
    assert.deepEqual(world.forks, [ORIGIN]);
    assert.deepEqual(await answer(asked(0, 5)), [409, '4\n'], 'what was seen has not changed');
  });

  it('A1: holds against the copy what it does not cosign and the log has signed, and nothing else', async () => {
    const other = (size: number) => noteOf(size, log, otherTree.root(size));
    await answer(asked(0, 9));
    for (const note of [noteOf(4, logKey(ORIGIN, 3)), noteOf(4, logKey('CN-33.test/attest/2026-12', 1))])
      await answer(asked(0, 4, { note }));
    await answer(asked(9, 9, { note: other(9) }));
    assert.deepEqual(world.heeded, [], 'of nobody, or proven without the copy');
    const { text, signatures } = parseNote(other(4));
    const beside = { name: 'DE.test/witness', keyId: 1, bytes: new Uint8Array(72) };
    const crowded = encodeNote({ text, signatures: [...signatures, beside] });
    assert.deepEqual(await answer(asked(0, 4, { note: crowded })), [409, '9\n']);
    assert.deepEqual(await answer(asked(9, 5, { note: other(5) })), [400, '']);
    const heeded = [4, 5].map((size) => Buffer.from(other(size)).toString());
    assert.deepEqual(world.heeded, heeded);
  });

  it('A12 T5 gives 403 without a good signature of the log, and 404 for logs of nobody that it knows', async () => {
    assert.deepEqual(await answer(asked(0, 4, { note: noteOf(4, logKey(ORIGIN, 3)) })), [403, '']);
    const forged = Buffer.from(noteOf(4))
      .toString()
      .replace(/.(.{20})\n$/, 'A$1\n');
    assert.deepEqual(await answer(asked(0, 4, { note: Buffer.from(forged) })), [403, '']);
    for (const origin of ['FR.test/trust', 'example.org/log', 'CN-33.test/attest/2026-12'])
      assert.deepEqual(await answer(asked(0, 4, { note: noteOf(4, logKey(origin, 1)) })), [404, '']);
  });

  it('A21 B57 gives 400 for what is no request, and for an old size above the new one', async () => {
    assert.deepEqual(await answer(asked(9, 8)), [400, '']);
    const bodies = [
      '',
      'x',
      'old 4',
      'old 04\n\nx',
      'old -1\n\nx',
      'old 1e3\n\nx',
      'old 0\r\n\r\nx',
      'old 0\n\nx',
      `old 0\n\n${ORIGIN}\n`,
    ];
    for (const body of bodies) assert.deepEqual(await answer(Buffer.from(body)), [400, ''], body);
  });

  it('A14 persist: what was cosigned is stored before the answer, and binds the next process', async () => {
    await answer(asked(0, 4));
    const next = new Witness(
      { name: NAME },
      {
        store: world.store,
        secondPlace: new MemorySecondPlace(),
        clock: world.clock,
        sha256,
        verifySignature,
        key: () => testKey(2),
        vet: () => ({ isFolded: true, objection: undefined }),
        keysOf: () => [log.key],
      },
    );
    assert.equal((await next.lastSeen(ORIGIN))?.size, 4);
  });

  it('A14 rollback: of many requests at once that all fit, one is cosigned', async () => {
    await answer(asked(0, 4));
    const statuses = await Promise.all(
      [9, 5, 6, 7, 8, 9].map((size) => answer(asked(4, size)).then(([s]) => s)),
    );
    assert.deepEqual(statuses.toSorted(), [200, 409, 409, 409, 409, 409]);
  });

  it('gives the bytes that a peer gets by its own protocol, and shares one memory with it', async () => {
    const book = new PeerBook({ clock: world.clock });
    const wires = new MemoryNetwork({ random: () => 0.5, latencyMs: 0 }, { clock: world.clock });
    const peers = new WitnessServer({ network: wires.join('DE'), book, witnessDesk: world.witnessDesk });
    const bodies = [
      asked(0, 4),
      asked(4, 4),
      asked(0, 4),
      asked(4, 9, { path: [] }),
      Buffer.from('old 1'),
      asked(5, 4),
    ];
    for (const body of bodies) {
      const [status, text] = await answer(body);
      const byPeer = Buffer.from(await peers.answer('FR', body)).toString();
      // Of a first meeting the second to ask is late.
      if (body !== bodies[0]) assert.equal(byPeer, `${status}\n${text}`);
      else assert.equal(byPeer, '409\n4\n');
    }
  });

  it('B63 A30 gives 413 for a body above the longest request, and 405 for other methods', async () => {
    await problemIn(await post(new Uint8Array(ADD_CHECKPOINT_BYTES_MAX + 1)), 413, 'BODY_TOO_LARGE');
    const asGet = await fetch(`${url}/add-checkpoint`);
    assert.equal(asGet.headers.get('allow'), 'OPTIONS, POST');
    await problemIn(asGet, 405, 'METHOD_UNKNOWN');
  });

  it('A29 T17 gives 429 to an address that asks too often', async () => {
    const statuses = new Set<number>();
    const count = CHECKPOINTS.ofClientPerS * (CHECKPOINTS.burstS + 1);
    // More than flows in while they are answered, however slow this machine is.
    for (let i = 0; i < 8 * count && !statuses.has(429); i += 32)
      for (const [status] of await Promise.all(Array.from({ length: 32 }, () => answer(Buffer.from('x')))))
        statuses.add(status);
    assert.deepEqual(statuses, new Set([400, 429]));
    const refused = await post(Buffer.from('x'));
    if (refused.status === 429) assert.equal(refused.headers.get('retry-after'), '1');
  });

  it('503 with retry-after while it has not folded what is under the checkpoint, or its clock is wrong', async () => {
    await world.stop();
    world = new World({ vet: () => ({ isFolded: false }) });
    url = await world.serve();
    const early = await post(asked(0, 4));
    assert.deepEqual([early.status, early.headers.get('retry-after'), await early.text()], [503, '1', '']);
  });

  it('is not there where the operator has switched it off', async () => {
    const off = await world.serve(configOf(['http.witness', 'false']));
    await problemIn(await fetch(`${off}/add-checkpoint`, { method: 'POST', body: 'x' }), 404, 'PATH_UNKNOWN');
  });
});
