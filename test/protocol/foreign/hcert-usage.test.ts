import assert from 'node:assert/strict';
import { hcertUsagesOf } from '../../../protocol/foreign/hcert-usage.ts';

describe('hcertUsagesOf', () => {
  for (const [name, oids, expected] of [
    ['nothing is everything', [], undefined],
    ['a usage of another kind restricts nothing', ['1.3.6.1.5.5.7.3.2'], undefined],
    ['the arc of the specification', ['1.3.6.1.4.1.1847.2021.1.1'], ['test']],
    ['the arc with a .0 inside', ['1.3.6.1.4.1.0.1847.2021.1.2'], ['vaccination']],
    ['a trailing .0', ['1.3.6.1.4.1.1847.2021.1.3.0'], ['recovery']],
    ['both spellings of one', ['1.3.6.1.4.1.1847.2021.1.1', '1.3.6.1.4.1.0.1847.2021.1.1'], ['test']],
    [
      'another number of the arc restricts nothing',
      ['1.3.6.1.4.1.1847.2021.1.4', '1.3.6.1.4.1.1847.2021.1.11'],
      undefined,
    ],
  ] as const) {
    it(name, () => assert.deepEqual(hcertUsagesOf(oids), expected));
  }
});
