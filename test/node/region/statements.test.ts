import assert from 'node:assert/strict';
import { NodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { cutOffsWithin, mayStillSign, withTrustLogKey } from '../../../node/region/statements.ts';
import { logMonth } from '../../../protocol/trust/log-month.ts';
import { type TrustKey, type TrustState } from '../../../protocol/trust/trust-state.ts';
import { testKey } from '../../support/keys.ts';
import { DAY_S } from '../../support/regions.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

describe('keys that may still sign', () => {
  const { untilS: monthS } = logMonth('2026-11');
  const key: TrustKey = {
    keyId: '0011223344556677',
    publicKey: new Uint8Array(32),
    role: 'attest',
    fromS: monthS - 3 * DAY_S,
    untilS: monthS + 3 * DAY_S,
  };

  it('mayStillSign holds for a key to come, and until 31 days after a window, but for none that is given up', () => {
    const overS = key.untilS + 31 * DAY_S;
    assert.deepEqual(
      [key.fromS - DAY_S, key.untilS, overS - 1, overS].map((atS) => mayStillSign(key, atS)),
      [true, true, true, false],
    );
    assert.equal(mayStillSign({ ...key, compromise: { version: 1, cutOffs: new Map() } }, key.fromS), false);
  });

  it('mayStillSign goes by windows as announced, whenever a key was retired for, and for checkpoint keys by none', () => {
    const overS = key.untilS + 31 * DAY_S;
    const retirement = { version: 1, announcedUntilS: key.untilS };
    for (const untilS of [key.fromS - DAY_S, key.fromS, key.fromS + DAY_S]) {
      const retired = { ...key, untilS, retirement };
      assert.deepEqual(
        [key.fromS - DAY_S, untilS + 31 * DAY_S, overS - 1, overS].map((atS) => mayStillSign(retired, atS)),
        [true, true, true, false],
      );
      assert.equal(mayStillSign({ ...retired, role: 'checkpoint' }, overS), true);
    }
    assert.equal(mayStillSign({ ...key, role: 'checkpoint' }, overS), true);
    const compromise = { version: 1, cutOffs: new Map() };
    assert.equal(mayStillSign({ ...key, role: 'checkpoint', retirement, compromise }, key.fromS), false);
  });

  it('cutOffsWithin leaves the logs whose months meet the window, and of a key to come none', () => {
    const cutOffs = ['2026-10', '2026-11', '2026-12', '2027-01'].map((log) => ({
      log,
      size: 1,
      root: new Uint8Array(32),
    }));
    const logs = (of: typeof key, atS: number) => cutOffsWithin(cutOffs, of, atS).map(({ log }) => log);
    assert.deepEqual(logs(key, key.fromS), ['2026-11', '2026-12']);
    assert.deepEqual(logs({ ...key, untilS: monthS }, monthS), ['2026-11']);
    assert.deepEqual(logs({ ...key, fromS: monthS }, monthS), ['2026-12']);
    assert.deepEqual(logs(key, key.fromS - 1), []);
  });
});

describe('withTrustLogKey', () => {
  const atS = 1_795_435_200 + 60;
  const state = { keysWithRole: () => [] } as unknown as TrustState;
  const signer = { ...testKey(7), keyId: '0011223344556677' };
  const keysWhere = (code?: NodeErrorCode) => ({
    trustLogBy: () => {
      if (code === undefined) return signer;
      throw new NodeError(code, 'as it is told');
    },
    create: () => Promise.resolve(signer),
  });

  for (const code of ['KEY_FILE_MISSING', 'KEY_NOT_IN_FORCE'] as const)
    it(`admits a key from this hour on, before all else, on ${code}`, async () => {
      const statements = await withTrustLogKey([{ kind: 'state' } as never], state, keysWhere(code), atS);
      const [first] = statements;
      assert.ok(statements.length === 2 && first?.kind === 'keys');
      const [admitted, ...others] = first.keys;
      assert.ok(admitted !== undefined && others.length === 0);
      assert.deepEqual([admitted.role, admitted.from], ['trust-log', atS - 60]);
      assert.deepEqual(admitted.key, signer.publicKey);
      assert.ok(admitted.until > atS);
    });

  it('makes no key where one can sign, nor where a file cannot be used', async () => {
    assert.deepEqual(await withTrustLogKey([], state, keysWhere(), atS), []);
    await rejectsWith(withTrustLogKey([], state, keysWhere('KEY_FILE_INVALID'), atS), 'KEY_FILE_INVALID');
  });
});
