import assert from 'node:assert/strict';
import { isForeignRevoked } from '../../../protocol/trust/foreign-revoked.ts';
import { hexBytes } from '../../../protocol/bytes.ts';
import { stubState } from '../../support/stub-state.ts';

const [IN_STATE, BESIDE, NEITHER] = ['11', '22', '33'].map((byte) => byte.repeat(16)) as [
  string,
  string,
  string,
];

describe('isForeignRevoked', () => {
  const state = stubState({
    region: 'FR',
    foreignRevocations: [{ hashes: [hexBytes(IN_STATE)], untilS: 9 }],
  });
  const empty = stubState({ region: 'FR' });
  const beside = new Set([BESIDE]);

  it('counts what the state revokes and what counts beside it, and nothing else', () => {
    for (const [hash, expected] of [
      [IN_STATE, true],
      [BESIDE, true],
      [NEITHER, false],
    ] as const)
      assert.equal(
        isForeignRevoked({ state, foreignRevokedBeside: beside }, () => [NEITHER, hash]),
        expected,
      );
    assert.equal(
      isForeignRevoked({ state: empty, foreignRevokedBeside: beside }, () => [BESIDE]),
      true,
    );
    assert.equal(
      isForeignRevoked({ state }, () => [BESIDE]),
      false,
    );
  });

  it('asks for no hash where nothing is revoked', () => {
    const unasked = () => assert.fail('not to be asked');
    assert.equal(isForeignRevoked({ state: empty }, unasked), false);
    assert.equal(isForeignRevoked({ state: empty, foreignRevokedBeside: new Set() }, unasked), false);
  });
});
