import assert from 'node:assert/strict';
import { otherMachine } from '../../../node/network/named-peers.ts';
import { PeerDirectory, type InvitedPeer } from '../../../node/network/peer-directory.ts';
import { NODES_OF_REGION } from '../../../node/network/network-limits.ts';
import { isPeerName, peerNameOf } from '../../../node/network/peer-name.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { DAY_S, RegionFixture, START_S, type TestKey } from '../../support/region-fixture.ts';

const ADDRESS = '/ip4/192.0.2.7/tcp/7411';

function bench(invited: readonly InvitedPeer[] = [], other?: InvitedPeer) {
  const de = new RegionFixture({ region: 'DE' });
  const fr = new RegionFixture({ region: 'FR' });
  const regions = new Map([de, fr].map((region) => [region.region, region]));
  let nowS = START_S;
  const options = { home: 'DE', invited, other };
  const directory = new PeerDirectory(options, {
    clock: { nowMs: () => nowS * 1000 },
    stateOf: (region) => regions.get(region)?.state,
  });
  const addNode = (region: RegionFixture, key: TestKey, from = START_S, until = START_S + DAY_S) => {
    region.add({ kind: 'node', key: key.publicKey, addresses: [ADDRESS], from, until });
    return peerNameOf(key.publicKey);
  };
  return { de, fr, options, directory, addNode, at: (s: number) => (nowS = s) };
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
    assert.deepEqual(directory.shareOf(other), { region: 'FR', isInvited: false });
    assert.deepEqual(directory.shareOf('12D3KooW'), { region: '', isInvited: true }, 'the lesser share');
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
    assert.deepEqual(directory.shareOf(node), { region: 'FR', isInvited: true });
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

  it('lets in the other machine of the home by the config, while the log of the home names nobody or names that one too', () => {
    const key = new RegionFixture({ region: 'DE' }).key('other');
    const peer = peerNameOf(key.publicKey);
    const there = '/dns4/other.example/tcp/1';
    const { de, directory, addNode, at } = bench([], { peer, region: 'DE', addresses: [there] });
    assert.deepEqual(directory.admissions().get(peer), {
      region: 'DE',
      standing: 'invited',
      addresses: [there],
    });
    addNode(de, key);
    addNode(de, de.key('node'));
    assert.deepEqual(directory.admissions().get(peer), {
      region: 'DE',
      standing: 'recognised',
      addresses: [there, ADDRESS],
    });
    at(START_S + DAY_S);
    assert.equal(directory.regionOf(peer), 'DE', 'what is held of the log is old');
  });

  it('T19: the other machine of the config is let in no more where the log of the home names others and not that one, or has ended it', () => {
    const key = new RegionFixture({ region: 'DE' }).key('other');
    const peer = peerNameOf(key.publicKey);
    const { de, directory, addNode, at } = bench([], { peer, region: 'DE', addresses: [ADDRESS] });
    const own = addNode(de, de.key('node'));
    assert.deepEqual([...directory.admissions().keys()], [own], 'it is not named yet, or no more');
    addNode(de, key, START_S, START_S + 60);
    assert.equal(directory.regionOf(peer), 'DE');
    at(START_S + 60);
    assert.equal(directory.regionOf(peer), undefined, 'it is ended');
    at(START_S + DAY_S);
    assert.equal(directory.regionOf(peer), 'DE', 'the log that is held is so old that it names nobody');
  });

  it('T19: a region cannot claim a node that the operator knows as another’s', () => {
    const it = new RegionFixture({ region: 'IT' });
    const peer = peerNameOf(it.key('node').publicKey);
    const { de, fr, directory, addNode } = bench([{ peer, region: 'IT', addresses: [] }]);
    addNode(fr, it.key('node'));
    de.recognise(fr);
    assert.equal(directory.regionOf(peer), 'IT');
  });

  it('T18: lets in few nodes of a region: those that the operator names, and then those that it named last', () => {
    const named = peerNameOf(new RegionFixture({ region: 'FR' }).key('named').publicKey);
    const { de, fr, directory, addNode, at } = bench([{ peer: named, region: 'FR', addresses: [] }]);
    de.recognise(fr);
    addNode(fr, fr.key('named'), START_S - 1);
    const nodes = Array.from({ length: 8 }, (_, i) => addNode(fr, fr.key(`node ${i}`), START_S + (i % 5)));
    const own = Array.from({ length: NODES_OF_REGION }, (_, i) => addNode(de, de.key(`own ${i}`)));
    at(START_S + 60);
    const last = [nodes[4], nodes[3], [nodes[2], nodes[7]].toSorted()[0]];
    assert.deepEqual(new Set(directory.admissions().keys()), new Set([named, ...own, ...last]));
    assert.equal(directory.shareOf(named).isInvited, false);
    assert.equal(directory.regionOf(nodes[0] ?? ''), undefined);
  });

  it('finds out once who may connect, and anew when a log, the configuration or the time says otherwise', () => {
    const { de, fr, options, directory, addNode, at } = bench();
    de.recognise(fr);
    const node = addNode(fr, fr.key('node'), START_S, START_S + 60);
    const first = directory.admissions();
    at(START_S + 59);
    assert.equal(directory.regionOf(node), 'FR');
    assert.equal(directory.admissions(), first);
    const later = addNode(fr, fr.key('later'), START_S + 100);
    const second = directory.admissions();
    assert.ok(second !== first && !second.has(later));
    at(START_S + 60);
    assert.equal(directory.regionOf(node), undefined);
    at(START_S + 100);
    assert.equal(directory.regionOf(later), 'FR');
    at(START_S + 10);
    assert.equal(directory.regionOf(later), undefined, 'the clock was set back');
    options.invited = [{ peer: later, region: 'FR', addresses: [] }];
    assert.equal(directory.regionOf(later), 'FR');
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

describe('otherMachine', () => {
  it('is the node that the config names as the other one of its region, by bare addresses', () => {
    const key = new RegionFixture({ region: 'DE' }).key('node').publicKey;
    const standby = { key: hexOf(key), addresses: [ADDRESS, `${ADDRESS}/p2p/${peerNameOf(key)}`] };
    const of = (writer: Parameters<typeof otherMachine>[0]['writer']) =>
      otherMachine({ region: 'DE', writer });
    const addresses = [ADDRESS, ADDRESS];
    assert.deepEqual(of({ fenced: true, standby }), { peer: peerNameOf(key), region: 'DE', addresses });
    assert.equal(of({ fenced: true }), undefined);
  });
});
