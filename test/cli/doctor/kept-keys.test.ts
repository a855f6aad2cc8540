import assert from 'node:assert/strict';
import { checkKept } from '../../../cli/doctor/key-checks.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { TestCli } from '../../support/cli.ts';
import { runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { trustModules } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY_S = 86_400;

describe('checkKept', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let patient: ReadablePatient;
  before(async () => {
    const dir = folder();
    const well = await wellPatient(dir);
    await new TestCli(dir).json('lookup', 'announce', well.path, 'numbers', '--prefix', 'DE-');
    const { state } = await readPublicRegion(well.layout.public, {}, trustModules);
    patient = { ...well, state };
  });

  /** Ten days later. */
  const textsOf = async (...[of, more]: Parameters<typeof runningOn>) =>
    (await checkKept(runningOn({ ...of, nowS: of.nowS + 10 * DAY_S }, more))).map(
      ({ level, text }) => `${level}: ${text}`,
    );

  it('T18: names what is over by the clock here and not by those of others, and why', async () => {
    const [first] = patient.state?.keysWithRole('attest').toSorted((a, b) => a.fromS - b.fromS) ?? [];
    assert.ok(first !== undefined && first.untilS < patient.nowS + 9 * DAY_S);
    const few = /^warn: 1 attest key and 9 day seeds .* too few of the regions/;
    const [told = '', ...more] = await textsOf(patient);
    assert.match(told, few);
    assert.deepEqual(more, []);
    const clock = { standing: 'doubtful', aheadOfS: {}, needed: 2 } as const;
    const doubted = await textsOf(patient, { clock, surelyPastS: patient.nowS + 3 * DAY_S });
    assert.match(doubted.join(), /^warn: 1 attest key and .* others doubt the clock/);
    // A node that has just been told the time has not destroyed them yet.
    assert.deepEqual(await textsOf(patient, { surelyPastS: patient.nowS + 10 * DAY_S }), []);
  });

  it('says nothing of what is not over, of a machine that does not sign, and where no node runs', async () => {
    assert.deepEqual(await checkKept(runningOn(patient)), []);
    assert.deepEqual(await textsOf(patient, { writing: 'standby' }), []);
    assert.deepEqual(await checkKept({ ...patient, nowS: patient.nowS + 10 * DAY_S }), []);
  });
});
