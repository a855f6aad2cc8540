import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { AnnouncedCodes } from '../../../protocol/foreign/announced-codes.ts';
import { refuseUnread } from '../../../protocol/foreign/refuse-unread.ts';
import { verifyAnnounced } from '../../../protocol/foreign/verify-announced.ts';
import { announcedTrust, type AnnouncedWorld } from '../../support/announced-fixture.ts';
import { cosigned, recognised } from '../../support/stub-trust.ts';
import { CONTEXT, NOW_S } from '../../support/verdict-fixture.ts';

const FAULT = { code: 'CODE_MALFORMED', details: {} } as const;
const NUMBER = 'AT-4711';

function refusedBy(world: AnnouncedWorld, text = NUMBER) {
  return refuseUnread(text, FAULT, { trust: announcedTrust(world), context: CONTEXT, nowS: NOW_S });
}

const told = (...args: Parameters<typeof refusedBy>) => {
  const { outcome, reasons } = refusedBy(...args);
  const counting = reasons.filter((reason) => reason.outcome !== 'note');
  return [outcome, ...counting.map(({ code, region = '' }) => `${code} ${region}`.trim())];
};

const stale = { cosignatures: ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 601)) };
/** AT is known; BE is recognised too, and nothing of it has come. */
const missing = (changes: object = {}) => ({
  home: {
    recognitions: [
      recognised('AT', { way: 'adapter' }),
      recognised('FR'),
      recognised('IT'),
      recognised('BE', { way: 'adapter', ...changes }),
    ],
  },
});

describe('refuseUnread', () => {
  it('stops a text that begins as nobody’s while all that are judged by adapter are known', () => {
    assert.deepEqual(told({}), ['stop', 'MALFORMED']);
  });

  it('is undetermined while one is not, and names it', () => {
    assert.deepEqual(told({ issuerKnowledge: stale }), [
      'undetermined',
      'KNOWLEDGE_STALE AT',
      'KEY_NOT_YET_KNOWN AT',
    ]);
    for (const [standing, code] of [
      ['forked', 'FORKED'],
      ['quarantined', 'QUARANTINED'],
    ] as const)
      assert.deepEqual(told({ issuerKnowledge: { standing } }), [
        'undetermined',
        `${code} AT`,
        'KEY_NOT_YET_KNOWN AT',
      ]);
    assert.deepEqual(told(missing()), ['undetermined', 'TRUST_MISSING BE', 'KEY_NOT_YET_KNOWN BE']);
  });

  it('is undetermined while the home is not known well: it may have recognised another since', () => {
    const { outcome, reasons } = refusedBy({ homeKnowledge: stale });
    assert.equal(outcome, 'undetermined');
    assert.deepEqual(
      reasons.map(({ code, region }) => `${code} ${region ?? ''}`),
      ['KNOWLEDGE_STALE DE'],
    );
  });

  it('waits for no region whose codes do not count by adapter now', () => {
    for (const changes of [
      { way: 'direct' },
      { standing: 'suspended' },
      { fromS: NOW_S + 1 },
      { untilS: NOW_S },
    ])
      assert.deepEqual(told(missing(changes)), ['stop', 'MALFORMED'], JSON.stringify(changes));
  });

  it('stops what can be no code of another region, whatever is not known', () => {
    const world = missing();
    for (const text of ['ENT1:x', 'HC1:x', 'shc:/567', '', ' AT-1', '\ufffd', 'ä', `A${' '.repeat(4_296)}`])
      assert.deepEqual(told(world, text), ['stop', 'MALFORMED'], text);
    for (const text of ['{"a":1}', 'eyJ', 'x', `A${' '.repeat(4_295)}`])
      assert.equal(told(world, text)[0], 'undetermined');
  });

  it('counts for JSON and a JWS that are none of a known format', async () => {
    const verdictOf = (text: string, world: AnnouncedWorld) =>
      verifyAnnounced(
        nativeForeignPrimitives,
        text,
        new AnnouncedCodes(announcedTrust(world)),
        CONTEXT,
        NOW_S,
      );
    for (const text of ['{"a":1}', 'eyJ.x.y', '{']) {
      assert.equal((await verdictOf(text, {})).outcome, 'stop', text);
      assert.equal((await verdictOf(text, missing())).outcome, 'undetermined', text);
    }
    assert.equal((await verdictOf('HC1:A', missing())).outcome, 'stop');
    assert.equal((await verdictOf('shc:/567', missing())).outcome, 'stop');
  });
});
