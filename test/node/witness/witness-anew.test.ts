import assert from 'node:assert/strict';
import { settleRoot } from '../../../node/core/root-change.ts';
import { Witness } from '../../../node/witness/witness.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { encodeEvidence, type EvidenceOf, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { verifyEvidence } from '../../../protocol/evidence/verify-evidence.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import * as made from '../../support/evidence-fixture.ts';
import { Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { type ReferenceTree } from '../../support/reference-tree.ts';
import { type RegionFixture, trustModules } from '../../support/region-fixture.ts';
import { RunningClock } from '../../support/running-clock.ts';

type Side = EvidenceOf<'cosignatures'>['sides'][0];

const SIZE = 5;

/** The witness of FR, which follows DE under one root, and then under another that kept every other key. */
class FollowingWitness {
  readonly #machine = new Machine();
  readonly #store = this.#machine.openStore();

  /** What it cosigned of a tree while it follows this region, as a side of evidence. */
  async cosigned(region: RegionFixture, origin: string, tree: ReferenceTree): Promise<Side> {
    const store = await this.#store;
    const modules = { ...trustModules, store, secondPlace: this.#machine.secondPlace };
    const { fingerprint, keys } = region;
    await settleRoot({ region: 'DE', network: made.NETWORK, fingerprint }, modules);
    const { publicKey } = keys.checkpoint;
    const witness = new Witness(
      { name: `FR.${made.NETWORK}/witness` },
      {
        ...modules,
        clock: new RunningClock(made.NOW_S * 1000),
        key: () => made.witness.keys.witness,
        keysOf: (name) => [makeVerifierKey(sha256, { name, algorithm: ED25519, publicKey })],
        vet: () => ({ isFolded: true, objection: undefined }),
      },
    );
    const side = made.rootedSideOf(tree, SIZE, { size: SIZE, origin });
    const answer = await witness.add({ oldSize: 0, path: [], note: side.note });
    assert.ok(answer.cosigns);
    const { text, signatures } = parseNote(side.note);
    return { ...side, note: encodeNote({ text, signatures: [...signatures, answer.line] }) };
  }

  async stop(): Promise<void> {
    await (await this.#store).stop();
  }
}

describe('Witness of a region that was set up anew with the same checkpoint key', () => {
  const cases = [
    ['trust', made.accused.origin, made.trustStory, made.trustStoryAnew, 'PROOF_INVALID'],
    ['attestation', made.ORIGIN, made.story, made.otherStory, 'EVIDENCE_UNFOUNDED'],
  ] as const;
  for (const [kind, origin, before, after, fault] of cases) {
    it(`A15 A27: begins anew, and its cosignatures of both ${kind} logs prove nothing, whichever root a reader knows`, async () => {
      const witness = new FollowingWitness();
      const sides = [
        await witness.cosigned(made.accused, origin, before),
        await witness.cosigned(made.anew, origin, after),
      ] as const;
      await witness.stop();
      for (const known of [made.accused, made.anew]) {
        const grounds = [made.groundOf(known), made.groundOf(made.witness)];
        const pins = new Set([known, made.witness].map(({ fingerprint }) => hexOf(fingerprint)));
        for (const ordered of [sides, sides.toReversed()] as (typeof sides)[]) {
          const bytes = encodeEvidence(made.cosignatures({ grounds, sides: [...ordered] }));
          const prove = () =>
            verifyEvidence(parseEvidence(bytes), (_, root) => pins.has(hexOf(root)), trustModules);
          assert.throws(prove, (error) => isProtocolError(error, fault));
        }
      }
    });
  }
});
