import assert from 'node:assert/strict';
import { type RunningStatus } from '../../../cli/desk/node-status.ts';
import { examine, examineRunning } from '../../../cli/doctor/examine.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { checkReachable } from '../../../cli/doctor/peer-checks.ts';
import { checkTheirs } from '../../../cli/doctor/their-checks.ts';
import { mutualVouching } from '../../../node/trust/mutual-vouching.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { gonePeer, runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

type Word = RunningStatus['vouching'][number]['recognisesUs'];

describe('checkTheirs', () => {
  const folder = temporaryFolders();
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  const heard = (recognisesUs: Word) =>
    runningOn(well, {
      regions: [{ region: 'DE', standing: 'home', fingerprint: 'cd'.repeat(32) }],
      vouching: [{ region: 'FR', vouchesForUsAtS: well.nowS, vouchedByUsAtS: well.nowS, recognisesUs }],
    });
  const recognised = (more: object = {}): Word => ({
    ...{ standing: 'recognised' as const, way: 'direct', untilS: well.nowS + 1, isOurRoot: true },
    ...more,
  });

  it('says how each region recognises this one, and what its people type where it does not', async () => {
    for (const [word, level, text] of [
      [recognised(), 'ok', /FR recognises this region \(direct\), until/],
      [recognised({ untilS: well.nowS }), 'warn', /by FR is over: codes of DE do not count there/],
      [recognised({ isOurRoot: false }), 'warn', /another root/],
      [recognised({ standing: 'suspended' }), 'warn', /FR has suspended/],
      [{ standing: 'withdrawn' }, 'warn', /FR has withdrawn/],
      [undefined, 'note', /FR does not recognise this region/],
    ] as const) {
      const [found, ...more] = checkTheirs(heard(word));
      assert.deepEqual([found?.level, more], [level, []]);
      assert.match(found?.text ?? '', text);
      if (level !== 'ok')
        assert.match(
          found?.fix ?? '',
          /^entente recognise FR --region DE --fingerprint (cd){32} {3}# by the people/,
        );
      for (const all of [await examine(heard(word)), await examineRunning(heard(word))])
        assert.ok(all.some((one) => one.text === found?.text));
    }
    const [later] = checkTheirs(heard(recognised({ fromS: well.nowS + 1, untilS: well.nowS + 9 })));
    assert.equal(later?.level, 'note');
    assert.match(
      later?.text ?? '',
      /^FR recognises this region from 20.* UTC on: until then codes of DE do not/,
    );
    assert.deepEqual(checkTheirs(well), []);
  });

  it('checkReachable sends who is not let in to the people of the other region, not back to status', async () => {
    const patient = { ...runningOn(well), peers: [gonePeer('FR', 'not-welcome')] };
    const [found] = await checkReachable(patient);
    assert.match(
      found?.fix ?? '',
      /^entente recognise FR --region DE --fingerprint [0-9a-f]{64} .*peer add FR DE/,
    );
  });
});

describe('mutualVouching', () => {
  const fingerprint = new Uint8Array(32).fill(1);
  /** What it reads of a keeper. */
  const keeper = (
    region: string,
    said: Recognition | undefined,
    heard: readonly string[] = [],
  ): TrustKeeper => {
    const cosignatures = heard.map((by) => ({ region: by, keyId: by, timestampS: 7 }));
    const held = { pool: { cosignatures }, checkpoint: { size: 3 } };
    const state = { fingerprint, recognition: (of: string) => (of === 'DE' ? said : undefined) };
    return { region, state, published: held, latest: held, pending: [] } as unknown as TrustKeeper;
  };
  const toldOf = (said: Recognition | undefined, heard?: readonly string[]) => {
    const [home, other] = [keeper('DE', undefined), keeper('FR', said, heard)];
    return mutualVouching(home, [home, other])[0];
  };

  it('tells who is heard to vouch for a region, each once', () => {
    assert.deepEqual(toldOf(undefined, ['DE', 'AT', 'AT'])?.witnessedBy, ['DE', 'AT']);
    assert.deepEqual(toldOf(undefined)?.witnessedBy, []);
  });

  it('tells what the log of a region says of the home', () => {
    const of = { region: 'DE', version: 1, way: 'adapter', rules: null, fromS: 5, untilS: 9 } as const;
    const word = { way: 'adapter', fromS: 5, untilS: 9 };
    assert.deepEqual(toldOf({ ...of, standing: 'recognised', fingerprint })?.recognisesUs, {
      ...{ standing: 'recognised', ...word, isOurRoot: true },
    });
    assert.deepEqual(
      toldOf({ ...of, standing: 'suspended', fingerprint: new Uint8Array(32) })?.recognisesUs,
      { standing: 'suspended', ...word, isOurRoot: false },
    );
    assert.deepEqual(toldOf({ standing: 'withdrawn', region: 'DE', version: 2 })?.recognisesUs, {
      standing: 'withdrawn',
    });
    assert.equal(toldOf(undefined)?.recognisesUs, undefined);
  });
});
