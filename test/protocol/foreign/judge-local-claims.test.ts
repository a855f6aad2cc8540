import assert from 'node:assert/strict';
import { nativeForeignPrimitives } from '../../../node/crypto/foreign-primitives.ts';
import { readLocal } from '../../../protocol/foreign/local-code.ts';
import { revocationHashesOf } from '../../../protocol/foreign/revocation-hashes.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { DAY_S } from '../../support/announced-fixture.ts';
import {
  JSON_PROFILE,
  LOCAL_SIGNER,
  localKey,
  mapped,
  OTHER_SIGNER,
  profileOf,
} from '../../support/local-fixture.ts';
import {
  ALL_GREEN,
  alsoBelgium,
  announcing,
  codesOf,
  jsonCode,
  localAdapter,
  recognisedToo,
  verdictOf,
} from '../../support/local-world.ts';
import { cosigned } from '../../support/stub-trust.ts';
import { NOW_S } from '../../support/verdict-fixture.ts';

const RED = jsonCode({ st: 'R' });
const ENDED = localKey(LOCAL_SIGNER, { untilS: NOW_S - DAY_S - 1 });
/** What AT announces, with the key of a code that was issued later than the key may sign. */
const TOO_LATE = localAdapter(JSON_PROFILE, { keys: [ENDED] });

async function revokedBy(code: string) {
  const read = await readLocal(nativeForeignPrimitives, profileOf(JSON_PROFILE), code);
  const { identifiers } = revocationHashesOf(nativeForeignPrimitives.sha256, read);
  return { foreignRevocations: [{ hashes: identifiers, untilS: NOW_S + DAY_S }] };
}

/** BE, which claims the key of AT's codes with this adapter. */
const claims = (
  adapter: LoggedAdapter,
  changes: Parameters<typeof recognisedToo>[2] = {},
  state: object = {},
) => {
  const { state: announced, recognition } = recognisedToo('BE', [adapter], changes);
  return { more: [{ state: { ...announced, ...state }, recognition }] };
};

describe('judgeLocal: a code whose key several regions claim', () => {
  for (const [name, world] of [
    ['whose recognition is suspended', claims(ALL_GREEN, { standing: 'suspended' })],
    ['whose recognition has ended', claims(ALL_GREEN, { untilS: NOW_S })],
    ['whose recognition has not begun', claims(ALL_GREEN, { fromS: NOW_S + 1 })],
    [
      'whose key has ended',
      claims(localAdapter(mapped(JSON_PROFILE, { subject: undefined }), { keys: [ENDED] })),
    ],
  ] as const)
    it(`T5 leaves out a region ${name}`, async () => {
      const green = await verdictOf(world);
      assert.deepEqual([green.outcome, green.colour, green.foreign?.region], ['pass', 'green', 'AT']);
      const red = await verdictOf({ ...world, text: RED });
      assert.deepEqual([red.outcome, red.foreign?.region], ['stop', 'AT']);
      assert.ok(codesOf(red).includes('STATUS_RED'));
    });

  it('counts a recognition up to its last second', async () => {
    const verdict = await verdictOf({ text: RED, ...claims(ALL_GREEN, { fromS: NOW_S, untilS: NOW_S + 1 }) });
    assert.ok(codesOf(verdict).includes('FOREIGN_REGIONS_DIFFER'));
  });

  it('T5 is undetermined where sixteen in league leave no place for another that announced the key, except at home', async () => {
    const league = [...'ABCDEFGHIJKLMNOP'].map((letter) => recognisedToo(`A${letter}`, [ALL_GREEN]));
    const crowded = await verdictOf({ text: RED, more: league });
    assert.deepEqual([crowded.outcome, codesOf(crowded)], ['undetermined', ['FOREIGN_KEYS_CROWDED']]);
    const other = announcing(localAdapter(JSON_PROFILE, { keys: [localKey(OTHER_SIGNER)] }));
    assert.equal((await verdictOf({ issuer: other, more: league })).outcome, 'pass', 'it has another key');
    const { recognition } = recognisedToo('AT', [], { standing: 'suspended' });
    assert.equal((await verdictOf({ recognition, more: league })).outcome, 'pass', 'it is suspended');
    const home = announcing(localAdapter());
    const atHome = await verdictOf({ text: RED, home, more: league });
    assert.deepEqual([atHome.outcome, atHome.foreign?.region], ['stop', 'DE']);
  });

  it('stops a code where no region is left, for the reasons of the first', async () => {
    const suspended = { way: 'adapter', standing: 'suspended' } as const;
    const { recognition } = recognisedToo('AT', [], suspended);
    const none = await verdictOf({ recognition, ...claims(ALL_GREEN, suspended) });
    assert.deepEqual([none.outcome, none.foreign?.region], ['stop', 'AT']);
    assert.ok(codesOf(none).includes('RECOGNITION_SUSPENDED'));
    const late = await verdictOf({ issuer: announcing(TOO_LATE), ...claims(TOO_LATE) });
    assert.equal(late.outcome, 'stop');
    assert.ok(codesOf(late).includes('KEY_NOT_FOR_THIS'));
  });

  it('T5 leaves out a suspended region where no key has signed the code, and another can read it', async () => {
    const recognition = recognisedToo('AT', [], { standing: 'suspended' }).recognition;
    const withKey = (keyId: string) =>
      localAdapter(JSON_PROFILE, { keys: [localKey(LOCAL_SIGNER, { keyId })] });
    // Issued after what is known of BE, which may have announced the key since.
    const text = jsonCode({ iat: NOW_S - 1 }, OTHER_SIGNER);
    for (const issuer of [announcing(localAdapter()), announcing(withKey('k3'))]) {
      const verdict = await verdictOf({ text, recognition, issuer, ...alsoBelgium(withKey('k2')) });
      assert.deepEqual(codesOf(verdict), ['KEY_NOT_YET_KNOWN']);
      assert.deepEqual(verdict.reasons[0]?.region, 'BE');
    }
    const alone = await verdictOf({ text, recognition });
    assert.deepEqual(codesOf(alone), ['RECOGNITION_SUSPENDED', 'SIGNATURE_INVALID']);
  });

  it('T5 does not leave out a region of which too little is known: the red code may be its own', async () => {
    const stale = ['AT', 'DE', 'FR', 'IT'].map((region) => cosigned(region, NOW_S - 700));
    const verdict = await verdictOf({
      text: RED,
      issuerKnowledge: { cosignatures: stale },
      ...alsoBelgium(ALL_GREEN),
    });
    assert.equal(verdict.outcome, 'undetermined');
    assert.ok(codesOf(verdict).includes('FOREIGN_REGIONS_DIFFER'));
  });

  it('T5 neither passes nor stops a code that one of them has revoked and another has not', async () => {
    const revoked = await revokedBy(jsonCode());
    const issuer = { ...announcing(localAdapter()), ...revoked };
    for (const world of [{ issuer, ...alsoBelgium(ALL_GREEN) }, claims(ALL_GREEN, {}, revoked)]) {
      const verdict = await verdictOf(world);
      assert.equal(verdict.outcome, 'undetermined');
      assert.deepEqual(codesOf(verdict), ['FOREIGN_REGIONS_DIFFER', 'FOREIGN_REGIONS_DIFFER']);
    }
    for (const world of [
      { issuer, ...claims(ALL_GREEN, {}, revoked) },
      { text: RED, ...claims(localAdapter(), {}, await revokedBy(RED)) },
    ]) {
      const verdict = await verdictOf(world);
      assert.equal(verdict.outcome, 'stop', 'both stop it');
      assert.ok(codesOf(verdict).includes('REVOKED'));
    }
    const current = localAdapter(mapped(JSON_PROFILE, { id: ['nm'] }), { id: 'q' });
    const byEnded = await verdictOf({ issuer: { ...announcing(TOO_LATE, current), ...revoked } });
    assert.equal(byEnded.outcome, 'stop', 'by an identifier that it has under a key that has ended');
    const suspended = await verdictOf(claims(ALL_GREEN, { standing: 'suspended' }, revoked));
    assert.equal(suspended.outcome, 'pass', 'T5 a region whose word does not count');
    const home = { ...announcing(localAdapter()), region: 'DE' };
    assert.equal((await verdictOf({ home, ...claims(ALL_GREEN, {}, revoked) })).outcome, 'pass', 'T5');
  });

  it('B54 stops no code of another region by a member that all of its codes share', async () => {
    const adapter = localAdapter(mapped(JSON_PROFILE, { id: ['st'] }));
    const read = await readLocal(
      nativeForeignPrimitives,
      profileOf(mapped(JSON_PROFILE, { id: ['st'] })),
      jsonCode(),
    );
    const { identifiers } = revocationHashesOf(nativeForeignPrimitives.sha256, read);
    const state = { foreignRevocations: [{ hashes: identifiers, untilS: NOW_S + DAY_S }] };
    for (const text of [jsonCode(), jsonCode({ sub: 'Person 00002' })]) {
      const verdict = await verdictOf({ text, ...claims(adapter, {}, state) });
      assert.deepEqual(codesOf(verdict), ['FOREIGN_REGIONS_DIFFER', 'FOREIGN_REGIONS_DIFFER']);
    }
  });

  for (const [name, map, more] of [
    ['whom the code names', { subject: ['id'] }, {}],
    ['whether it names anybody', { subject: undefined }, {}],
    ['when it ends', { expiresAt: undefined, life: 30 * DAY_S }, {}],
    [
      'how long its measure lasts',
      { issuedAt: { at: ['from'], unit: 's' } },
      { st: 'Y', from: NOW_S - 2 * DAY_S },
    ],
  ] as const)
    it(`T5 is undetermined where they differ in ${name}`, async () => {
      const text = jsonCode(more);
      const verdict = await verdictOf({ text, ...alsoBelgium(localAdapter(mapped(JSON_PROFILE, map))) });
      assert.equal(verdict.outcome, 'undetermined');
      assert.deepEqual(codesOf(verdict), ['FOREIGN_REGIONS_DIFFER', 'FOREIGN_REGIONS_DIFFER']);
      assert.deepEqual([verdict.foreign?.subject, verdict.expiresAtS], [undefined, undefined]);
      const agreed = await verdictOf({ text, ...alsoBelgium(localAdapter()) });
      assert.equal(agreed.outcome, 'st' in more ? 'act' : 'pass');
    });

  it('stops a code that all of them stop, for whatever reason', async () => {
    const short = localAdapter(mapped(JSON_PROFILE, { expiresAt: undefined, life: 60 }));
    const verdict = await verdictOf({ text: jsonCode({ exp: NOW_S }), ...alsoBelgium(short) });
    assert.equal(verdict.outcome, 'stop');
    assert.ok(codesOf(verdict).includes('EXPIRED'));
  });
});
