import assert from 'node:assert/strict';
import { StatementVet } from '../../../node/core/statement-vet.ts';
import { ProtocolError } from '../../../protocol/fault.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { RegionFixture } from '../../support/region-fixture.ts';

const noHistory = (index: number): never => {
  throw new ProtocolError('HISTORY_NEEDED', `entries from index ${index} on are needed`, { index });
};

function isBusy(call: () => void): void {
  assert.throws(call, (error) => isNodeError(error, 'LOG_BUSY'));
}

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

  it('takes a further root and what that makes known, in one order, and from there on nothing of the root before', () => {
    const next = made.key('next root');
    const vet = blind();
    vet.take(
      made.entryOf(made.rootStatement({ version: 2, keys: [next] }), [...made.rootKeys, next]),
      from + 1,
    );
    const fresh = made.keysStatement([{ key: made.key('fresh attest'), role: 'attest' }]);
    isBusy(() => vet.take(made.entryOf(fresh), from + 2));
    vet.take(made.entryOf(fresh, [next]), from + 2);
    vet.take(made.entryOf({ kind: 'limits', version: 1, revocationsPerHour: 9 }, [next]), from + 3);
  });

  it('takes a further compromise that only the fold can check, and what the root signs behind both', () => {
    const vet = blind();
    vet.take(made.entryOf(made.compromise(made.keys.checkpoint, { trust: made.cutOff(size) })), from + 1);
    const fresh = made.key('fresh trust-log');
    vet.take(made.entryOf(made.keysStatement([{ key: fresh, role: 'trust-log' }])), from + 2);
    isBusy(() => vet.take(made.entryOf(made.revocation([2]), [fresh]), from + 3));
  });

  it('REFUSED: what the root has not signed, and a root that does not follow, have no effect whatever stands before them', () => {
    const thief = made.key('thief');
    const asRoot = { ...thief, keyId: made.rootKeys[0]?.keyId ?? assert.fail() };
    const vet = blind();
    const limits = { kind: 'limits', version: 1, revocationsPerHour: 9 } as const;
    const refuses = (entry: Uint8Array) =>
      assert.throws(
        () => vet.take(entry, from + 1),
        (error) => isNodeError(error, 'REFUSED'),
      );
    refuses(made.entryOf(limits, [asRoot]));
    refuses(made.entryOf(made.rootStatement({ version: 2, keys: [thief] }), [thief]));
    refuses(made.entryOf(made.rootStatement({ version: 3, keys: [thief] }), [...made.rootKeys, thief]));
    vet.take(made.entryOf(limits), from + 1);
  });

  it('T3: has what a key signs that may be given up wait: nobody acknowledges what would be void', () => {
    const revocation = made.entryOf(made.revocation([2]));
    const vet = blind();
    isBusy(() => vet.take(revocation, from + 1));
    // Once it is folded, it is void, and is refused for good.
    made.add(made.compromise(made.keys['trust-log'], { trust: made.cutOff(size) }));
    assert.throws(
      () => vet.take(revocation, from + 1),
      (error) => isNodeError(error, 'REFUSED'),
    );
  });
});
