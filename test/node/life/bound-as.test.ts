import assert from 'node:assert/strict';
import { boundAs } from '../../../node/life/bound-as.ts';
import { type Objection } from '../../../node/life/dossier.ts';

describe('boundAs', () => {
  const before = {
    holderKey: new Uint8Array(32).fill(1),
    document: { salt: new Uint8Array(16), hash: new Uint8Array(32) },
  };
  const said = { declaredAtS: 0, symptoms: false, stays: [] };
  const document = { type: 'passport', country: 'DE', number: 'C01X00T47' } as const;
  const dossier = (state: Objection['state'], identity = {}, device?: string) => ({
    declaration: { subject: 'P1', identity, said, ...(device !== undefined && { device }) },
    objections: [{ number: 1, state } as Objection],
  });

  it('keeps what the code before was bound to, but for another device', () => {
    assert.deepEqual(boundAs(dossier('open', { document }), before), { fields: before, document: undefined });
    const { holderKey } = boundAs(dossier('rejected', {}, '02'.repeat(32)), before).fields;
    assert.deepEqual(holderKey, new Uint8Array(32).fill(2));
    const unbound = { fields: { holderKey: undefined, document: undefined }, document: undefined };
    assert.deepEqual(boundAs(dossier('upheld', { document }), undefined), unbound);
  });

  it('once an objection was upheld a document is the one that the person declares, or none', () => {
    for (const state of ['upheld', 'corrected', 'ended'] as const) {
      const bound = boundAs(dossier(state, { document }), before);
      assert.equal(bound.fields.document, undefined);
      assert.deepEqual(bound.document, { country: 'DE', number: 'C01X00T47' });
      assert.deepEqual(boundAs(dossier(state), before).document, undefined);
    }
  });
});
