import assert from 'node:assert/strict';
import { PeerDirectory, type InvitedPeer } from '../../../node/network/peer-directory.ts';
import { isPeerName, peerNameOf } from '../../../node/network/peer-name.ts';
import { DAY_S, RegionFixture, START_S, type TestKey } from '../../support/region-fixture.ts';

const ADDRESS = '/ip4/192.0.2.7/tcp/7411';

function bench(invited: readonly InvitedPeer[] = []) {
  const de = new RegionFixture({ region: 'DE' });
  const fr = new RegionFixture({ region: 'FR' });
  const regions = new Map([de, fr].map((region) => [region.region, region]));
  let nowS = START_S;
  const directory = new PeerDirectory(
    { home: 'DE', invited },
    { clock: { nowMs: () => nowS * 1000 }, stateOf: (region) => regions.get(region)?.state },
  );
  const addNode = (region: RegionFixture, key: TestKey, from = START_S, until = START_S + DAY_S) => {
    region.add({ kind: 'node', key: key.publicKey, addresses: [ADDRESS], from, until });
    return peerNameOf(key.publicKey);
  };
  return { de, fr, directory, addNode, at: (s: number) => (nowS = s) };
}

describe('PeerDirectory', () => {
  it('admits nodes of the home and of the regions that it recognises, and nobody else', () => {
    const { de, fr, directory, addNode } = bench();
    const own = addNode(de, de.key('node'));
    const other = addNode(fr, fr.key('node'));
    assert.deepEqual([...directory.admissions().keys()], [own]);
    de.recognise(fr);
    assert.deepEqual(directory.admissions().get(other), {
      region: 'FR',
      standing: 'recognised',
      addresses: [ADDRESS],
    });
    assert.equal(directory.regionOf(other), 'FR');
    assert.ok(!directory.isInvited(other) && !directory.isInvited('12D3KooW'));
    assert.equal(directory.regionOf('12D3KooW'), undefined);
  });

  it('admits a node within its window, and within that of the recognition', () => {
    const { de, fr, directory, addNode, at } = bench();
    const node = addNode(fr, fr.key('node'), START_S, START_S + 60);
    de.recognise(fr);
    assert.equal(directory.regionOf(node), 'FR');
    at(START_S - 1);
    assert.equal(directory.regionOf(node), undefined);
    at(START_S + 60);
    assert.equal(directory.regionOf(node), undefined);
  });

  it('keeps a suspended region with the lesser share, and drops a withdrawn one', () => {
    const { de, fr, directory, addNode } = bench();
    const node = addNode(fr, fr.key('node'));
    de.recognise(fr);
    de.add({ kind: 'suspension', region: 'FR', version: 1 });
    assert.equal(directory.admissions().get(node)?.standing, 'invited');
    assert.ok(directory.isInvited(node));
    de.add({ kind: 'withdrawal', region: 'FR', version: 2 });
    assert.equal(directory.regionOf(node), undefined);
  });

  it('admits whom the operator invites before any trust log names them, and then as what the log says', () => {
    const fr = new RegionFixture({ region: 'FR' });
    const peer = peerNameOf(fr.key('node').publicKey);
    const invited = { peer, region: 'FR', addresses: ['/dns4/fr.example/tcp/1'] };
    const { de, fr: known, directory, addNode } = bench([invited]);
    assert.equal(directory.admissions().get(peer)?.standing, 'invited');
    addNode(known, known.key('node'));
    de.recognise(known);
    const admission = directory.admissions().get(peer);
    assert.equal(admission?.standing, 'recognised');
    assert.deepEqual(admission?.addresses, ['/dns4/fr.example/tcp/1', ADDRESS]);
  });

  it('T19: a region cannot claim a node that the operator knows as another’s', () => {
    const it = new RegionFixture({ region: 'IT' });
    const peer = peerNameOf(it.key('node').publicKey);
    const { de, fr, directory, addNode } = bench([{ peer, region: 'IT', addresses: [] }]);
    addNode(fr, it.key('node'));
    de.recognise(fr);
    assert.equal(directory.regionOf(peer), 'IT');
  });
});

describe('isPeerName', () => {
  it('takes the name of an Ed25519 key in its only spelling', () => {
    const name = peerNameOf(new RegionFixture().key('node').publicKey);
    assert.equal(isPeerName(name), true);
    for (const text of [
      '',
      'DE',
      name.slice(0, -1),
      `${name}1`,
      ` ${name}`,
      'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    ]) {
      assert.equal(isPeerName(text), false, text);
    }
    assert.throws(() => peerNameOf(new Uint8Array(31)), RangeError);
  });
});
