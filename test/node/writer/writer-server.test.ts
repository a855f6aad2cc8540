import assert from 'node:assert/strict';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { WriterBook } from '../../../node/writer/writer-book.ts';
import {
  encodeWriterRequest,
  parseWriterAnswer,
  parseWriterRequest,
  WRITER_ANSWER_BYTES_MAX,
  WRITER_REQUEST_BYTES_MAX,
  type WriterAnswer,
  type WriterRequest,
} from '../../../node/writer/writer-messages.ts';
import { WriterServer } from '../../../node/writer/writer-server.ts';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { medium, startedStore } from '../../support/store-fixture.ts';
import { ATTEST, claimOf, permitOf, TRUST } from '../../support/writer-words.ts';

async function bench() {
  const clock = new ManualClock(1_795_436_400_000);
  const keysOf = (origin: string) => (origin === TRUST ? [logKey(TRUST, 1).key] : undefined);
  const writers = new WriterBook({
    store: await startedStore(medium()),
    secondPlace: new MemorySecondPlace(),
    sha256,
    verifySignature,
    keysOf,
    isNamed: () => false,
  });
  const book = new PeerBook({ clock });
  const standing = { isWitness: true };
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE');
  const server = new WriterServer({
    network,
    book,
    writers,
    keysOf,
    rootWord: () => undefined,
    isWitness: () => standing.isWitness,
  });
  const ask = async (request: WriterRequest): Promise<WriterAnswer> =>
    parseWriterAnswer(await server.answer('CN-33', encodeWriterRequest(request)));
  return { ask, server, book, standing };
}

const claim = claimOf({ epoch: 3 });
const permit = permitOf({ epoch: 3 }, { from: 0, size: 4, origin: ATTEST });

describe('WriterServer', () => {
  it('answers who writes, lets one write, permits its trees, and tells the next one who is before it', async () => {
    const { ask } = await bench();
    assert.deepEqual(await ask({ kind: 'writer', origin: TRUST }), { kind: 'record', permits: [] });
    const granted = await ask({ kind: 'claim', claim: claim.bytes });
    assert.deepEqual(granted, { kind: 'record', claim: claim.bytes, permits: [] });
    const asked = { kind: 'permit', claim: claim.bytes, permit: permit.bytes } as const;
    assert.deepEqual(await ask(asked), { kind: 'permitted' });
    const late = claimOf({ epoch: 3, machine: 2 });
    assert.deepEqual(await ask({ kind: 'claim', claim: late.bytes }), { kind: 'fenced', claim: claim.bytes });
    const other = permitOf({ epoch: 3 }, { from: 0, size: 4, origin: ATTEST, tree: 1 });
    const taken = await ask({ kind: 'permit', claim: claim.bytes, permit: other.bytes });
    assert.deepEqual(taken, { kind: 'taken', permit: permit.bytes });
    const record = await ask({ kind: 'writer', origin: TRUST });
    assert.deepEqual(record, { kind: 'record', claim: claim.bytes, permits: [permit.bytes] });
  });

  it('T1: takes no word by another key, of a region that it does not know, or of two reigns', async () => {
    const { ask, book } = await bench();
    const forged = claimOf({ epoch: 9 }, {}, testKey(9));
    assert.deepEqual(await ask({ kind: 'claim', claim: forged.bytes }), {
      kind: 'refused',
      reason: 'unsigned',
    });
    const byOther = permitOf({ epoch: 3 }, { from: 0, size: 4 }, testKey(9));
    const asked = await ask({ kind: 'permit', claim: claim.bytes, permit: byOther.bytes });
    assert.deepEqual(asked, { kind: 'refused', reason: 'unsigned' });
    const stranger = claimOf({ epoch: 3 }, { origin: 'FR.test/trust' });
    const unknown = { kind: 'refused', reason: 'unknown-region' };
    assert.deepEqual(await ask({ kind: 'claim', claim: stranger.bytes }), unknown);
    assert.deepEqual(await ask({ kind: 'writer', origin: 'FR.test/trust' }), unknown);
    assert.equal(book.recordOf('CN-33').faultsInAll, 0);
    const malformed = { kind: 'refused', reason: 'malformed' };
    for (const mixed of [
      permitOf({ epoch: 4 }, { from: 0, size: 4 }),
      permitOf({ epoch: 3, session: 8 }, { from: 0, size: 4 }),
      permitOf({ epoch: 3 }, { from: 0, size: 4, origin: 'FR.test/trust' }),
    ]) {
      const request = { kind: 'permit', claim: claim.bytes, permit: mixed.bytes } as const;
      assert.deepEqual(await ask(request), malformed);
    }
    assert.equal(book.recordOf('CN-33').faultsInAll, 3);
    assert.deepEqual(await ask({ kind: 'writer', origin: TRUST }), { kind: 'record', permits: [] });
  });

  it('promises nothing while another node of its region may', async () => {
    const { ask, standing } = await bench();
    standing.isWitness = false;
    for (const request of [
      { kind: 'writer', origin: TRUST },
      { kind: 'claim', claim: claim.bytes },
    ] as const) {
      assert.deepEqual(await ask(request), { kind: 'refused', reason: 'standby' });
    }
  });

  it('B40, B63: bytes that are no request are a fault of the peer, and promise nothing', async () => {
    const { server, book } = await bench();
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(0xa0),
      new Uint8Array(WRITER_REQUEST_BYTES_MAX + 1),
      encodeWriterRequest({ kind: 'claim', claim: permit.bytes }),
      encodeWriterRequest({ kind: 'writer', origin: ATTEST }),
      encodeWriterRequest({ kind: 'writer', origin: 'nobody' }),
    ]) {
      const answer = parseWriterAnswer(await server.answer('X', bytes));
      assert.deepEqual(answer, { kind: 'refused', reason: 'malformed' });
    }
    assert.equal(book.recordOf('X').faultsInAll, 6);
  });
});

describe('parseWriterAnswer', () => {
  it('refuses what no witness answers', () => {
    for (const bytes of [
      new Uint8Array(WRITER_ANSWER_BYTES_MAX + 1),
      Uint8Array.of(0xa0),
      Uint8Array.of(0x01),
    ])
      assert.throws(() => parseWriterAnswer(bytes), { name: 'ProtocolError' });
    const twice = encodeWriterRequest({ kind: 'writer', origin: TRUST });
    assert.throws(() => parseWriterAnswer(twice), { name: 'ProtocolError' });
    assert.deepEqual(parseWriterRequest(twice), { kind: 'writer', origin: TRUST });
  });
});
