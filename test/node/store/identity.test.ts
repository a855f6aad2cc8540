import assert from 'node:assert/strict';
import { encodeIdentity, SCHEMA_VERSION, verifyIdentity } from '../../../node/store/identity.ts';
import { isNodeError } from '../../../node/node-error.ts';

const OWNER = 'CN-33.example';
const text = (line: string): Uint8Array => Uint8Array.from(Buffer.from(line, 'latin1'));

describe('store identity', () => {
  it('is one line of text that any schema can read', () => {
    const identity = encodeIdentity({ schema: SCHEMA_VERSION, owner: OWNER });
    assert.equal(Buffer.from(identity).toString(), `entente 2 ${OWNER}`);
    assert.deepEqual(verifyIdentity(identity, OWNER), { schema: 2, owner: OWNER });
    assert.deepEqual(verifyIdentity(text(`entente 1 ${OWNER}`), OWNER), { schema: 1, owner: OWNER });
  });

  it('verifyIdentity B72: SCHEMA_NEWER before STORE_FOREIGN, both with what was found', () => {
    const codeOf = (line: string): string => {
      try {
        verifyIdentity(text(line), OWNER);
        return 'passed';
      } catch (error) {
        return isNodeError(error) ? error.code : String(error);
      }
    };
    assert.equal(codeOf(`entente ${SCHEMA_VERSION + 1} ${OWNER}`), 'SCHEMA_NEWER');
    assert.equal(codeOf('entente 999999999 DE.example'), 'SCHEMA_NEWER');
    assert.equal(codeOf('entente 1 CN-33.example2'), 'STORE_FOREIGN');
    assert.equal(codeOf('entente 1 cn-33.example'), 'STORE_FOREIGN');
    const malformed = [
      '',
      'entente',
      `entente 0 ${OWNER}`,
      `entente 01 ${OWNER}`,
      `entente 1 ${OWNER}\n`,
      `entente 1  ${OWNER}`,
      `entente 1 ${'x'.repeat(201)}`,
      'entente 1 CN-\xc133',
    ];
    for (const line of malformed) assert.equal(codeOf(line), 'STORE_CORRUPT', line);
  });

  it('encodeIdentity takes owners of 1 to 200 printable ASCII characters', () => {
    encodeIdentity({ schema: 1, owner: 'x'.repeat(200) });
    for (const owner of ['', 'x'.repeat(201), 'a b', 'СN-33']) {
      assert.throws(() => encodeIdentity({ schema: 1, owner }), RangeError, owner);
    }
  });
});
