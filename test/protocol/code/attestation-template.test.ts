import assert from 'node:assert/strict';
import fc from 'fast-check';
import { draftAttestation } from '../../../protocol/code/attestation-draft.ts';
import { AttestationTemplate, keyIdOfDraft } from '../../../protocol/code/attestation-template.ts';

const hour = Date.UTC(2026, 10, 5, 12) / 3_600_000;
const keyId = '0123456789abcdef';

describe('AttestationTemplate', () => {
  it('gives the drafts of draftAttestation', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('DE', 'CN-33', 'US-ABC'),
        fc.constantFrom('2026-11', '2026-11.9'),
        fc.maxSafeNat().map((index) => index % 2 ** 40),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (region, log, index, commitment) => {
          const template = new AttestationTemplate({ region, log, hour }, keyId, 'demo');
          const expected = draftAttestation({ region, log, hour, index, commitment }, keyId, 'demo').bytes;
          assert.deepEqual(template.draft(index, commitment), expected);
          assert.equal(keyIdOfDraft(expected), keyId);
        },
      ),
    );
    const template = new AttestationTemplate({ region: 'DE', log: '2026-11', hour }, keyId, 'demo');
    for (const index of [0, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1]) {
      const claims = { region: 'DE', log: '2026-11', hour, index, commitment: new Uint8Array(32).fill(9) };
      assert.deepEqual(
        template.draft(index, claims.commitment),
        draftAttestation(claims, keyId, 'demo').bytes,
      );
    }
  });

  it('refuses what an attestation cannot say', () => {
    const template = new AttestationTemplate({ region: 'DE', log: '2026-11', hour }, keyId, 'demo');
    const commitment = new Uint8Array(32);
    for (const index of [-1, 0.5, 2 ** 40, NaN])
      assert.throws(() => template.draft(index, commitment), TypeError);
    for (const bytes of [31, 33]) assert.throws(() => template.draft(0, new Uint8Array(bytes)), TypeError);
    assert.throws(
      () => new AttestationTemplate({ region: 'DE', log: '2026-12', hour }, keyId, 'demo'),
      TypeError,
    );
  });
});
