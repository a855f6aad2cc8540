import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { encodeBase64Url } from '../../../protocol/encoding/base64-url.ts';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { signedLocal } from '../../../protocol/foreign/verify-local.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { LOCAL_CLAIMS, JSON_PROFILE, mapped, OTHER_SIGNER } from '../../support/local-fixture.ts';
import { jsonCode, localAdapter, verdictOf, announcing } from '../../support/local-world.ts';
import { stubState } from '../../support/stub-state.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

async function idsOf(text: string, ...adapters: readonly LoggedAdapter[]) {
  const state = stubState({ region: 'AT', adapters });
  const codes = await signedLocal(nativeForeignPrimitives, text, state, NOW_S);
  return codes.map(({ code }) => code.content['id']);
}

const ID = LOCAL_CLAIMS['id'];
const NAME = LOCAL_CLAIMS['nm'];
const BY_NAME = mapped(JSON_PROFILE, { id: ['nm'] });

describe('signedLocal', () => {
  it('reads a text by the longest beginning alone, as the verdict does', async () => {
    // Three spaces before the object, which are the end of the longer beginning.
    const text = `ZZ${encodeBase64Url(utf8Bytes(`   ${jsonCode().slice(4)}`))}`;
    const wrapped = { text: 'base64url' };
    const short = localAdapter({ ...JSON_PROFILE, ...wrapped, prefix: 'ZZ' }, { id: 'a' });
    const long = localAdapter({ ...BY_NAME, ...wrapped, prefix: 'ZZICAg' }, { id: 'b' });
    assert.deepEqual(await idsOf(text, short), [ID]);
    assert.deepEqual(await idsOf(text, short, long), [NAME]);
    assert.equal((await verdictOf({ text, issuer: announcing(short, long) })).foreign?.adapter, 'b');
  });

  it('gives what the text is by each profile by which it is signed, four at most', async () => {
    assert.deepEqual(await idsOf(jsonCode(), localAdapter(), localAdapter(BY_NAME, { id: 'other' })), [
      NAME,
      ID,
    ]);
    const five = [0, 1, 2, 3, 4].map((i) =>
      localAdapter(mapped(JSON_PROFILE, { expiresAt: undefined, life: 60 + i }), { id: `p${i}` }),
    );
    assert.equal((await idsOf(jsonCode(), ...five)).length, 4);
  });

  it('gives nothing for a text that no key of the region has signed', async () => {
    assert.deepEqual(await idsOf(jsonCode({}, OTHER_SIGNER), localAdapter()), []);
    assert.deepEqual(await idsOf('ZZJ:', localAdapter()), []);
    assert.deepEqual(await idsOf('other', localAdapter()), []);
  });
});
