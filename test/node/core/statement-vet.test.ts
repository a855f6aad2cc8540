import assert from 'node:assert/strict';
import { StatementVet } from '../../../node/core/statement-vet.ts';
import { ProtocolError } from '../../../protocol/fault.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const noHistory = (index: number): never => {
  throw new ProtocolError('HISTORY_NEEDED', `entries from index ${index} on are needed`, { index });
};

describe('StatementVet behind a compromise that only the fold can check', () => {
  const made = new RegionFixture({ region: 'DE' });
  const { size } = made.fold;
  made.revoke([1]);
  const from = made.fold.size;
  const stolen = made.entryOf(made.compromise(made.keys['trust-log'], { trust: made.cutOff(size) }));
  const blind = () => {
    const vet = new StatementVet({
      fold: {
        get size() {
          return made.fold.size;
        },
        fork: () => made.fold.fork(noHistory),
      },
    });
    vet.take(stolen, from);
    return vet;
  };

  it('takes what the root signs, so that all of its order is logged', () => {
    const fresh = made.key('fresh trust-log');
    blind().take(made.entryOf(made.keysStatement([{ key: fresh, role: 'trust-log' }])), from + 1);
  });

  it('T3: has what a key signs that may be given up wait: nobody acknowledges what would be void', () => {
    const revocation = made.entryOf(made.revocation([2]));
    const vet = blind();
    assert.throws(
      () => vet.take(revocation, from + 1),
      (error) => isNodeError(error, 'LOG_BUSY'),
    );
    // Once it is folded, it is void, and is refused for good.
    made.add(made.compromise(made.keys['trust-log'], { trust: made.cutOff(size) }));
    assert.throws(
      () => vet.take(revocation, from + 1),
      (error) => isNodeError(error, 'REFUSED'),
    );
  });
});
