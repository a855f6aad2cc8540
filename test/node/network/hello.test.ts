import assert from 'node:assert/strict';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { encodeHello, type Hello, parseHello, unwelcome } from '../../../node/network/hello.ts';
import { HELLO_BYTES_MAX, HELLO_HEADS_MAX } from '../../../node/network/network-limits.ts';

const HELLO: Hello = {
  network: 'test',
  region: 'CN-33',
  software: 'entente 0.1.0',
  versions: [1],
  heads: [{ origin: 'CN-33.test/trust', size: 3 }],
};

describe('parseHello', () => {
  it('takes back what encodeHello makes', () => {
    assert.deepEqual(parseHello(encodeHello(HELLO)), HELLO);
    const heads = Array.from({ length: HELLO_HEADS_MAX }, (_, i) => ({
      origin: `${'x'.repeat(50)}${i}`,
      size: 2 ** 53 - 1,
    }));
    assert.deepEqual(parseHello(encodeHello({ ...HELLO, heads })), { ...HELLO, heads });
  });

  for (const [what, changes] of [
    ['an unknown member', { now: 1 }],
    ['a region that is none', { region: 'CN-\u0421\u041d' }],
    ['a network that is none', { network: 'Test' }],
    ['no version', { versions: [] }],
    ['a version below 0', { versions: [-1] }],
    ['a head too many', { heads: new Array(HELLO_HEADS_MAX + 1).fill({ origin: 'x', size: 0 }) }],
    ['software with a name that is too long', { software: 'x'.repeat(65) }],
  ] as const) {
    it(`B48, T19: refuses ${what}`, () => {
      assert.throws(
        () => parseHello(encodeCbor({ ...HELLO, ...changes })),
        (error) => isProtocolError(error, 'SCHEMA_INVALID'),
      );
    });
  }

  it('T13: refuses what is too long before reading it', () => {
    assert.throws(
      () => parseHello(new Uint8Array(HELLO_BYTES_MAX + 1)),
      (error) => isProtocolError(error, 'TOO_LARGE'),
    );
  });
});

describe('unwelcome', () => {
  const own = { network: 'test', versions: [1, 2] };

  it('lets in who is of the same network, has a version in common and is who its identity says', () => {
    assert.equal(unwelcome(own, { ...HELLO, versions: [2, 99] }, 'CN-33'), undefined);
  });

  it('says why not', () => {
    assert.equal(unwelcome(own, { ...HELLO, network: 'other' }, 'CN-33'), 'other-network');
    assert.equal(unwelcome(own, { ...HELLO, versions: [99] }, 'CN-33'), 'other-version');
    assert.equal(unwelcome(own, HELLO, 'DE'), 'other-region');
    assert.equal(unwelcome(own, HELLO, undefined), 'other-region');
  });
});
