import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { parsePermit, parseWord, verifyWord } from '../../../protocol/writer/word.ts';
import { PeerBook } from '../../../node/sync/peer-book.ts';
import { liarsBorne, permitsNeeded } from '../../../node/writer/electorate.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { pledgesOf } from '../../../node/writer/pledges.ts';
import { RootWords } from '../../../node/writer/root-word.ts';
import { WriterBook } from '../../../node/writer/writer-book.ts';
import { encodeMemory, NO_MEMORY, remember, rememberRoot } from '../../../node/writer/writer-memory.ts';
import { WriterServer } from '../../../node/writer/writer-server.ts';
import { fromHex } from '../../support/hex.ts';
import { verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';
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
  readonly shared: { readonly entries: readonly string[] };
  readonly words: readonly WordVector[];
  readonly answers: readonly AnswerVector[];
  readonly quorums: readonly QuorumVector[];
  readonly pledges: readonly PledgeVector[];
};
/** The trust log of the region, as a witness holds it. */
const REGION = new RegionFixture({ region: 'CN-33', begins: 'empty' });
for (const entry of vectors.shared.entries) assert.equal(REGION.offer(fromHex(entry)), undefined);
const KEYS = logVerifierKeys(sha256, REGION.state, TRUST);

/** A witness that keeps what a case says. */
async function witnessOf({ isKnown, words, givenUp, named }: AnswerVector) {
  const clock = new ManualClock();
  const store = await startedStore(medium());
  const granted = words.map((hex) => parseWord(fromHex(hex)));
  const said = { givenUp: givenUp.map(fromHex), named: named.map(fromHex) };
  const value = encodeMemory(
    rememberRoot(
      remember(NO_MEMORY, granted, () => true),
      said,
    ),
  );
  if (granted.length + givenUp.length + named.length > 0)
    await store.write([{ put: `writer/${TRUST}`, value }]);
  const keysOf = () => (isKnown ? KEYS : undefined);
  const root = new RootWords({ ...trustModules, stateOf: () => REGION.state });
  const { isNamed, rootWord } = root;
  const places = { store, secondPlace: new MemorySecondPlace() };
  const writers = new WriterBook({ ...places, sha256, verifySignature, keysOf, isNamed });
  const network = new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE');
  const book = new PeerBook({ clock });
  const server = new WriterServer({ network, book, writers, keysOf, rootWord, isWitness: () => true });
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
