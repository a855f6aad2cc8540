import assert from 'node:assert/strict';
import { type OutsideSeen } from '../../../cli/desk/node-status.ts';
import { checkOutside } from '../../../cli/doctor/outside-checks.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { outsideText } from '../../../cli/outside-text.ts';
import { runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('checkOutside', () => {
  const folder = temporaryFolders();
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  const seen = (more: Partial<OutsideSeen> = {}): OutsideSeen => ({
    name: 'w.example/witness',
    url: 'https://w.example/add-checkpoint',
    troubles: {},
    ...more,
  });
  const found = (...outside: OutsideSeen[]) => checkOutside(runningOn(well, { outside }));
  const trouble = (why: string, agoS: number) => ({ 'DE.demo/trust': { why, sinceS: well.nowS - agoS } });

  it('says nothing without such witnesses, and that all is well where they answer', () => {
    assert.deepEqual([checkOutside(well), checkOutside(runningOn(well))], [[], []]);
    assert.deepEqual(
      found(seen()).map(({ level }) => level),
      ['ok'],
    );
    assert.match(outsideText(seen()), /^w\.example\/witness at https:.*vouches/);
  });

  it('warns of one that has not answered for two minutes, once and since when', () => {
    const silent = (agoS: number) =>
      seen({ silentSinceS: well.nowS - agoS, troubles: trouble('silent', agoS) });
    assert.deepEqual(
      found(silent(119)).map(({ level }) => level),
      ['ok'],
    );
    const [only, ...more] = found(silent(120));
    assert.deepEqual([only?.level, more], ['warn', []]);
    assert.match(only?.text ?? '', /w\.example\/witness does not answer at .* since 2026-/);
    assert.match(outsideText(silent(120)), /DOES NOT ANSWER since 2026-/);
  });

  it('warns of each log for which it does not vouch, with what it says', () => {
    const one = seen({ troubles: trouble('unknown-log', 300) });
    assert.match(found(one)[0]?.text ?? '', /does not vouch for DE\.demo\/trust since .*: it does not know/);
    assert.match(outsideText(one), /DE\.demo\/trust: does not know this log/);
    const strange = seen({
      troubles: { 'DE.demo/trust': { why: 'strange', sinceS: well.nowS - 300, status: 502 } },
    });
    assert.match(found(strange)[0]?.text ?? '', /no witness does \(502\)/);
  });
});
