import assert from 'node:assert/strict';
import fc from 'fast-check';
import { claimOf } from '../../../protocol/evidence/claim.ts';
import { type Evidence, encodeEvidence, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { isDisowned, verifyEvidence } from '../../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { EVIDENCE_BYTES_MAX, NOTE_BYTES_MAX } from '../../../protocol/limits.ts';
import * as made from '../../support/evidence-fixture.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

const kinds: readonly Evidence[] = [
  made.fork(),
  made.cosignatures(),
  made.leaf(),
  made.indexes(),
  made.hours(),
  made.misplaced(5),
  made.tables(),
];
const modules = { ...trustModules, admitPublicKey: () => undefined };
const prove = (bytes: Uint8Array) => verifyEvidence(parseEvidence(bytes), made.knowsRoot, modules);

describe('verifyEvidence', () => {
  for (const evidence of kinds) {
    it(`A27 T4: ${evidence.kind} with any bit flipped proves nothing`, () => {
      const bytes = encodeEvidence(evidence);
      assert.equal(prove(bytes).kind, evidence.kind);
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
          const changed = bytes.slice();
          changed[at] = (changed[at] ?? 0) ^ (1 << bit);
          assert.throws(() => prove(changed), isProtocolError);
        }),
        { numRuns: 150 },
      );
    });
  }

  it('claimOf says of each what it proves, and of what is none that', () => {
    for (const evidence of [...kinds, made.misplaced(3)]) {
      const { kind, region, origin, at } = prove(encodeEvidence(evidence));
      assert.deepEqual(claimOf(evidence), { kind, region, origin, at });
    }
    const noNote = made.hours({ note: new Uint8Array(3) });
    assert.throws(() => claimOf(noNote), isProtocolError);
  });

  it('leans on no key that the root did not name for this: of each role there is one', () => {
    const { keys } = made.accused;
    for (const role of ['attest', 'trust-log', 'witness'] as const) {
      const side = made.sideOf(made.otherStory, 5, { size: 5, key: keys[role] });
      const framed = made.fork({ sides: [made.sideOf(made.story, 5), side] });
      assert.throws(() => prove(encodeEvidence(framed)), (error) => isProtocolError(error, 'NOTE_UNSIGNED'), role); // prettier-ignore
    }
  });
});

describe('parseEvidence', () => {
  it('A28 takes the largest notes, and refuses a byte more before it looks at any', () => {
    const note = new Uint8Array(NOTE_BYTES_MAX);
    const fits = made.leaf({ note });
    assert.equal(parseEvidence(encodeEvidence(fits)).kind, 'leaf');
    assert.throws(() => encodeEvidence(made.leaf({ note: new Uint8Array(NOTE_BYTES_MAX + 1) })), RangeError);
    const long = new Uint8Array(EVIDENCE_BYTES_MAX + 1);
    assert.throws(() => parseEvidence(long), (error) => isProtocolError(error, 'TOO_LARGE')); // prettier-ignore
  });
});

describe('isDisowned', () => {
  const region = new RegionFixture({ region: 'DE', network: made.NETWORK });
  const witness = new RegionFixture({ region: 'CN-33', network: made.NETWORK });
  const stateOf = (of: string) => [region, witness].find((one) => one.region === of)?.state;
  const { attest, checkpoint } = region.keys;
  const about = { kind: 'leaf', region: 'DE', origin: region.origin } as const;

  it('tells a thief from a region: only once the root gave up every key behind one of the words', () => {
    const leaf = { ...about, words: [[attest.keyId], [checkpoint.keyId]] };
    const both = [checkpoint.keyId, attest.keyId];
    const twoSigned = { ...about, words: [both, both] };
    assert.equal(isDisowned(leaf, stateOf), false);
    region.add(region.compromise(attest, {}));
    assert.equal(isDisowned(leaf, stateOf), true);
    assert.equal(isDisowned({ ...leaf, region: 'CN-33' }, stateOf), false);
    assert.equal(
      isDisowned(leaf, () => undefined),
      false,
    );
    assert.equal(isDisowned(twoSigned, stateOf), false);
    region.add(region.compromise(checkpoint, {}));
    assert.equal(isDisowned(twoSigned, stateOf), true);
  });

  describe('of cosignatures', () => {
    let log: RegionFixture;
    beforeEach(() => (log = new RegionFixture({ region: 'FR', network: made.NETWORK })));
    const words = [[witness.keys.witness.keyId], [witness.keys.witness.keyId]];
    const isLeft = () =>
      isDisowned({ kind: 'cosignatures', region: 'CN-33', origin: log.origin, words }, (of) =>
        of === 'FR' ? log.state : stateOf(of),
      );

    it('A13, A27: a witness may have left a tree rightly once the root of the log named a branch, whoever signed the tree since', () => {
      assert.equal(isLeft(), false);
      log.admit([{ key: log.key('fresh checkpoint'), role: 'checkpoint' }]);
      log.add(log.compromise(log.keys.checkpoint, { trust: log.cutOff() }));
      assert.equal(isLeft(), true);
      log.add(log.compromise(log.keys.checkpoint, {}, 2));
      assert.equal(isLeft(), true, 'what was taken back may have been heeded');
    });

    it('A13: no other compromise lets a witness off', () => {
      log.add(log.compromise(log.keys.checkpoint, {}));
      log.add(log.compromise(log.keys['trust-log'], { trust: log.cutOff() }));
      log.add(log.compromise(log.keys.attest, { [made.ORIGIN.slice(-7)]: log.cutOff() }));
      assert.equal(isLeft(), false);
    });
  });
});
