import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type KnownRegion, readKnownRegion, type SoughtRegion } from '../../../node/region/known-log.ts';
import { copyPath, trustLogPath } from '../../../node/region/layout.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { publishLog, putFile } from '../../support/published-files.ts';
import { START_S, RegionFixture, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { noteOf } from '../../support/snapshot-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const ORIGIN = 'CN-33.test/trust';
const modules = { ...trustModules, nowS: () => START_S };

describe('readKnownRegion', () => {
  const folder = temporaryFolders();
  let dir: string;
  let peer: RegionFixture;
  const at = (name: string) => join(dir, name);
  /** The peer as it was at first, to tell another story or the same one. */
  const another = () => new RegionFixture({ region: 'CN-33' });

  beforeEach(() => {
    dir = folder();
    peer = another();
  });

  /** Publishes a log, or a copy of it, as it is now. */
  function publish(logPath: string, log: RegionFixture, checkpointKey?: TestKey): void {
    publishLog(logPath, log.entries, noteOf(log, [], checkpointKey && { checkpointKey }));
  }
  const tearEntries = (logPath: string) => {
    rmSync(join(logPath, 'tile'), { recursive: true });
  };

  const shown = () => trustLogPath(at('peer'));
  const copyOf = (name: string) => copyPath(at(name), ORIGIN, peer.fingerprint);
  const read = (changes: Partial<SoughtRegion> = {}): Promise<KnownRegion> =>
    readKnownRegion(
      {
        region: 'CN-33',
        network: 'test',
        fingerprint: peer.fingerprint,
        path: at('peer'),
        readerPath: at('reader'),
        copiesAt: [at('third'), at('fourth')],
        ...changes,
      },
      modules,
    );
  const sizesOf = ({ region, branches, shownSize }: KnownRegion) => ({
    known: region.checkpoint.size,
    branches: branches.map(({ checkpoint }) => checkpoint.size),
    shown: shownSize,
  });
  const isFailure = (code: NodeErrorCode, text: RegExp) => (error: unknown) =>
    isNodeError(error, code) && text.test(error.message);

  it('takes the longest log that anybody keeps, and says what the region itself shows', async () => {
    publish(shown(), peer);
    peer.revoke([1]);
    publish(copyOf('reader'), peer);
    peer.revoke([2]);
    publish(copyOf('third'), peer);
    assert.deepEqual(sizesOf(await read()), { known: 5, branches: [], shown: 3 });
  });

  it('T9: knows a region whose directory is gone or empty of entries by the copies', async () => {
    publish(copyOf('third'), peer);
    assert.deepEqual(sizesOf(await read()), { known: 3, branches: [], shown: 0 });
    assert.deepEqual(sizesOf(await read({ path: undefined })), { known: 3, branches: [], shown: 3 });
    publish(shown(), peer);
    tearEntries(shown());
    assert.deepEqual(sizesOf(await read()), { known: 3, branches: [], shown: 0 });
  });

  it('looks at no copy without the fingerprint of the root: anybody could have made one', async () => {
    publish(shown(), peer);
    peer.revoke([1]);
    publish(copyOf('third'), peer);
    assert.deepEqual(sizesOf(await read({ fingerprint: undefined })), { known: 3, branches: [], shown: 3 });
  });

  it('T19: passes over copies of another region under the same name, and of other logs', async () => {
    publish(shown(), peer);
    const stranger = new RegionFixture({ region: 'CN-33', rootKeys: 2 });
    stranger.revoke([1]);
    publish(copyOf('third'), stranger);
    const other = new RegionFixture({ region: 'FR' });
    other.revoke([1]);
    publish(copyOf('fourth'), other);
    assert.deepEqual(sizesOf(await read()), { known: 3, branches: [], shown: 3 });
  });

  it('B57: passes over copies that are garbage', async () => {
    publish(shown(), peer);
    for (const [name, note] of [
      ['third', 'no note'],
      ['fourth', ''],
    ] as const)
      putFile(join(copyOf(name), 'checkpoint'), note);
    assert.deepEqual(sizesOf(await read()), { known: 3, branches: [], shown: 3 });
  });

  describe('of a log that claims the most entries that there may be', () => {
    const CLAIMED = { size: 262_144 };
    /** The genuine entries, then what anybody can write; files of what is said to come after that there are none. */
    const inflate = (logPath: string, fill: readonly Uint8Array[], log = peer) => {
      const { entries } = log;
      const filled = (index: number) => entries[index] ?? fill[index % fill.length] ?? assert.fail();
      const all = Array.from({ length: 768 }, (_, index) => filled(index));
      publishLog(logPath, all, noteOf(log, [], { checkpoint: CLAIMED }));
    };
    const garbage = [Uint8Array.of(1)];

    for (const [what, fill] of [
      ['garbage', () => garbage],
      ['what the region has said already', () => peer.entries],
      ['the last revocation again and again', () => peer.entries.slice(-1)],
    ] as const) {
      it(`T17: gives up the copy of a third region that is filled with ${what}, and says so`, async () => {
        peer.revoke([1]);
        publish(shown(), peer);
        inflate(copyOf('third'), fill());
        const found = await read();
        assert.deepEqual(sizesOf(found), { known: 4, branches: [], shown: 4 });
        const [{ keptAt, reason } = assert.fail()] = found.passedOver;
        assert.equal(keptAt, at('third'));
        assert.match(reason, /: 257 of its first \d+ entries say nothing$/);
      });
    }

    it('T17: reads no further than the first entry of a copy with another root', async () => {
      publish(shown(), peer);
      const stranger = new RegionFixture({ region: 'CN-33', rootKeys: 2 });
      inflate(copyOf('third'), garbage, stranger);
      const { passedOver } = await read();
      assert.match(passedOver[0]?.reason ?? '', /^PIN_MISMATCH: this is another region under the same name/);
    });

    for (const [whose, place] of [
      ['the region itself', shown],
      ['the reader', () => copyOf('reader')],
    ] as const) {
      it(`gives up nothing in the directory of ${whose}: it is read until files are missing`, async () => {
        inflate(place(), garbage);
        await assert.rejects(read(), isFailure('DATA_INCONSISTENT', /is missing|cannot be read/));
      });
    }
  });

  it('takes the copy of a third region whole, of whose entries a compromise has voided most', async () => {
    publish(shown(), peer);
    const [before, thieves] = [peer.cutOff(), peer.keys['trust-log']];
    for (let index = 0; index < 400; index++) peer.revoke([index]);
    peer.add(peer.compromise(thieves, { trust: before }));
    assert.equal(peer.fold.findings.length, 400);
    publish(copyOf('third'), peer);
    const found = await read();
    assert.deepEqual(sizesOf(found), { known: 404, branches: [], shown: 3 });
    assert.deepEqual(found.passedOver, []);
  });

  it('looks at a whole copy after a torn one of the same note, and names that', async () => {
    publish(copyOf('third'), peer);
    tearEntries(copyOf('third'));
    publish(copyOf('fourth'), peer);
    const { region, passedOver } = await read();
    assert.equal(region.checkpoint.size, 3);
    assert.deepEqual(
      passedOver.map(({ keptAt }) => keptAt),
      [at('third')],
    );
  });

  it('T4: goes by what the reader has seen, and names each other story', async () => {
    publish(shown(), peer);
    peer.revoke([1]);
    publish(copyOf('reader'), peer);
    const twin = another();
    for (const index of [2, 3, 4]) twin.revoke([index]);
    publish(shown(), twin);
    const third = another();
    third.revoke([5]);
    publish(copyOf('third'), third);
    assert.deepEqual(sizesOf(await read()), { known: 4, branches: [6, 4], shown: 6 });
  });

  it('T4: goes by what the reader has seen, however many longer stories are told', async () => {
    peer.revoke([1]);
    publish(copyOf('reader'), peer);
    const copiesAt = Array.from({ length: 12 }, (_, index) => `twin ${index}`);
    for (const [index, name] of copiesAt.entries()) {
      const twin = another();
      twin.revoke([100 + index]);
      twin.revoke([200 + index]);
      publish(copyOf(name), twin);
    }
    const found = await read({ copiesAt: copiesAt.map(at) });
    assert.equal(found.region.checkpoint.size, 4);
    assert.equal(found.branches.length, 8);
  });

  it('T3: passes over a log by a checkpoint key that the other one has given up', async () => {
    const thief = another();
    thief.revoke([1]);
    thief.revoke([2]);
    const fresh = peer.key('fresh checkpoint');
    peer.admit([{ key: fresh, role: 'checkpoint' }]);
    peer.add(peer.compromise(peer.keys.checkpoint, {}));
    publish(shown(), peer, fresh);
    publish(copyOf('third'), thief);
    assert.deepEqual(sizesOf(await read()), { known: 5, branches: [], shown: 5 });
  });

  describe('where the reader has seen a branch that a thief signed', () => {
    let fresh: TestKey;

    beforeEach(() => {
      const thief = another();
      for (const index of [1, 2, 3]) thief.revoke([index]);
      publish(copyOf('reader'), thief);
      fresh = peer.key('fresh checkpoint');
      peer.admit([{ key: fresh, role: 'checkpoint' }]);
      publish(shown(), peer, fresh);
    });

    it('T3: goes by the branch that the root has named, though it is shorter', async () => {
      peer.add(peer.compromise(peer.keys.checkpoint, { trust: peer.cutOff() }));
      publish(shown(), peer, fresh);
      assert.deepEqual(sizesOf(await read()), { known: 5, branches: [], shown: 5 });
    });

    it('T3: stays with what was seen where the root named no branch', async () => {
      peer.add(peer.compromise(peer.keys.checkpoint, {}));
      publish(shown(), peer, fresh);
      assert.deepEqual(sizesOf(await read()), { known: 6, branches: [5], shown: 5 });
    });

    it('T3: stays with what was seen where the other is signed by the key that its root gave up', async () => {
      peer.add(peer.compromise(peer.keys.checkpoint, { trust: peer.cutOff() }));
      publish(shown(), peer);
      assert.deepEqual(sizesOf(await read()), { known: 6, branches: [5], shown: 5 });
    });
  });

  describe('where the copy of the reader itself cannot be read', () => {
    beforeEach(() => {
      publish(shown(), peer);
      peer.revoke([1]);
      publish(copyOf('reader'), peer);
      tearEntries(copyOf('reader'));
    });
    const isTorn = isFailure(
      'DATA_INCONSISTENT',
      /cannot be read .*; remove that folder, then run `entente witness`/,
    );

    it('takes a log that continues it', async () => {
      peer.revoke([2]);
      publish(copyOf('third'), peer);
      assert.deepEqual(sizesOf(await read()), { known: 5, branches: [], shown: 3 });
    });

    it('T9: takes no shorter log, which may lack what it had seen revoked', async () => {
      await assert.rejects(read(), isTorn);
    });

    it('T4: takes no longer log that is another', async () => {
      const twin = another();
      twin.revoke([2]);
      twin.revoke([3]);
      publish(copyOf('third'), twin);
      await assert.rejects(read(), isTorn);
    });

    it('takes nothing where not even the checkpoint can be read', async () => {
      putFile(join(copyOf('reader'), 'checkpoint'), 'no note');
      await assert.rejects(read(), isTorn);
    });
  });

  it('rejects where nobody has anything of the region, and with what its own directory shows if that is all', async () => {
    await assert.rejects(read(), isFailure('PEER_UNREACHABLE', /no region publishes at/));
    publish(shown(), new RegionFixture({ region: 'CN-33', rootKeys: 2 }));
    await assert.rejects(read(), (error) => isProtocolError(error, 'PIN_MISMATCH'));
  });
});
