import assert from 'node:assert/strict';
import { cosignedText } from '../../cli/cosigned-text.ts';

describe('cosignedText', () => {
  const log = { origin: 'DE.demo/attest/2026-11', size: 1_200, needed: 2, of: 3, unwilling: {} };
  const witnessed = { size: 1_000, by: ['FR', 'IT'], ageS: 40 };

  it('says how far a log is witnessed, by whom and since when, and who is asked in vain', () => {
    const text = cosignedText({ ...log, witnessed, unwilling: { BE: { why: 'silent' } } });
    assert.equal(text, '; 1,000 witnessed by FR, IT (2 of 3, 2 needed), 40 s ago; BE does not answer');
    const whole = cosignedText({ ...log, witnessed: { ...witnessed, size: 1_200 } });
    assert.equal(whole, '; witnessed by FR, IT (2 of 3, 2 needed), 40 s ago');
  });

  it('says that too few have vouched, and shouts what the operator has to look at', () => {
    const shown = { size: 1_200, by: ['FR'] };
    const unwilling = { IT: { why: 'ahead', size: 1_300 }, BE: { why: 'outrun', size: 1_201 } };
    const text = cosignedText({ ...log, shown, unwilling });
    assert.equal(text, '; not yet witnessed (1 of 3, 2 needed); IT SAYS THAT IT COSIGNED 1,300');
  });

  it('says nothing of a region that nobody witnesses', () => {
    assert.equal(cosignedText({ ...log, of: 0 }), '');
  });
});
