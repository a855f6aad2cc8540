import assert from 'node:assert/strict';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { SideReader } from '../../../node/trust/side-reader.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

/** A region, a reader that counts what it verifies, and the region's note on its log by some key. */
function fixture() {
  const region = new RegionFixture();
  let verified = 0;
  const verifySignature: typeof trustModules.verifySignature = (check) => {
    verified++;
    return trustModules.verifySignature(check);
  };
  const reader = new SideReader({ ...trustModules, verifySignature });
  const noteBy = ({ publicKey, sign } = region.keys.checkpoint): Uint8Array => {
    const { origin } = region;
    const key = makeVerifierKey(trustModules.sha256, { name: origin, algorithm: ED25519, publicKey });
    return encodeNote(signCheckpoint({ origin, ...region.cutOff() }, key, sign));
  };
  return { region, reader, noteBy, verified: () => verified };
}

describe('SideReader', () => {
  it('knowledgeOf verifies a note once while the states are the same, and again when one is another', () => {
    const { region, reader, noteBy, verified } = fixture();
    const note = noteBy();
    const { state } = region;
    const first = reader.knowledgeOf([state], state, note);
    assert.equal(first?.checkpoint.size, region.fold.size);
    assert.equal(reader.knowledgeOf([state], state, note), first);
    assert.equal(verified(), 1);
    region.revoke([7]);
    const later = region.state;
    assert.notEqual(reader.knowledgeOf([later], later, note), first);
    assert.equal(verified(), 2);
  });

  it('knowledgeOf gives nothing for a note by a key that is not the log’s, nor once its key is disowned', () => {
    const { region, reader, noteBy } = fixture();
    const { state } = region;
    assert.equal(reader.knowledgeOf([state], state, noteBy(region.key('stranger'))), undefined);
    const note = noteBy();
    assert.ok(reader.knowledgeOf([state], state, note));
    region.add(region.compromise(region.keys.checkpoint, {}));
    const later = region.state;
    assert.equal(reader.knowledgeOf([later], later, note), undefined);
  });
});
