import assert from 'node:assert/strict';
import { numberAnnouncers } from '../../../protocol/lookup/announced-numbers.ts';
import { judgeNumber, type NumberAnswer } from '../../../protocol/lookup/judge-number.ts';
import { opaqueAdapterData } from '../../../protocol/lookup/opaque-adapter.ts';
import { LOOKUP_ANNOUNCERS_MAX } from '../../../protocol/limits.ts';
import { announcedTrust, DAY_S } from '../../support/announced-fixture.ts';
import { recognised } from '../../support/stub-trust.ts';
import { CONTEXT, NOW_S } from '../../support/verdict-fixture.ts';

type Said = 'green' | 'red' | 'unknown' | 'silent';

const DAY = Math.floor(NOW_S / DAY_S);
const numbers = (prefix: string) => ({
  id: 'numbers',
  version: 1,
  fromS: 0,
  untilS: NOW_S + DAY_S,
  data: opaqueAdapterData(prefix, [{ day: DAY, publicKey: new Uint8Array(32).fill(7) }]),
});

function answerOf(said: Said): NumberAnswer {
  if (said === 'silent') return { failure: { code: 'NUMBER_UNREACHABLE' } };
  if (said === 'unknown') return { status: undefined, day: DAY, atS: NOW_S };
  const rule = { ruleId: 'local-list', ruleVersion: 1 };
  const status = {
    colour: said,
    measure: 'none',
    untilS: undefined,
    expiresAtS: NOW_S + 60,
    ...rule,
  } as const;
  return { status, day: DAY, atS: NOW_S };
}

/** At a gate of DE, of the number `DE-1`; others announce a longer beginning than DE does. `suspended`: one that DE has suspended. */
function judged(said: Readonly<Record<string, Said>>, suspended?: string) {
  const more = Object.keys(said)
    .filter((region) => region !== 'DE')
    .map((region) => ({
      state: { region, adapters: [numbers('DE-1')] },
      recognition: recognised(region, {
        way: 'adapter',
        standing: region === suspended ? 'suspended' : 'recognised',
      }),
    }));
  const home = 'DE' in said ? { home: { adapters: [numbers('DE-')] } } : {};
  const trust = announcedTrust({ ...home, more });
  const announcers = numberAnnouncers(trust, 'DE-1', NOW_S);
  assert.equal(announcers.length, Object.keys(said).length);
  const answers = announcers.map(({ region }, at): NumberAnswer => {
    if (at >= LOOKUP_ANNOUNCERS_MAX) return { failure: { code: 'NUMBER_CROWDED' } };
    return answerOf(said[region] ?? 'silent');
  });
  const inputs = announcers.map((announcer, at) => ({
    announcer,
    answer: answers[at] as NumberAnswer,
    trust,
    context: CONTEXT,
    nowS: NOW_S,
  }));
  const { outcome, reasons } = judgeNumber(inputs);
  return [outcome, ...reasons.map(({ code }) => code)];
}

const FOUR_GREEN = { BA: 'green', BB: 'green', BC: 'green', BD: 'green' } as const;

describe('judgeNumber', () => {
  it('T5 four in league that list a red number of the home as green do not free it at home', () => {
    assert.deepEqual(judged({ ...FOUR_GREEN, DE: 'red' }), ['stop', 'IDENTITY_CHECK', 'STATUS_RED']);
    assert.equal(judged({ ...FOUR_GREEN, DE: 'green' })[0], 'pass');
  });

  it('T5 four in league that list nothing do not stop a number of the home at home', () => {
    const said = { BA: 'unknown', BB: 'silent', BC: 'unknown', BD: 'silent', DE: 'green' } as const;
    assert.equal(judged(said)[0], 'pass');
  });

  it('T5 at home nobody speaks for the home while it cannot be asked', () => {
    assert.deepEqual(judged({ BA: 'green', DE: 'silent' }), ['undetermined', 'NUMBER_UNREACHABLE']);
    assert.equal(judged({ BA: 'green', BB: 'silent' })[0], 'pass');
  });

  it('T5 four in league do not free a number of a fifth at a third region, unless it is suspended', () => {
    const said = { ...FOUR_GREEN, BE: 'red' } as const;
    assert.deepEqual(judged(said), ['undetermined', 'NUMBER_CROWDED']);
    assert.equal(judged(FOUR_GREEN)[0], 'pass');
    assert.equal(judged(said, 'BE')[0], 'pass');
    // Whoever is suspended takes nobody's place.
    assert.deepEqual(judged(said, 'BA'), [
      'undetermined',
      'FOREIGN_REGIONS_DIFFER',
      'FOREIGN_REGIONS_DIFFER',
      'FOREIGN_REGIONS_DIFFER',
      'FOREIGN_REGIONS_DIFFER',
    ]);
  });
});
