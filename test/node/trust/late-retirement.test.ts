import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { givingUp, retiring } from '../../../node/region/statements.ts';
import { type TrustKey } from '../../../protocol/trust/trust-state.ts';
import { encodeStatement, signStatement } from '../../../protocol/trust/statement.ts';
import { copyRegion } from '../../support/region-templates.ts';
import { Clock, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const HOUR_S = 3_600;

describe('a retirement that comes to a node', () => {
  const folder = temporaryFolders();

  it('is logged until the key is to end, and refused from then on, whenever it was signed', async () => {
    const clock = new Clock();
    const path = await copyRegion(folder(), 'DE');
    await inRegion(path, clock.modules, async (region) => {
      const hourS = clock.nowS - (clock.nowS % HOUR_S);
      const roots = await region.keys.roots();
      const key = keyInForce(region.state.keysWithRole('attest'), clock.nowS);
      const entryFor = (untilS: number) => {
        const body = encodeStatement({ ...retiring(key, untilS), at: clock.nowS });
        return signStatement(region.originOf('trust'), body, roots);
      };
      const [early, late] = [entryFor(hourS + 2 * HOUR_S), entryFor(hourS + HOUR_S)];
      clock.nowS = hourS + HOUR_S;
      const { trustSize } = region;
      await assert.rejects(region.node.submit({ entry: late }), (error) => isNodeError(error, 'REFUSED'));
      assert.equal(region.trustSize, trustSize);
      clock.nowS = hourS + 2 * HOUR_S - 1;
      await region.node.submit({ entry: early });
      assert.equal(region.state.key(key.keyId)?.untilS, hourS + 2 * HOUR_S);
      assert.equal(region.keys.attest.inForce(clock.nowS).keyId, key.keyId);
      clock.nowS++;
      assert.throws(
        () => region.keys.attest.inForce(clock.nowS),
        (error) => isNodeError(error, 'KEY_NOT_IN_FORCE'),
      );
    });
  });

  it('of a key to come leaves a window that nothing is put in place of, should the key be given up then', async () => {
    const clock = new Clock();
    const path = await copyRegion(folder(), 'DE');
    await inRegion(path, clock.modules, async (region) => {
      const keys = region.state.keysWithRole('attest');
      const toCome = keys.find(({ fromS }) => fromS > clock.nowS) ?? assert.fail();
      const { keyId } = toCome;
      const hourS = clock.nowS - (clock.nowS % HOUR_S) + HOUR_S;
      await region.append([retiring(toCome, hourS)], 'root');
      const given = await givingUp(region.state.key(keyId) ?? assert.fail(), [], region.keys, clock.nowS);
      assert.equal(given.replacement, undefined);
      await region.append(given.statements, 'root');
      assert.ok(region.state.key(keyId)?.compromise);
    });
  });
});

function keyInForce(keys: readonly TrustKey[], atS: number): TrustKey {
  return keys.find(({ fromS, untilS }) => fromS <= atS && atS < untilS) ?? assert.fail();
}
