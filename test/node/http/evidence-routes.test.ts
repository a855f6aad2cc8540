import assert from 'node:assert/strict';
import { encodeEvidence, type EvidenceOf, parseEvidence } from '../../../protocol/evidence/evidence.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type KeptProof } from '../../../node/evidence/kept-evidence.ts';
import { AdminWorld, refusedWith } from '../../support/admin-fixture.ts';
import { NETWORK } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('GET /v1/evidence', () => {
  const folder = temporaryFolders();
  let admin: AdminWorld;
  before(async () => {
    admin = await AdminWorld.start(folder());
  });
  after(() => admin.stop());

  async function kept(query = ''): Promise<readonly KeptProof[]> {
    const request = { method: 'GET', path: `/v1/evidence${query}` } as const;
    const lines = admin.client.lines(request, [], { type: 'application/json' });
    const found: KeptProof[] = [];
    for (;;) {
      const { value, done } = await admin.world.run(lines.next());
      if (done === true) return found;
      found.push(value as KeptProof);
    }
  }

  it('gives a line for each proof that is kept, with its file where that is asked for', async () => {
    const { fixture } = admin.world.machine('FR');
    await admin.world.issue('FR');
    const isAnnounced = () => admin.world.node('DE').keeper('FR')?.state.log('2026-11') !== undefined;
    await admin.world.until(isAnnounced, 'DE knows of the log');
    const origin = `FR.${NETWORK}/attest/2026-11`;
    const { publicKey, sign } = fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const sides = [1, 2].map((byte) => {
      const root = new ReferenceTree([Uint8Array.of(byte)]).root();
      return { note: encodeNote(signCheckpoint({ origin, size: 1, root }, key, sign)), root, path: [] };
    }) as unknown as EvidenceOf<'fork'>['sides'];
    const grounds = [fixture.entries.slice(0, 2)];
    const file = encodeEvidence({ kind: 'fork', grounds, size: 1, sides });
    assert.deepEqual(await kept(), []);
    const body = { evidence: Buffer.from(file).toString('base64') };
    assert.deepEqual(await admin.ask({ method: 'POST', path: '/v1/evidence', body }), { isNew: true });
    const [listed, ...more] = await kept();
    assert.deepEqual([listed?.kind, listed?.origin, more.length], ['fork', origin, 0]);
    assert.equal(listed?.file, undefined);
    const [written] = await kept('?files=true');
    const read = parseEvidence(new Uint8Array(Buffer.from(written?.file ?? '', 'base64')));
    assert.deepEqual(read.kind === 'fork' && read.sides, sides);
    await assert.rejects(kept('?files=1'), refusedWith(422, 'INPUT_INVALID'));
  });
});
