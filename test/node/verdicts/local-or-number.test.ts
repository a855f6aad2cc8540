import assert from 'node:assert/strict';
import { judgeText } from '../../../cli/judging.ts';
import { VerdictService } from '../../../node/verdicts/verdict-service.ts';
import { adapterData } from '../../../protocol/foreign/adapter.ts';
import { LOCAL_FACTS } from '../../../protocol/foreign/local-facts.ts';
import { numberAnnouncers } from '../../../protocol/lookup/announced-numbers.ts';
import { judgeNumber, type NumberAnswer } from '../../../protocol/lookup/judge-number.ts';
import { opaqueAdapterData } from '../../../protocol/lookup/opaque-adapter.ts';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { type RegionKnowledge } from '../../../protocol/verdict/knowledge.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
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
const trustWith = (recognition: Recognition, issuerKnowledge: Partial<RegionKnowledge> = OLD) =>
  announcedTrust({
    issuer: { adapters: [{ id: 'pass', data: LOCAL, ...window }] },
    issuerKnowledge,
    more: [{ state: { region: 'BE', adapters: [{ id: 'numbers', data: NUMBERS, ...window }] }, recognition }],
  });

/** A proven table without the number. */
const UNKNOWN = { status: undefined, day: Math.floor(NOW_S / DAY_S), atS: NOW_S };

describe('a local code that no known key has signed, where another region announced numbers that begin so', () => {
  const text = signedJson();
  const BY_ADAPTER = recognised('BE', { way: 'adapter' });
  const asked: string[] = [];
  beforeEach(() => asked.splice(0));

  /** BE answers so whatever it is asked. */
  const service = (trust: ReturnType<typeof trustWith>, answer: NumberAnswer = UNKNOWN) =>
    new VerdictService({
      ...primitives,
      clock: new ManualClock(1_000 * NOW_S),
      trust: () => trust,
      lookup: {
        judge: ({ announcers, ...question }) => {
          asked.push(question.text);
          const number = judgeNumber(announcers.map((announcer) => ({ ...question, announcer, answer })));
          return Promise.resolve(number);
        },
      },
      leafProof: () => Promise.resolve(undefined),
    });
  const isAwaitingItsKey = ({ outcome, reasons }: Verdict) => {
    assert.equal(outcome, 'undetermined');
    assert.ok(reasons.some(({ code }) => code === 'KEY_NOT_YET_KNOWN'));
  };

  it('is undetermined although the other is withdrawn, which can stop nothing', async () => {
    const trust = trustWith({ standing: 'withdrawn', region: 'BE', version: 2 });
    assert.equal(numberAnnouncers(trust, text, NOW_S).length, 1);
    const judged = [
      await service(trust).verify(text, CONTEXT, 'gate'),
      await judgeText(primitives, text, { trust, context: CONTEXT, nowS: NOW_S }),
    ];
    judged.forEach(isAwaitingItsKey);
    assert.deepEqual(asked, []);
  });

  it('is undetermined although the other proves that it has no such number', async () => {
    const trust = trustWith(BY_ADAPTER);
    isAwaitingItsKey(await service(trust).verify(text, CONTEXT, 'gate'));
    assert.deepEqual(asked, [text]);
    // Suspended, it would stop by its mere name where nobody can be asked.
    const suspended = trustWith(recognised('BE', { way: 'adapter', standing: 'suspended' }));
    isAwaitingItsKey(await judgeText(primitives, text, { trust: suspended, context: CONTEXT, nowS: NOW_S }));
  });

  it('is undetermined by a beginning that nobody known has, while nothing that is fresh is known of one that may', async () => {
    for (const [known, outcome] of [
      [OLD, 'undetermined'],
      [{}, 'stop'],
    ] as const) {
      const trust = trustWith(BY_ADAPTER, known);
      for (const unknown of ['YY:4711', '{"yy":1}']) {
        const judged = [
          await service(trust).verify(unknown, CONTEXT),
          await judgeText(primitives, unknown, { trust, context: CONTEXT, nowS: NOW_S }),
        ];
        for (const verdict of judged) {
          assert.equal(verdict.outcome, outcome, unknown);
          assert.equal(
            verdict.reasons.some(({ code, region }) => code === 'KEY_NOT_YET_KNOWN' && region === 'AT'),
            outcome === 'undetermined',
          );
        }
      }
    }
    assert.deepEqual(asked, []);
  });

  it('is what the other says of a number that it has', async () => {
    const colours = { green: 'pass', red: 'stop' } as const;
    for (const [colour, outcome] of Object.entries(colours)) {
      const status = { colour: colour as keyof typeof colours, measure: 'none', untilS: undefined } as const;
      const rule = { ruleId: 'list', ruleVersion: 1, expiresAtS: NOW_S + 60 };
      const answer = { ...UNKNOWN, status: { ...status, ...rule } };
      const judged = await service(trustWith(BY_ADAPTER), answer).verify(text, CONTEXT, 'gate');
      assert.equal(judged.outcome, outcome);
      assert.equal(judged.foreign?.format, 'opaque');
    }
  });

  it('is stopped as a number that nobody has where its own region would know the key by now', async () => {
    const trust = trustWith(BY_ADAPTER, {});
    const { outcome, reasons } = await service(trust).verify(text, CONTEXT, 'gate');
    assert.equal(outcome, 'stop');
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['NUMBER_UNKNOWN'],
    );
  });
});
