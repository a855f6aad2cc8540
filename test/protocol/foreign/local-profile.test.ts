import assert from 'node:assert/strict';
import { adapterData, readAdapter } from '../../../protocol/foreign/adapter.ts';
import { LOCAL_FACTS } from '../../../protocol/foreign/local-facts.ts';
import { JSON_PROFILE, LOCAL_SIGNER, localKey, profileOf } from '../../support/local-fixture.ts';

describe('readAdapter of the format local', () => {
  const profile = profileOf(JSON_PROFILE);
  const data = adapterData({ profile, rules: 'local', facts: LOCAL_FACTS, keys: [localKey(LOCAL_SIGNER)] });
  const logged = { id: 'pass', version: 1, fromS: 0, untilS: 10, data };
  const small = { kind: 'ed25519', bytes: new Uint8Array(32) } as const;

  it('gives back what was announced', () => {
    const read = readAdapter(logged);
    assert.deepEqual([read.format, read.profile, read.keys.length], ['local', profile, 1]);
  });

  for (const [name, change, without] of [
    ['without a profile', {}, 'profile'],
    ['B35 with a key of small order', { keys: [{ id: 'k1', issuer: 'ZZ', key: small }] }, ''],
    ['of another format with a profile', { format: 'shc', keys: [] }, ''],
    ['of another format with an Ed25519 key', { format: 'hcert' }, 'profile'],
  ] as const)
    it(`refuses one ${name}`, () => {
      const bad = Object.fromEntries(
        Object.entries({ ...data, ...change }).filter(([key]) => key !== without),
      );
      assert.throws(() => readAdapter({ ...logged, data: bad }), {
        fault: { code: 'STATEMENT_MALFORMED', details: {} },
      });
    });
});
