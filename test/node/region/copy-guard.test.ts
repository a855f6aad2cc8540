import assert from 'node:assert/strict';
import { CopyGuard } from '../../../node/region/copy-guard.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { RegionFixture, trustModules } from '../../support/region-fixture.ts';

describe('CopyGuard', () => {
  const region = new RegionFixture({ rootKeys: 3, threshold: 2 });
  const garbage = Uint8Array.of(1);

  /** A guard, and what it is given after the entries with which the region begins. */
  function guarding(): (entry: Uint8Array) => void {
    const guard = new CopyGuard(trustModules);
    const { fold, entries } = new RegionFixture({ rootKeys: 3, threshold: 2 });
    for (const entry of entries) guard.take(entry, undefined);
    return (entry) => {
      guard.take(entry, fold.append(entry));
    };
  }
  const isGivenUp = (error: unknown) => isProtocolError(error, 'TOO_LARGE');
  const times = (count: number, action: () => void) => {
    for (let i = 0; i < count; i++) action();
  };

  it('T17: gives up at the 257th entry without effect of a log that is shorter else', () => {
    const take = guarding();
    times(256, () => {
      take(garbage);
    });
    assert.throws(() => {
      take(garbage);
    }, isGivenUp);
  });

  it('lets as many entries without effect pass as there are others', () => {
    const take = guarding();
    const others = 300;
    for (let index = region.entries.length; index < others; index++)
      take(region.entryOf(region.revocation([index])));
    times(others, () => {
      take(garbage);
    });
    assert.throws(() => {
      take(garbage);
    }, isGivenUp);
  });

  it('B53: counts a statement that was there before, also with fewer signatures', () => {
    const statement = { kind: 'log', log: '2026-12', minimum: 0 } as const;
    const signed = [
      region.entryOf(statement, region.rootKeys),
      region.entryOf(statement, region.rootKeys.slice(1)),
    ];
    const take = guarding();
    take(region.entryOf(statement, 'root'));
    times(128, () => {
      for (const entry of signed) take(entry);
    });
    for (const entry of signed)
      assert.throws(() => {
        take(entry);
      }, isGivenUp);
  });
});
