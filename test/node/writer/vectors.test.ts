import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { makeVerifierKey, ED25519 } from '../../../protocol/log/verifier-key.ts';
import { parseClaim, parsePermit, parseWord, verifyWord } from '../../../protocol/writer/word.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { liarsBorne, permitsNeeded } from '../../../node/writer/electorate.ts';
import { pledgesOf } from '../../../node/writer/pledges.ts';
import { WriterBook } from '../../../node/writer/writer-book.ts';
import { encodeRecord } from '../../../node/writer/writer-record.ts';
import { WriterServer } from '../../../node/writer/writer-server.ts';
import { fromHex } from '../../support/hex.ts';
import { verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { medium, startedStore } from '../../support/store-fixture.ts';
import { TRUST } from '../../support/writer-words.ts';
import {
  type AnswerVector,
  type PledgeVector,
  type QuorumVector,
  WRITER_VECTOR_FILE,
  writerVectorText,
  type WordVector,
} from '../../vectors/generate/writer.ts';

const text = readFileSync(WRITER_VECTOR_FILE, 'utf8');
const vectors = JSON.parse(text) as {
  readonly shared: { readonly keys: readonly string[] };
  readonly words: readonly WordVector[];
  readonly answers: readonly AnswerVector[];
  readonly quorums: readonly QuorumVector[];
  readonly pledges: readonly PledgeVector[];
};
/** The third is given up. */
const KEYS = vectors.shared.keys
  .slice(0, 2)
  .map((key) => makeVerifierKey(sha256, { name: TRUST, algorithm: ED25519, publicKey: fromHex(key) }));

/** A witness that keeps what a case says. */
async function witnessOf({ isKnown, claim, permits }: AnswerVector) {
  const clock = new ManualClock();
  const store = await startedStore(medium());
  if (claim !== undefined || permits.length > 0) {
    const words = permits.map((hex) => parsePermit(fromHex(hex)));
    const kept = encodeRecord({
      changes: 1,
      claim: claim === undefined ? undefined : parseClaim(fromHex(claim)),
      permits: new Map(words.map((permit) => [permit.word.origin, permit])),
    });
    await store.write([{ put: `writer/${TRUST}`, value: kept }]);
  }
  const keysOf = () => (isKnown ? KEYS : undefined);
  const places = { store, secondPlace: new MemorySecondPlace() };
  const writers = new WriterBook({ ...places, sha256, verifySignature, keysOf });
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE');
  const book = new PeerBook({ clock });
  const server = new WriterServer({ network, book, writers, verifySignature, keysOf, isWitness: () => true });
  return { server, changes: async () => (await writers.record(TRUST)).changes };
}

describe('test/vectors/writer.json', () => {
  it('is what its generator makes', () => assert.equal(text, writerVectorText()));

  it('has at least as many bad words as good ones', () => {
    const bad = vectors.words.filter(({ counts }) => counts !== true);
    assert.ok(2 * bad.length >= vectors.words.length && bad.length < vectors.words.length);
  });

  for (const { name, word, fault, counts } of vectors.words)
    it(`parseWord, verifyWord: ${name}`, () => {
      const read = () => verifyWord(parseWord(fromHex(word)), KEYS, verifySignature);
      if (fault === undefined) assert.equal(read(), counts);
      else assert.throws(read, (error) => isProtocolError(error) && error.fault.code === fault);
    });

  for (const vector of vectors.answers)
    it(`WriterServer answers: ${vector.name}`, async () => {
      const { server, changes } = await witnessOf(vector);
      const before = await changes();
      assert.equal(hexOf(await server.answer('CN-33', fromHex(vector.request))), vector.answer);
      assert.equal((await changes()) > before, vector.changes);
    });

  it('permitsNeeded and liarsBorne give n and f', () => {
    for (const { w, n, f } of vectors.quorums) assert.deepEqual([permitsNeeded(w), liarsBorne(w)], [n, f]);
  });

  for (const { name, w, reports, pledges } of vectors.pledges)
    it(`pledgesOf: ${name}`, () => {
      const permits = reports.map((report) => report.map((hex) => parsePermit(fromHex(hex)).word));
      const found = pledgesOf(permits, w).map(
        ({ origin, epoch, size, root }) => [origin, epoch, size, hexOf(root)] as const,
      );
      assert.deepEqual(found.sort(), [...pledges].sort());
    });
});
