import assert from 'node:assert/strict';
import { checkAdapters, checkRecognitions } from '../../../cli/doctor/end-checks.ts';
import { examine, examineRunning } from '../../../cli/doctor/examine.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import {
  type LoggedAdapter,
  type Recognition,
  type TrustState,
} from '../../../protocol/trust/trust-state.ts';
import { runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY_S = 86_400;

describe('what the root has said until a day', () => {
  const folder = temporaryFolders();
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  /** The region's own state, with these in it. */
  function saying(
    recognitions: readonly Recognition[],
    adapters: readonly LoggedAdapter[] = [],
  ): ReadablePatient {
    const state = new Proxy(well.state as TrustState, {
      get(target, name) {
        if (name === 'recognitions') return () => recognitions;
        if (name === 'adapters') return () => adapters;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    return { ...well, state };
  }

  function recognition(leftS: number, more: object = {}): Recognition {
    return {
      ...{ standing: 'recognised', region: 'FR', version: 1, fingerprint: new Uint8Array(32).fill(0xab) },
      ...{ way: 'direct', rules: null, fromS: 0, untilS: well.nowS + leftS, ...more },
    };
  }

  function adapter(leftS: number, data: LoggedAdapter['data'] = { format: 'hcert' }): LoggedAdapter {
    return { id: 'eu', version: 1, fromS: 0, untilS: well.nowS + leftS, data };
  }

  const levelOf = (findings: readonly { readonly level: string }[]) => findings.map(({ level }) => level);

  it('checkRecognitions tells their end 30 and 7 days ahead, and that they are over', () => {
    for (const [leftS, level] of [
      [30 * DAY_S, 'ok'],
      [30 * DAY_S - 1, 'warn'],
      [7 * DAY_S, 'warn'],
      [7 * DAY_S - 1, 'must'],
      [0, 'must'],
    ] as const)
      assert.deepEqual(levelOf(checkRecognitions(saying([recognition(leftS)]))), [level], String(leftS));
    const [over] = checkRecognitions(
      saying([recognition(-5, { way: 'bridge', via: 'AT', rules: 'strict' })]),
    );
    assert.match(over?.text ?? '', /^the recognition of FR ended .*: its codes do not count here$/);
    assert.match(
      over?.fix ?? '',
      /--region FR --fingerprint (ab){32} --way bridge --via AT --rules strict {3}# or `entente withdraw \S+ FR`$/,
    );
  });

  it('checkRecognitions notes what is still to begin', () => {
    const later = (fromS: number) => recognition(60 * DAY_S, { fromS });
    const [begin, ...more] = checkRecognitions(saying([later(well.nowS + 1)]));
    assert.match(
      begin?.text ?? '',
      /^the recognition of FR begins 20.* UTC: until then its codes do not count/,
    );
    assert.deepEqual(levelOf(more), ['ok']);
    assert.deepEqual(levelOf(checkRecognitions(saying([later(well.nowS)]))), ['ok']);
  });

  it('checkRecognitions notes what is suspended, and says nothing of what is withdrawn', () => {
    const suspended = recognition(-5, { standing: 'suspended' });
    assert.deepEqual(levelOf(checkRecognitions(saying([suspended]))), ['note']);
    const withdrawn: Recognition = { standing: 'withdrawn', region: 'FR', version: 2 };
    assert.deepEqual(checkRecognitions(saying([withdrawn])), []);
  });

  it('checkAdapters tells the same of adapters, and nothing of numbers and of what was taken back', () => {
    for (const [leftS, level] of [
      [30 * DAY_S, 'ok'],
      [30 * DAY_S - 1, 'warn'],
      [7 * DAY_S - 1, 'must'],
      [0, 'must'],
    ] as const)
      assert.deepEqual(levelOf(checkAdapters(saying([], [adapter(leftS)]))), [level], String(leftS));
    assert.deepEqual(checkAdapters(saying([], [adapter(-5, {}), adapter(-5, { format: 'opaque' })])), []);
  });

  it('doctor and status tell both', async () => {
    const patient = saying([recognition(-5)], [adapter(-5)]);
    for (const all of [await examine(patient), await examineRunning(runningOn(patient))]) {
      const texts = all.filter(({ level }) => level === 'must').map(({ text }) => text);
      assert.ok(texts.some((text) => text.startsWith('the recognition of FR ended')));
      assert.ok(texts.some((text) => text.startsWith('the adapter eu ended')));
    }
  });
});
