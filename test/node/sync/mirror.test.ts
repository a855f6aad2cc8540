import assert from 'node:assert/strict';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { Mirror } from '../../../node/sync/mirror.ts';
import { Machine } from '../../support/log-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { PublishedLog, words } from '../../support/published-log.ts';
import { hurriedClock } from '../../support/store-fixture.ts';

describe('Mirror.heed', () => {
  it('puts a note by the key in force in the place of one on the same tree by a key that was given up', async () => {
    const before = new PublishedLog(words(5));
    const after = new PublishedLog(words(5), { key: 'successor' });
    const machine = new Machine();
    const store = await machine.openStore();
    const tree = await machine.openTree(store);
    let keys = before.keys;
    const { verifySignature } = opensslBackEnd;
    let changes = 0;
    const mirror = await Mirror.open({
      clock: hurriedClock,
      store,
      tree,
      keys: () => keys,
      sha256,
      verifySignature,
      onGrown: () => void changes++,
    });
    await mirror.apply(before.piece(0));
    assert.equal(await mirror.heed(before.note()), 'known');
    assert.equal(await mirror.heed(after.note()), 'known');
    assert.deepEqual(mirror.note, before.note(), 'a key that is not known signs nothing');
    keys = after.keys;
    assert.equal(await mirror.heed(before.note()), 'known');
    assert.deepEqual(mirror.note, before.note(), 'nothing better has come yet');
    assert.equal(changes, 1);
    assert.equal(await mirror.heed(after.note()), 'known');
    assert.equal(changes, 2, 'who looks for what it proves is told');
    assert.deepEqual(mirror.note, after.note());
    assert.equal(await mirror.heed(before.note()), 'known');
    assert.deepEqual(mirror.note, after.note(), 'the key that was given up takes nothing back');
    assert.equal(changes, 2);
    tree.close();
    await store.stop();
  });
});
