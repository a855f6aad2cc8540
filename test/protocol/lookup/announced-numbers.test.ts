import assert from 'node:assert/strict';
import { numberAnnouncers } from '../../../protocol/lookup/announced-numbers.ts';
import { opaqueAdapterData } from '../../../protocol/lookup/opaque-adapter.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { type Trust } from '../../../protocol/verdict/knowledge.ts';
import { recognised } from '../../support/stub-trust.ts';

const KEY = Buffer.alloc(32, 7);

/** What a gate of ZZ leans on, which recognises all of these by adapter, or but one in another way. */
function trustOf(
  prefixes: Readonly<Record<string, string>>,
  direct?: string,
  withdrawn: Readonly<Record<string, string>> = {},
  suspended?: string,
): Trust {
  const stateOf = (region: string, prefix: string | undefined) => ({
    region,
    adapters: () =>
      prefix === undefined
        ? []
        : [
            {
              id: 'numbers',
              version: 1,
              fromS: 0,
              untilS: 86_400,
              data: opaqueAdapterData(prefix, [{ day: 0, publicKey: KEY }]),
            },
          ],
    recognition: (of: string) =>
      of in withdrawn
        ? { standing: 'withdrawn' }
        : recognised(of, {
            way: of === direct ? 'direct' : 'adapter',
            standing: of === suspended ? 'suspended' : 'recognised',
          }),
  });
  const all = Object.entries({ ZZ: undefined, ...prefixes });
  return {
    home: 'ZZ',
    regions: new Map(
      all.map(([region, prefix]) => [region, { state: stateOf(region, prefix) as unknown as TrustState }]),
    ),
    withdrawn: Object.entries(withdrawn).map(
      ([region, prefix]) => stateOf(region, prefix) as unknown as TrustState,
    ),
  } as unknown as Trust;
}

describe('numberAnnouncers', () => {
  const namesOf = (trust: Trust, text: string) =>
    numberAnnouncers(trust, text, 1).map(({ region }) => region);

  it('has the longest beginning first, so that nobody crowds out whom a number names', () => {
    const trust = trustOf({ AA: 'n', BB: 'n', CC: 'n', DD: 'n', EE: 'n-ee-', FF: 'x' });
    assert.deepEqual(namesOf(trust, 'n-ee-1'), ['EE', 'AA', 'BB', 'CC', 'DD']);
    assert.deepEqual(namesOf(trust, 'n1'), ['AA', 'BB', 'CC', 'DD']);
    assert.deepEqual(namesOf(trust, 'y1'), []);
  });

  it('T5 has the home first, whatever others announce, and whose recognition is not in force last', () => {
    const prefixes = { AA: 'n-z', BB: 'n-z', CC: 'n-z', DD: 'n-z', ZZ: 'n-' };
    assert.deepEqual(namesOf(trustOf(prefixes, undefined, {}, 'AA'), 'n-z1'), ['ZZ', 'BB', 'CC', 'DD', 'AA']);
  });

  it('leaves out who is recognised in another way, unless there is nobody else', () => {
    const trust = trustOf({ AA: 'n', BB: 'n-b' }, 'BB');
    assert.deepEqual(namesOf(trust, 'n-b1'), ['AA']);
    assert.deepEqual(namesOf(trustOf({ BB: 'n-b' }, 'BB'), 'n-b1'), ['BB']);
  });

  it('has who is withdrawn only where there is nobody else, and never to be asked', () => {
    const withdrawn = { AA: 'n' };
    assert.deepEqual(namesOf(trustOf({ BB: 'n' }, undefined, withdrawn), 'n1'), ['BB']);
    assert.deepEqual(namesOf(trustOf({ BB: 'n' }, 'BB', withdrawn), 'n1'), ['BB']);
    const alone = numberAnnouncers(trustOf({ BB: 'x' }, undefined, withdrawn), 'n1', 1);
    assert.deepEqual(
      alone.map(({ region, isByAdapter }) => [region, isByAdapter]),
      [['AA', false]],
    );
  });
});
