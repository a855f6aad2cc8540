import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PublishedNetwork } from '../../../node/region/published-network.ts';
import { PublishedRegion } from '../../../node/region/published-region.ts';
import { isNodeError } from '../../../node/node-error.ts';
import {
  encodeRequest,
  parseAnswer,
  SYNC_PROTOCOL,
  WITNESS_PROTOCOL,
  type SyncRequest,
} from '../../../node/sync/messages.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../protocol/log/merkle.ts';
import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { copyRegion } from '../../support/region-templates.ts';
import { Clock, inRegion, makeRegion, recognise, requests, visit } from '../../support/regions.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const isFault = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);
const ATTEST = 'FR.demo/attest/2026-11';

describe('PublishedRegion', () => {
  const folder = temporaryFolders();
  const clock = new Clock();
  let fr: string;
  let region: PublishedRegion;
  before(async () => {
    const dir = folder();
    fr = await copyRegion(dir, 'FR');
    await inRegion(fr, clock.modules, ({ node }) => node.issueAll(requests(600, clock.nowS)));
    await visit(fr, join(await copyRegion(dir, 'DE'), 'public'), clock.modules);
    region = new PublishedRegion(join(fr, 'public'), { sha256 });
  });
  const ask = async <K extends SyncRequest['kind']>(request: Extract<SyncRequest, { kind: K }>) => {
    const answer = await region.answer(request);
    assert.equal(answer.kind, request.kind);
    return answer as Extract<typeof answer, { kind: K }>;
  };
  const attestRoot = () =>
    parseCheckpoint(parseNote(readFileSync(join(fr, 'public/attest/2026-11/checkpoint'))).text).root;

  it('shows the heads of its logs and what its witness saw of others', async () => {
    const { heads } = await ask({ kind: 'heads' });
    const shown = heads.map(({ note }) => parseCheckpoint(parseNote(note).text));
    assert.deepEqual(
      shown.map(({ origin, size }) => [origin, size]),
      [
        ['FR.demo/trust', 6],
        [ATTEST, 600],
        ['DE.demo/trust', 6],
      ],
    );
  });

  it('gives entries with the path from their end to the checkpoint, as many as were asked for', async () => {
    const all = await ask({ kind: 'range', origin: ATTEST, from: 0, bytesMax: 1 << 20 });
    assert.deepEqual([all.entries.length, all.path], [600, []]);
    const some = await ask({ kind: 'range', origin: ATTEST, from: 250, bytesMax: 1_000 });
    assert.ok(some.entries.length > 1 && some.entries.length < 20);
    assert.deepEqual(some.entries, all.entries.slice(250, 250 + some.entries.length));
    const oldSize = 250 + some.entries.length;
    const { root: oldRoot } = await ask({ kind: 'claim', origin: ATTEST, size: oldSize });
    const sizes = { oldSize, newSize: 600, oldRoot, newRoot: attestRoot() };
    verifyConsistency(sha256, { ...sizes, path: some.path });
    const leaf = await ask({ kind: 'leaf', origin: ATTEST, index: 257, size: 599 });
    const { root } = await ask({ kind: 'claim', origin: ATTEST, size: 599 });
    const expected = leafHash(sha256, all.entries[257] as Uint8Array);
    assert.deepEqual(leaf.leafHash, expected);
    verifyInclusion(sha256, { index: 257, size: 599, root, path: leaf.path, leafHash: expected });
    assert.deepEqual((await ask({ kind: 'forks', origin: ATTEST })).forks, []);
  });

  for (const [what, request, reason] of [
    ['entries behind the end', { kind: 'range', origin: ATTEST, from: 600, bytesMax: 1 }, 'not-there'],
    ['a size beyond the end', { kind: 'claim', origin: ATTEST, size: 601 }, 'not-there'],
    ['a leaf at the size that was named', { kind: 'leaf', origin: ATTEST, index: 5, size: 5 }, 'not-there'],
    ['a leaf in a tree beyond the end', { kind: 'leaf', origin: ATTEST, index: 5, size: 601 }, 'not-there'],
    ['a log that is not there', { kind: 'claim', origin: 'FR.demo/attest/2026-12', size: 1 }, 'unknown-log'],
    ["another region's log", { kind: 'claim', origin: 'DE.demo/trust', size: 1 }, 'unknown-log'],
    ['a log of another network', { kind: 'claim', origin: 'FR.other/trust', size: 1 }, 'unknown-log'],
    ['its witness, which is no log', { kind: 'claim', origin: 'FR.demo/witness', size: 1 }, 'unknown-log'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      assert.deepEqual(await region.answer(request), { kind: 'refused', reason });
    });
  }

  it('B61: refuses a name that is none of a log, so that no other file is read', async () => {
    for (const origin of ['FR.demo/attest/../../keys', '../../etc', 'FR.demo/trust/', ''])
      await assert.rejects(region.answer({ kind: 'claim', origin, size: 1 }), isFault('ORIGIN_INVALID'));
  });

  it('F4: files that are missing or cut are the fault of who publishes them', async () => {
    const copy = join(folder(), 'public');
    cpSync(join(fr, 'public'), copy, { recursive: true });
    const damaged = new PublishedRegion(copy, { sha256 });
    const range = { kind: 'range', origin: ATTEST, from: 0, bytesMax: 1 << 20 } as const;
    const bundle = join(copy, 'attest/2026-11/tile/entries/001');
    const bytes = readFileSync(bundle);
    writeFileSync(bundle, bytes.subarray(0, -1));
    await assert.rejects(damaged.answer(range), isProtocolError);
    rmSync(bundle);
    await assert.rejects(damaged.answer(range), isFault('TILE_INVALID'));
    writeFileSync(bundle, bytes);
    await damaged.answer(range);
    writeFileSync(join(copy, 'attest/2026-11/checkpoint'), 'no note');
    writeFileSync(join(copy, 'cosignatures/DE.demo/trust'), 'no note');
    const heads = await damaged.answer({ kind: 'heads' });
    assert.equal(heads.kind === 'heads' && heads.heads.length, 1, 'what is no note is left out');
    writeFileSync(join(copy, 'trust/checkpoint'), Buffer.alloc(100_000));
    await assert.rejects(damaged.answer({ kind: 'heads' }), isFault('TILE_INVALID'));
  });
});

describe('PublishedNetwork', () => {
  const folder = temporaryFolders();
  const signal = new AbortController().signal;
  const heads = encodeRequest({ kind: 'heads' });

  it('answers in the bytes of the sync protocol, and speaks no other', async () => {
    const fr = await copyRegion(folder(), 'FR');
    const network = new PublishedNetwork(
      new Map([['FR', new PublishedRegion(join(fr, 'public'), { sha256 })]]),
    );
    assert.deepEqual(network.peers(), ['FR']);
    const answer = parseAnswer(await network.request('FR', SYNC_PROTOCOL, heads));
    assert.equal(answer.kind === 'heads' && answer.heads.length, 1);
    for (const [peer, protocol] of [
      ['FR', WITNESS_PROTOCOL],
      ['DE', SYNC_PROTOCOL],
    ] as const) {
      await assert.rejects(network.request(peer, protocol, heads), (error) =>
        isNodeError(error, 'PEER_UNREACHABLE'),
      );
    }
    await assert.rejects(network.request('FR', SYNC_PROTOCOL, Uint8Array.of(1)), isProtocolError);
    assert.ok(!signal.aborted);
  });

  it('says of a directory that is gone or cannot be read where it is, until it answers again', async () => {
    const dir = folder();
    const path = join(dir, 'FR/public');
    const network = new PublishedNetwork(new Map([['FR', new PublishedRegion(path, { sha256 })]]));
    const isGone = (error: unknown) => isNodeError(error, 'PEER_UNREACHABLE') && error.message.includes(path);
    await assert.rejects(network.request('FR', SYNC_PROTOCOL, heads), isGone);
    assert.deepEqual(network.unreachable, [{ region: 'FR', reason: `no region publishes at ${path}` }]);
    await copyRegion(dir, 'FR');
    await network.request('FR', SYNC_PROTOCOL, heads);
    assert.deepEqual(network.unreachable, []);
    if (process.getuid?.() === 0) return;
    chmodSync(join(path, 'trust'), 0o000);
    await assert.rejects(network.request('FR', SYNC_PROTOCOL, heads), isGone);
    chmodSync(join(path, 'trust'), 0o755);
  });
});

describe('LogVisitor', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let de: string;
  let fr: string;
  beforeEach(async () => {
    clock = new Clock();
    const dir = folder();
    [de, fr] = [await copyRegion(dir, 'DE'), await copyRegion(dir, 'FR')];
  });
  const witness = (publicPath = join(fr, 'public')) => visit(de, publicPath, clock.modules);
  const issue = (count: number) =>
    inRegion(fr, clock.modules, ({ node }) => node.issueAll(requests(count, clock.nowS)));
  const revoke = (path: string, index: number) =>
    inRegion(path, clock.modules, ({ node }) => node.revoke({ log: '2026-11', indexes: [index] }));
  const cosigned = () => join(de, 'public/cosignatures/FR.demo/trust');

  it('cosigns trust and attestation logs, remembers them, and follows their growth', async () => {
    await issue(300);
    assert.deepEqual(
      (await witness()).map(({ origin, sizeBefore, size }) => [origin, sizeBefore, size]),
      [
        ['FR.demo/trust', 0, 6],
        [ATTEST, 0, 300],
      ],
    );
    await issue(1);
    await revoke(fr, 3);
    for (const before of [
      [6, 300],
      [7, 301],
    ]) {
      assert.deepEqual(
        (await witness()).map(({ sizeBefore, size }) => [sizeBefore, size]),
        [
          [before[0], 7],
          [before[1], 301],
        ],
      );
    }
    const note = parseNote(readFileSync(cosigned()));
    assert.deepEqual(
      note.signatures.map(({ name }) => name),
      ['FR.demo/trust', 'FR.demo/witness', 'DE.demo/witness'],
    );
  });

  it('T9 rollback: refuses a log that is shorter than before, with both sizes, and keeps what it said', async () => {
    cpSync(join(fr, 'public'), join(fr, 'yesterday'), { recursive: true });
    await revoke(fr, 1);
    await witness();
    const said = readFileSync(cosigned());
    await assert.rejects(
      witness(join(fr, 'yesterday')),
      (error) =>
        isProtocolError(error, 'ROLLBACK') &&
        error.fault.details['held'] === 7 &&
        error.fault.details['offered'] === 6,
    );
    assert.deepEqual(readFileSync(cosigned()), said);
  });

  it('T4 fork: refuses another log of the same size, and a longer one that does not go on from it', async () => {
    const other = join(fr, '..', 'FR-other');
    cpSync(fr, other, { recursive: true });
    await revoke(fr, 1);
    await revoke(other, 2);
    await witness();
    await assert.rejects(witness(join(other, 'public')), isFault('FORK'));
    await revoke(other, 4);
    await assert.rejects(witness(join(other, 'public')), isProtocolError);
  });

  it('F4: refuses an attestation log whose tiles are not those of its checkpoint', async () => {
    await issue(3);
    const tile = join(fr, 'public/attest/2026-11/tile/0/000.p/3');
    const data = readFileSync(tile);
    data[5] = (data[5] ?? 0) ^ 1;
    writeFileSync(tile, data);
    await assert.rejects(witness(), isFault('PROOF_INVALID'));
    assert.ok(!existsSync(join(de, 'public/cosignatures/FR.demo/attest')));
  });

  it('T19: refuses another root under the name of a recognised region', async () => {
    await recognise(de, fr, clock.modules);
    const impostor = await makeRegion(folder(), 'FR', clock.modules);
    await assert.rejects(witness(join(impostor, 'public')), isFault('PIN_MISMATCH'));
  });

  it('A11, T15: refuses a log that is ahead of its own clock', async () => {
    clock.nowS += 121;
    await revoke(fr, 1);
    clock.nowS -= 121;
    await assert.rejects(witness(), isFault('STATE_AHEAD'));
    assert.ok(!existsSync(join(de, 'public/cosignatures/FR.demo')));
    clock.nowS += 1;
    await witness();
  });

  it('refuses a directory that shows no log of the region that was meant', async () => {
    await inRegion(
      de,
      clock.modules,
      ({ node }) =>
        assert.rejects(
          node.visitor.visit('FR', 'FR', () => Promise.resolve()),
          (error) => isNodeError(error, 'PEER_UNREACHABLE'),
        ),
      { instead: new Map([['FR', join(de, 'public')]]) },
    );
  });

  it('A14: what it saw is stored before the cosignature is published', async () => {
    mkdirSync(join(de, 'public/cosignatures'), { recursive: true });
    writeFileSync(join(de, 'public/cosignatures/FR.demo'), 'in the way');
    await assert.rejects(witness());
    rmSync(join(de, 'public/cosignatures/FR.demo'));
    await inRegion(fr, clock.modules, () => Promise.resolve());
    const [trust] = await witness();
    assert.equal(trust?.sizeBefore, 6);
  });
});
