/** Bytes of an override as software written by SPEC.md 5.7 alone made them, in another language. */
import assert from 'node:assert/strict';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import {
  encodeBasis,
  evidenceOf,
  type OverrideBasis,
  parseBasis,
} from '../../../protocol/disclosure/basis.ts';
import {
  confirmationMessage,
  isSignedByTwo,
  overrideStatus,
  peopleDigest,
  personMark,
  proposalMessage,
} from '../../../protocol/disclosure/override.ts';
import { verifySignature } from '../../support/keys.ts';
import { ANNA, BERT, signedBasis } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';

const NAMES = { region: 'DE', network: 'demo' };
const AT_S = 1_795_737_600;
const ID = '94f737ff00112233445566778899aabb';
const DIGEST = '3ef570eb7c80a5e9b265bee28bde08f09d4f5b164c8343f050f5ca6b0bb75334';
const SIGNED = '05a99aefa40d1828acd7688a60a53e466de1b03fffe44a1a1e39c83cd7bc8455';
const BASIS =
  '85011a6b08c83c782039346637333766663030313132323333343435353636373738383939616162620386020e025820' +
  '3ef570eb7c80a5e9b265bee28bde08f09d4f5b164c8343f050f5ca6b0bb753348464616e6e611a6b08c8005820b533d8' +
  'ad9fcfbdde0b481c1b334ddc3c53412fd614564e7e5afd020368d382c35840e5399d88cdcd8ba8e061ef5b0eda289d0c' +
  'fae361b6f7f0e3a72e6ba1b8a9de7b5332e6f60caa2fb3b5ce2bdf98d619f357a9ab6983a30315bc30e92ed5e84a0383' +
  '64626572745820705fbac01f5519899f437bc42e40255ae9ab54bff00de3433af7d687d9e71ad55840961196606d8079' +
  '5bbff456d18d4e41af8eb8a5a7e780fa575d46a06644eda9527e1b2e4dd8dcf098776f3d560e4da9e6597571d95e63b9' +
  '42094d598ef6b2c806';
const EVIDENCE = 'ed75224e6efd1389976172b309b5f431d220ed08a09c8257d289d51359abd148';

describe('an override as two operators sign it', () => {
  const basis = signedBasis(NAMES, { id: ID, atS: AT_S + 60, people: 2, digest: hexBytes(DIGEST) });
  const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  it('peopleDigest is of the marks of people by salts, in whatever order', () => {
    const salt = (from: number) => Uint8Array.from({ length: 16 }, (_, i) => from + i);
    const [one, other] = [personMark(sha256, salt(0), 'Person 00001'), personMark(sha256, salt(16), '王 芳')];
    for (const marks of [
      [one, other],
      [other, one],
    ])
      assert.equal(hexOf(peopleDigest(sha256, marks)), DIGEST);
    assert.notEqual(hexOf(peopleDigest(sha256, [one])), DIGEST);
  });

  it('each signs a text of lines', () => {
    const { proposed, confirmed } = basis;
    assert.equal(
      textOf(proposalMessage(NAMES, basis, proposed)),
      `entente/override-proposal/v1\nDE\ndemo\n${ID}\noutbreak\nred\n14\n2\n${DIGEST}\nanna\n${AT_S}\n`,
    );
    assert.equal(
      textOf(confirmationMessage(sha256, NAMES, basis, confirmed)),
      `entente/override-confirmation/v1\n${SIGNED}\nbert\n${AT_S + 60}\n`,
    );
  });

  it('its basis is these bytes, and the evidence that hash', () => {
    assert.equal(hexOf(encodeBasis(basis)), BASIS);
    assert.deepEqual(parseBasis(hexBytes(BASIS)), basis);
    assert.equal(hexOf(evidenceOf(sha256, hexBytes(BASIS))), EVIDENCE);
  });

  it('isSignedByTwo takes it as it was signed, and no other way round', () => {
    const isGood = (one: OverrideBasis, names = NAMES) =>
      isSignedByTwo({ sha256, verifySignature }, names, one);
    assert.equal(isGood(basis), true);
    const { proposed, confirmed } = basis;
    for (const bad of [
      { ...basis, confirmed: { ...confirmed, atS: confirmed.atS + 1 } },
      { ...basis, proposed: { ...proposed, atS: proposed.atS + 1 } },
      { ...basis, confirmed: { ...confirmed, name: 'carla' } },
      { ...basis, confirmed: { ...confirmed, publicKey: ANNA.publicKey } },
      { ...basis, proposed: confirmed, confirmed: proposed },
      { ...basis, proposed: { ...proposed, publicKey: BERT.publicKey } },
    ])
      assert.equal(isGood(bad), false);
    assert.equal(isGood(basis, { ...NAMES, network: 'other' }), false);
  });

  it('overrideStatus ends with the day count from the hour of confirming on', () => {
    const untilS = 1_795_737_600 + 14 * 86_400;
    const red = {
      colour: 'red',
      measure: 'isolate',
      untilS,
      expiresAtS: untilS,
      ruleId: 'manual',
      ruleVersion: 1,
    };
    for (const atS of [AT_S, AT_S + 3_599])
      assert.deepEqual(overrideStatus({ colour: 'red', days: 14 }, atS), red);
    assert.equal(overrideStatus({ colour: 'red', days: 14 }, AT_S + 3_600).untilS, untilS + 3_600);
    const { measure, untilS: none } = overrideStatus({ colour: 'green', days: 1 }, AT_S);
    assert.deepEqual([measure, none], ['none', undefined]);
  });
});
