import assert from 'node:assert/strict';
import { dialTroubleOf, NotWelcome } from '../../../../node/network/host/dial-trouble.ts';
import { HostWorld, peerOf } from '../../../support/host-fixture.ts';
import { until } from '../../../support/until.ts';

describe('dialTroubleOf', () => {
  it('names the gravest of several failures', () => {
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:1');
    const other = new Error('Payload identity key a does not match expected remote identity key b');
    assert.equal(dialTroubleOf(new AggregateError([refused, other])), 'other-identity');
    assert.equal(dialTroubleOf(new AggregateError([refused, new Error('x')])), 'refused');
    assert.equal(dialTroubleOf(new Error('wrapped', { cause: refused })), 'refused');
    assert.equal(dialTroubleOf(new NotWelcome()), 'not-welcome');
    assert.equal(
      dialTroubleOf(AbortSignal.timeout(0).reason ?? new DOMException('late', 'TimeoutError')),
      'silent',
    );
  });

  it('says something of anything that is thrown', () => {
    const circle = new Error('round');
    circle.cause = circle;
    for (const thrown of [undefined, 'text', circle, new AggregateError([])]) {
      assert.equal(dialTroubleOf(thrown), 'unreachable');
    }
  });
});

describe('HostStatus.missing', () => {
  const world = new HostWorld();

  async function troubleOf(addresses: readonly string[]): Promise<string | undefined> {
    const de = await world.start('DE');
    de.admit(new Map([world.admission('FR', { addresses })]));
    await until(() => de.status.missing[peerOf('FR')]?.trouble !== undefined, 'an attempt has failed');
    const missing = de.status.missing[peerOf('FR')];
    assert.deepEqual([missing?.region, missing?.addresses], ['FR', addresses]);
    return missing?.trouble;
  }

  it('says that nothing listens at the address of a peer', async () => {
    assert.equal(await troubleOf(['/ip4/127.0.0.1/tcp/1']), 'refused');
  });

  it('B47: says that somebody else answers at the address of a peer', async () => {
    await world.start('IT');
    assert.equal(await troubleOf([world.addressOf('IT')]), 'other-identity');
  });

  it('says that a peer does not let this node in', async () => {
    await world.start('FR');
    assert.equal(await troubleOf([world.addressOf('FR')]), 'not-welcome');
  });
});
