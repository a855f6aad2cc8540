import assert from 'node:assert/strict';
import { z } from 'zod';
import { isNodeError } from '../../../node/node-error.ts';
import { encodePaddedJson, membersOf, parsePaddedJson } from '../../../node/registry/padded-json.ts';

const MEMBERS = membersOf(z.strictObject({ name: z.string(), of: z.int().optional() }));

describe('parsePaddedJson', () => {
  it('gives what was encoded, and multiples of a length are read alike', () => {
    for (const value of [{ name: 'Zoë' }, { name: '', of: 7 }]) {
      const bytes = encodePaddedJson(value, 64);
      assert.equal(bytes.length, 64);
      assert.deepEqual(parsePaddedJson(bytes, MEMBERS), value);
    }
  });

  it('refuses what lacks a member, has one that is not known or is no object, and quotes nothing of it', () => {
    for (const value of [
      { of: 7 },
      { name: 'Zoë', Zoë: 1 },
      JSON.parse('{"name":"","__proto__":{}}'),
      'Zoë',
      null,
      ['Zoë'],
    ])
      assert.throws(
        () => parsePaddedJson(encodePaddedJson(value, 64), MEMBERS),
        (error) => isNodeError(error, 'REGISTRY_CORRUPT') && !String(error.stack).includes('Zoë'),
      );
    assert.throws(
      () => parsePaddedJson(Buffer.from('{"Zoë"'), MEMBERS),
      (error) => isNodeError(error, 'REGISTRY_CORRUPT') && !String(error.stack).includes('Zoë'),
    );
  });
});
