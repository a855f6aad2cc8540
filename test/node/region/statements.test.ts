import assert from 'node:assert/strict';
import { cutOffsWithin, mayStillSign } from '../../../node/region/statements.ts';
import { logMonth } from '../../../protocol/trust/log-month.ts';
import { type TrustKey } from '../../../protocol/trust/trust-state.ts';
import { DAY_S } from '../../support/regions.ts';

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
    // Retired before it began.
    assert.equal(mayStillSign({ ...key, untilS: key.fromS }, key.fromS - 1), false);
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
