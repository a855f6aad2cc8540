import assert from 'node:assert/strict';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { SyncClient } from '../../../node/sync/sync-client.ts';
import { encodeAddCheckpoint, type AddCheckpoint } from '../../../node/witness/add-checkpoint.ts';
import { Witness } from '../../../node/witness/witness.ts';
import { WitnessDesk } from '../../../node/witness/witness-desk.ts';
import {
  askWitness,
  parseWitnessAnswer,
  WITNESS_ANSWER_BYTES_MAX,
  WitnessServer,
} from '../../../node/witness/witness-server.ts';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { medium, storeOn } from '../../support/store-fixture.ts';

const ORIGIN = 'CN-33.test/trust';
const log = logKey(ORIGIN, 1);
const tree = ReferenceTree.ofSize(9);

function noteOf(size: number, key = log): Uint8Array {
  return encodeNote(signCheckpoint({ origin: key.key.name, size, root: tree.root(size) }, key.key, key.sign));
}

function asked(oldSize: number, size: number, changes: Partial<AddCheckpoint> = {}): AddCheckpoint {
  return {
    oldSize,
    path: oldSize === 0 || oldSize > size ? [] : tree.proof(oldSize, size),
    note: noteOf(size),
    ...changes,
  };
}

async function bench() {
  const clock = new ManualClock(1_795_436_400_000);
  const store = storeOn(medium());
  await store.start();
  const witness = new Witness(
    { name: 'DE.test/witness' },
    {
      store,
      secondPlace: new MemorySecondPlace(),
      clock,
      sha256,
      verifySignature,
      key: () => testKey(2),
      vet: () => ({ isFolded: true, objection: undefined }),
      keysOf: (origin) => (origin === ORIGIN ? [log.key] : undefined),
    },
  );
  const witnessDesk = new WitnessDesk({ witness, unproven: { hear: () => Promise.resolve() } });
  const wires = new MemoryNetwork({ random: () => 0.5, latencyMs: 0 }, { clock });
  const book = new PeerBook({ clock });
  const server = new WitnessServer({ network: wires.join('DE'), book, witnessDesk });
  server.start();
  const answer = async (request: AddCheckpoint) => {
    return Buffer.from(await server.answer('FR', encodeAddCheckpoint(request))).toString();
  };
  return { clock, wires, book, server, answer };
}

describe('WitnessServer.answer', () => {
  it('gives the statuses and bodies of C2SP tlog-witness', async () => {
    const { answer } = await bench();
    assert.match(await answer(asked(0, 4)), /^200\n\u2014 DE\.test\/witness [A-Za-z0-9+/]+=*\n$/);
    assert.equal(await answer(asked(0, 5)), '409\n4\n');
    assert.equal(await answer(asked(4, 9, { path: tree.proof(3, 9) })), '422\n');
    assert.equal(await answer(asked(4, 9, { note: noteOf(9, logKey('FR.test/trust', 1)) })), '404\n');
    assert.equal(await answer(asked(4, 9, { note: noteOf(9, logKey(ORIGIN, 3)) })), '403\n');
    assert.equal(await answer(asked(9, 8, { path: [] })), '400\n');
    assert.match(await answer(asked(4, 9)), /^200\n/);
  });

  it('answers 400 to what is no request, which goes on the record of the peer', async () => {
    const { server, book } = await bench();
    const bytes = await server.answer('FR', Buffer.from('old 01\n\nx'));
    assert.equal(Buffer.from(bytes).toString(), '400\n');
    assert.equal(book.recordOf('FR').lastFault, 'NOTE_MALFORMED');
  });
});

describe('askWitness', () => {
  it('gets a cosignature, or why not, over the network', async () => {
    const { clock, wires } = await bench();
    const book = new PeerBook({ clock });
    const client = new SyncClient({ network: wires.join('FR'), clock, book });
    const ask = async (request: AddCheckpoint) => {
      const answer = askWitness(client, 'DE', request);
      answer.catch(() => undefined);
      await clock.advance(1);
      await clock.advance(1);
      return answer;
    };
    const first = await ask(asked(0, 4));
    assert.ok(first.cosigns);
    assert.equal(first.line.name, 'DE.test/witness');
    assert.deepEqual(await ask(asked(0, 9)), { cosigns: false, refusal: 'conflict', size: 4 });
    assert.deepEqual(await ask(asked(4, 9, { path: [] })), { cosigns: false, refusal: 'unproven' });
    wires.tamper = () => Buffer.from('201\n');
    await assert.rejects(ask(asked(4, 9)), (error) => isProtocolError(error, 'NOTE_MALFORMED'));
    assert.equal(book.recordOf('DE').lastFault, 'NOTE_MALFORMED');
  });
});

describe('parseWitnessAnswer', () => {
  for (const [text, code] of [
    ['', 'NOTE_MALFORMED'],
    ['200\n', 'NOTE_MALFORMED'],
    ['200', 'NOTE_MALFORMED'],
    ['201\n', 'NOTE_MALFORMED'],
    ['404\nx', 'NOTE_MALFORMED'],
    ['409\n', 'NOTE_MALFORMED'],
    ['409\n04\n', 'NOTE_MALFORMED'],
    ['409\n4', 'NOTE_MALFORMED'],
    ['409\n9007199254740992\n', 'SIZE_INVALID'],
    ['200\n\u2014 DE.test/witness AAAAAAE=\n\u2014 DE.test/witness AAAAAAE=\n', 'NOTE_MALFORMED'],
    [`200\n${'x'.repeat(WITNESS_ANSWER_BYTES_MAX)}`, 'TOO_LARGE'],
  ] as const) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(
        () => parseWitnessAnswer(Buffer.from(text)),
        (error) => isProtocolError(error, code),
      );
    });
  }
});
