import assert from 'node:assert/strict';
import { judgeText } from '../../../cli/judging.ts';
import { VerdictService } from '../../../node/verdicts/verdict-service.ts';
import { adapterData } from '../../../protocol/foreign/adapter.ts';
import { LOCAL_FACTS } from '../../../protocol/foreign/local-facts.ts';
import { numberAnnouncers } from '../../../protocol/lookup/announced-numbers.ts';
import { opaqueAdapterData } from '../../../protocol/lookup/opaque-adapter.ts';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { announcedTrust, DAY_S } from '../../support/announced-fixture.ts';
import { JSON_PROFILE, LOCAL_SIGNER, localKey, profileOf, signedJson } from '../../support/local-fixture.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { cosigned, recognised } from '../../support/stub-trust.ts';
import { CONTEXT, NOW_S, primitives } from '../../support/verdict-fixture.ts';

const window = { version: 1, fromS: 0, untilS: NOW_S + DAY_S };
const LOCAL = adapterData({
  profile: profileOf(JSON_PROFILE),
  rules: 'local',
  facts: LOCAL_FACTS,
  keys: [localKey(LOCAL_SIGNER, { keyId: 'k2' })],
});
const NUMBERS = opaqueAdapterData('ZZJ:', [{ day: 0, publicKey: new Uint8Array(32).fill(7) }]);
/** Nothing that is fresh is known of AT, which may have announced the key by now. */
const OLD = { cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 700)) };

/** AT announces a profile, and BE numbers that begin like the codes of AT. */
const trustWith = (recognition: Recognition) =>
  announcedTrust({
    issuer: { adapters: [{ id: 'pass', data: LOCAL, ...window }] },
    issuerKnowledge: OLD,
    more: [{ state: { region: 'BE', adapters: [{ id: 'numbers', data: NUMBERS, ...window }] }, recognition }],
  });

describe('a local code that no known key has signed, where another region announced numbers that begin so', () => {
  const text = signedJson();
  const looked = 'it is looked up';
  const service = (trust: ReturnType<typeof trustWith>) =>
    new VerdictService({
      ...primitives,
      clock: new ManualClock(1_000 * NOW_S),
      trust: () => trust,
      lookup: { judge: () => Promise.reject(new Error(looked)) },
      leafProof: () => Promise.resolve(undefined),
    });

  it('is undetermined although the other is withdrawn, which can stop nothing', async () => {
    const trust = trustWith({ standing: 'withdrawn', region: 'BE', version: 2 });
    assert.equal(numberAnnouncers(trust, text, NOW_S).length, 1);
    const judged = [
      await service(trust).verify(text, CONTEXT, 'gate'),
      await judgeText(primitives, text, { trust, context: CONTEXT, nowS: NOW_S }),
    ];
    for (const { outcome, reasons } of judged) {
      assert.equal(outcome, 'undetermined');
      assert.ok(reasons.some(({ code }) => code === 'KEY_NOT_YET_KNOWN'));
    }
  });

  it('is a number of one that the home still recognises', async () => {
    const trust = trustWith(recognised('BE', { way: 'adapter' }));
    await assert.rejects(service(trust).verify(text, CONTEXT, 'gate'), new Error(looked));
  });
});
