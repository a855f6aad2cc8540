import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { CheckpointReader } from '../../../protocol/verdict/checkpoint-reader.ts';
import { Federation, NOW_S, noteOf, type Vouched } from '../../support/snapshot-fixture.ts';
import { trustModules } from '../../support/region-fixture.ts';

describe('CheckpointReader', () => {
  const federation = new Federation('DE', 'FR', 'CN-33');
  const region = federation.region('CN-33');
  const all = [...federation.regions.values()];
  const knowledgeOf = (vouched: Vouched = {}, states = all.map(({ state }) => state)) =>
    new CheckpointReader(states, trustModules).knowledgeOf(region.state, noteOf(region, all, vouched));

  it('names who signed and who cosigned by region and key id', () => {
    const { checkpoint, logKeyIds, cosignatures, standing } = knowledgeOf();
    assert.deepEqual(checkpoint, { origin: region.origin, size: region.fold.size, root: region.fold.root });
    assert.deepEqual(logKeyIds, [region.keys.checkpoint.keyId]);
    assert.equal(standing, 'good');
    assert.deepEqual(
      cosignatures,
      all.map(({ region: name, keys }) => ({ region: name, keyId: keys.witness.keyId, timestampS: NOW_S })),
    );
  });

  it('ignores cosigners whose state it was not given', () => {
    assert.deepEqual(
      knowledgeOf({}, [federation.region('FR').state]).cosignatures.map((one) => one.region),
      ['FR'],
    );
  });

  it('A18: knows no compromised key, neither of a witness nor of the log', () => {
    const other = new Federation('DE', 'FR', 'CN-33');
    const [french, chinese] = [other.region('FR'), other.region('CN-33')];
    const read = () =>
      new CheckpointReader(
        [...other.regions.values()].map(({ state }) => state),
        trustModules,
      ).knowledgeOf(chinese.state, noteOf(chinese, [...other.regions.values()]));
    assert.equal(read().cosignatures.length, 3);
    french.add(french.compromise(french.keys.witness, {}));
    assert.deepEqual(
      read().cosignatures.map((one) => one.region),
      ['DE', 'CN-33'],
    );
    chinese.add(chinese.compromise(chinese.keys.checkpoint, {}));
    assert.throws(read, (error: unknown) => isProtocolError(error, 'NOTE_UNSIGNED'));
  });

  it('A22: takes no key of another role or region for the log’s own', () => {
    const french = federation.region('FR').keys;
    for (const checkpointKey of [region.keys.witness, region.keys['trust-log'], french.checkpoint]) {
      assert.throws(
        () => knowledgeOf({ checkpointKey }),
        (error: unknown) => isProtocolError(error, 'NOTE_UNSIGNED'),
      );
    }
  });
});
