import assert from 'node:assert/strict';
import { receiptText } from '../../../cli/receipt-text.ts';
import { type LogReceipt, receiptOf } from '../../../node/trust/log-receipt.ts';
import { TrustBoard } from '../../../node/trust/trust-board.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { witnessName } from '../../../protocol/log/origin.ts';
import { COSIGNATURE, encodeVerifierKey, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type RegionKnowledge, Trust } from '../../../protocol/verdict/knowledge.ts';
import { cosignatureBy, type KeeperBench, keeperOf, noteOf } from '../../support/keeper-fixture.ts';
import { OUTSIDE_POLICY, OUTSIDE_VKEY, witnessPolicyOf } from '../../support/outside-witness.ts';
import { DAY_S, RegionFixture, START_S, type TestKey, trustModules } from '../../support/region-fixture.ts';
import { RunningClock } from '../../support/running-clock.ts';

describe('receiptOf the trust log of the home', () => {
  const clock = new RunningClock(START_S * 1000);
  const benches: KeeperBench[] = [];
  let home: RegionFixture;
  let peers: readonly RegionFixture[];
  let board: TrustBoard;

  beforeEach(() => {
    home = new RegionFixture({ region: 'DE' });
    peers = ['FR', 'IT'].map((region) => new RegionFixture({ region }));
    for (const peer of peers) home.recognise(peer);
    board = new TrustBoard({ home: home.region, network: home.network }, { ...trustModules, clock });
  });
  afterEach(async () => {
    for (const { store } of benches.splice(0)) await store.stop();
  });

  async function keeperFor(region: RegionFixture, note: Uint8Array): Promise<KeeperBench['keeper']> {
    const options = { clock, witnessKeys: board.witnessKeys, onChange: board.changed };
    const bench = await keeperOf(region, options);
    benches.push(bench);
    board.add(bench.keeper);
    await bench.keeper.apply({ from: 0, entries: region.entries, note });
    return bench.keeper;
  }

  /** Of the home's log, signed by this key and cosigned by both peers. */
  async function cosigned(key?: TestKey): Promise<KeeperBench['keeper']> {
    for (const peer of peers) await keeperFor(peer, noteOf(peer));
    const note = noteOf(home, undefined, key);
    const keeper = await keeperFor(home, note);
    const { text, signatures } = parseNote(note);
    const lines = [...signatures, ...peers.map((peer) => cosignatureBy(peer, text))];
    await keeper.heed(encodeNote({ text, signatures: lines }));
    return keeper;
  }

  function receipt({ tree, published, pending }: KeeperBench['keeper'], trust = board.trust): LogReceipt {
    const held = [published, ...pending].filter((one) => one !== undefined);
    const standing = trust.regions.get(trust.home)?.standing ?? assert.fail();
    return receiptOf(undefined, { tree, held, standing, trust, nowS: START_S }) ?? assert.fail();
  }

  it('says that the policy counted where it did, and that more are needed than the table asks for', async () => {
    const keeper = await cosigned();
    const { network, regions, sha256 } = board.trust;
    const policy = witnessPolicyOf(OUTSIDE_POLICY, network);
    const trust = new Trust({ home: home.region, network, regions: regions.values(), policy }, { sha256 });
    const told = receipt(keeper, trust);
    assert.deepEqual(told.witnessed, { counted: 0, needed: 1, of: 1, by: 'policy', isQuorum: false });
    assert.match(receiptText(told), /^Sequenced, not yet witnessed: .*1 needed by the policy\.$/);
  });

  it('is not by a policy of groups while one of them is silent, whoever else vouches, and its key is in order', async () => {
    const keeper = await cosigned();
    const { network, regions, sha256 } = board.trust;
    const lines = peers.map(({ region, keys: { witness } }) => {
      const name = witnessName(region, network);
      const key = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey: witness.publicKey });
      return `witness ${region} ${encodeVerifierKey(key)}`;
    });
    const byGroups = (quorum: string) => {
      const text = [
        ...lines,
        `witness w ${OUTSIDE_VKEY}`,
        'group regions any FR IT',
        `group both ${quorum} regions w`,
        'quorum both\n',
      ];
      const policy = witnessPolicyOf(text.join('\n'), network);
      return new Trust({ home: home.region, network, regions: regions.values(), policy }, { sha256 });
    };
    const told = receipt(keeper, byGroups('all'));
    assert.deepEqual(told.witnessed, { counted: 2, needed: 3, of: 3, by: 'policy', isQuorum: false });
    assert.match(receiptText(told), /^Sequenced, not yet witnessed: .*2 of 3 .*3 needed by the policy\.$/);
    const { isQuorum, needed } = receipt(keeper, byGroups('any')).witnessed;
    assert.deepEqual([isQuorum, needed], [true, 1]);
  });

  const withStanding = ({ home, network, regions, sha256 }: Trust, standing: RegionKnowledge['standing']) =>
    new Trust(
      {
        home,
        network,
        regions: [...regions.values()].map((one) => (one.state.region === home ? { ...one, standing } : one)),
      },
      { sha256 },
    );

  it('is witnessed where a quorum vouches and nothing speaks against it', async () => {
    const told = receipt(await cosigned());
    const { size } = told.sequenced;
    assert.deepEqual(told.witnessed, { counted: 2, needed: 1, of: 2, isQuorum: true, size, ageS: 0 });
    assert.match(receiptText(told), /^Sequenced and witnessed: /);
  });

  it('is not while the home has shown two trees, whoever vouches', async () => {
    const keeper = await cosigned();
    const other = new RegionFixture({ region: 'DE' });
    while (other.entries.length < home.entries.length) other.revoke([other.entries.length]);
    await keeper.heed(noteOf(other));
    assert.equal(board.trust.regions.get('DE')?.standing, 'forked');
    for (const [standing, doubt, words] of [
      ['forked', 'FORKED', /not settled/],
      ['quarantined', 'QUARANTINED', /a quorum vouched for two/],
    ] as const) {
      const told = receipt(keeper, withStanding(board.trust, standing));
      assert.deepEqual(told.witnessed, { counted: 2, needed: 1, of: 2, isQuorum: false, doubt });
      assert.match(receiptText(told), /^Sequenced, not witnessed: .*2 of 2 witnesses vouch/);
      assert.match(receiptText(told), words);
    }
  });

  it('is not where the key of the checkpoint had ended when it was vouched for', async () => {
    const ended = home.key('ended');
    home.admit([{ key: ended, role: 'checkpoint', from: START_S - DAY_S, until: START_S }]);
    const keeper = await cosigned(ended);
    assert.equal(board.trust.assess('DE', START_S)?.isCheckpointKeyFit, false);
    const told = receipt(keeper);
    const doubt = 'CHECKPOINT_KEY_UNFIT';
    assert.deepEqual(told.witnessed, { counted: 2, needed: 1, of: 2, isQuorum: false, doubt });
    assert.match(receiptText(told), /^Sequenced, not witnessed: .*has ended or is given up/);
  });
});
