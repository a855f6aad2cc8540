import assert from 'node:assert/strict';
import { type RunningStatus } from '../../../cli/desk/node-status.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { checkQuorums } from '../../../cli/doctor/quorum-checks.ts';
import { examine, examineRunning } from '../../../cli/doctor/examine.ts';
import { runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('checkQuorums', () => {
  const folder = temporaryFolders();
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  type Seen = RunningStatus['regions'][number];
  type Witnesses = NonNullable<Seen['knowledge']>['witnesses'];
  const known = (counted: number, needed: number, of: number, ageS = 5) => ({
    size: 3,
    ageS,
    witnesses: { counted, needed, of } satisfies Witnesses,
  });
  const region = (id: string, knowledge: Seen['knowledge'], more: Partial<Seen> = {}): Seen => ({
    region: id,
    standing: 'recognised',
    way: 'direct',
    fingerprint: 'ab'.repeat(32),
    fromS: well.nowS - 86_400,
    untilS: well.nowS + 86_400,
    knowledge,
    ...more,
  });
  /** DE recognises FR, LU and SE, of which FR is vouched for by `heard`. */
  function patient(fr: Seen['knowledge'], heard: readonly string[], more: Partial<RunningStatus> = {}) {
    const { process } = runningOn(well).running as RunningStatus;
    return runningOn(well, {
      regions: [
        region('DE', known(3, 2, 3), { standing: 'home' }),
        region('FR', fr),
        region('LU', known(2, 2, 3)),
        region('SE', known(2, 2, 3), { standing: 'suspended' }),
      ],
      vouching: ['FR', 'LU', 'SE'].map((id) => ({
        region: id,
        vouchesForUsAtS: well.nowS,
        vouchedByUsAtS: well.nowS,
        witnessedBy: id === 'FR' ? [...heard] : ['DE', 'FR'],
      })),
      process: { ...process, uptimeS: 3_600 },
      ...more,
    });
  }

  it('finds nothing where all have their quorum', () => {
    const [only, ...more] = checkQuorums(patient(known(2, 2, 3), ['DE', 'LU']));
    assert.deepEqual([only?.level, more], ['ok', []]);
    assert.deepEqual(checkQuorums(well), []);
  });

  it('by a policy says so, names nobody by the table, and warns where it asks for fewer', () => {
    const by = (counted: number, needed: number, of: number) => ({
      ...known(counted, needed, of),
      witnesses: { counted, needed, of, by: 'policy' },
    });
    const [lacking] = checkQuorums(patient(by(1, 2, 3), ['DE']));
    assert.equal(lacking?.level, 'must');
    assert.match(lacking.text, /codes of FR .* by witness\.policy 1 of 3 vouch .* 2 are needed$/);
    const [never] = checkQuorums(patient(by(1, 3, 2), ['DE']));
    assert.match(never?.text ?? '', /no number of witnesses can vouch/);
    const [weaker, ...more] = checkQuorums(patient(by(1, 1, 3), ['DE']));
    assert.deepEqual([weaker?.level, more], ['warn', []]);
    assert.match(weaker?.text ?? '', /fewer who vouch for FR than the table/);
    assert.equal(checkQuorums(patient(by(2, 2, 3), ['DE']))[0]?.level, 'ok');
  });

  it('says whose codes are undetermined, who is silent, and what helps, in doctor and in status', async () => {
    const short = patient(known(1, 2, 3), ['DE']);
    const [found, ...more] = checkQuorums(short);
    assert.deepEqual([found?.level, found?.exit, more], ['must', 4, []]);
    assert.match(
      found?.text ?? '',
      /^codes of FR are undetermined: its log is vouched for by 1 of 3, and 2 are needed; not by LU, SE$/,
    );
    assert.match(
      found?.fix ?? '',
      /^entente peer add LU FR --invite --fingerprint (ab){32} {3}# by the people of LU, SE, /,
    );
    for (const all of [await examine(short), await examineRunning(short)])
      assert.ok(
        all.some(({ level, text }) => level === 'must' && text.startsWith('codes of FR are undetermined')),
      );
  });

  it('says so of what enough vouched for too long ago, of what is not known, and of the home', () => {
    const old = checkQuorums(patient(known(2, 2, 3, 601), ['DE']));
    assert.match(
      old[0]?.text ?? '',
      /FR are undetermined: as many as are needed vouched for its log 10 min ago/,
    );
    assert.equal(checkQuorums(patient(known(2, 2, 3, 600), ['DE']))[0]?.level, 'ok');
    assert.match(
      checkQuorums(patient(undefined, []))[0]?.text ?? '',
      /nothing is known of the log of FR yet/,
    );
    const home = checkQuorums(
      patient(known(2, 2, 3), ['DE'], { regions: [region('DE', known(0, 1, 1), { standing: 'home' })] }),
    );
    assert.match(home[0]?.text ?? '', /^every verdict is undetermined/);
  });

  it('only warns in the first two minutes, and passes over who does not count here', () => {
    const { process } = patient(undefined, []).running as RunningStatus;
    const young = patient(known(1, 2, 3), ['DE'], { process: { ...process, uptimeS: 119 } });
    assert.equal(checkQuorums(young)[0]?.level, 'warn');
    const over = region('FR', known(1, 2, 3), { untilS: well.nowS });
    assert.equal(checkQuorums(patient(undefined, [], { regions: [over] }))[0]?.level, 'ok');
    const rests = region('FR', known(1, 2, 3), { standing: 'suspended' });
    assert.equal(checkQuorums(patient(undefined, [], { regions: [rests] }))[0]?.level, 'ok');
  });
});
