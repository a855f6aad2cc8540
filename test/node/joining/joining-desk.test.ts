import assert from 'node:assert/strict';
import { plainWords, areWords } from '../../../node/joining/words.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  INVITATION_PREFIX,
  invitationText,
  openInvitation,
  parseInvitationText,
  signJoining,
} from '../../../protocol/joining/joining.ts';
import { JOININGS_MAX } from '../../../node/joining/joining-desk.ts';
import { JoiningWorld } from '../../support/joining-fixture.ts';
import { testKey, verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { recognised, stubFingerprint } from '../../support/stub-trust.ts';

const DAY = { forS: 86_400 };
const refusedWith = (pattern: RegExp) => (error: unknown) =>
  isNodeError(error, 'REFUSED') && pattern.test(error.message);
const isNotFound = (error: unknown) => isNodeError(error, 'NOT_FOUND');

describe('JoiningDesk', () => {
  let world: JoiningWorld;
  beforeEach(() => (world = new JoiningWorld()));
  afterEach(() => world.stop());

  it('two operators see the same twelve words, and each side hears that the other has confirmed', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite(DAY);
    const asked = await fr.join(invitation);
    const [shown] = await de.list();
    assert.equal(asked.region, 'DE');
    assert.equal(shown?.region, 'FR');
    assert.equal(shown.words, asked.words);
    assert.ok(areWords(asked.words ?? ''));
    assert.match(asked.addresses?.[0] ?? '', /^\/ip4\/192\.0\.2\.68\/tcp\/4600\/p2p\/12D3KooW/);

    const transcript = asked.transcript ?? '';
    assert.equal(shown.transcript, transcript);
    await assert.rejects(de.confirm('inviting', transcript), refusedWith(/operator of FR has not confirmed/));
    assert.equal((await de.list())[0]?.ours, false);
    assert.equal((await fr.confirm('joining', transcript)).theirs, false);
    assert.equal((await de.confirm('inviting', transcript)).theirs, true);
    const done = await fr.confirm('joining', transcript);
    assert.deepEqual([done.ours, done.theirs], [true, true]);
    // The same again changes nothing: an answer may have been lost on its way.
    assert.equal((await fr.join(invitation)).words, asked.words);
  });

  it('an invitation is used once: another region that has it too is refused, and its answer leaves nothing', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const it = await world.found('IT');
    const { invitation } = await de.invite(DAY);
    await fr.join(invitation);
    await assert.rejects(it.join(invitation), refusedWith(/is used/));
    assert.deepEqual(await it.list(), []);
    assert.equal((await de.list())[0]?.region, 'FR');
  });

  it('an invitation that is over, or was taken back, is refused on both sides', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite({ forS: 60 });
    const answered = await fr.join(invitation);
    await world.clock.advance(60_000);
    await assert.rejects(fr.join(invitation), refusedWith(/is over/));
    const transcript = answered.transcript ?? '';
    await assert.rejects(fr.confirm('joining', transcript), isNotFound);
    await assert.rejects(de.confirm('inviting', transcript), isNotFound);
    assert.deepEqual(await de.list(), []);
    const second = await de.invite(DAY);
    assert.notEqual((await fr.join(second.invitation)).words, answered.words);
    await de.drop((await de.list())[0]?.id ?? '');
    await assert.rejects(fr.join(second.invitation), isNotFound);
  });

  it('an invitation that nobody has answered is taken back by its id, which is not enough to answer it', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite(DAY);
    await de.invite({ forS: 2 * 86_400 });
    const [leaked, other] = await de.list();
    assert.equal(leaked?.id, hexOf(sha256(parseInvitationText(invitation))).slice(0, 16));
    await assert.rejects(de.drop('0123456789abcdef'), isNotFound);
    await de.drop(leaked.id);
    assert.deepEqual(await de.list(), [other]);
    await assert.rejects(fr.join(invitation), isNotFound);
  });

  it('an invitation that was altered, or is none, is refused; white space that mail adds is not', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite(DAY);
    const bytes = parseInvitationText(invitation);
    for (let at = 0; at < bytes.length; at += 7) {
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await assert.rejects(fr.join(invitationText(altered)), (error) => isProtocolError(error), `byte ${at}`);
    }
    for (const text of ['', 'https://node.example', INVITATION_PREFIX, `${invitation}AAAA`])
      await assert.rejects(fr.join(text), (error) => isProtocolError(error), text);
    assert.deepEqual(await fr.list(), []);
    await fr.join(` ${invitation.replace(/.{64}/g, '$&\r\n')} `);
  });

  it('who stands between, with an invitation and an answer of his own, shows two operators different words', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite(DAY);
    const { said } = openInvitation(parseInvitationText(invitation), { verifySignature });
    const thief = testKey(99);
    const forged = signJoining({ ...said, node: thief.publicKey }, (message) => thief.sign(message));
    const { network, name, fingerprint, addresses, from: at, id: nonce } = said;
    const own = { kind: 'answer', region: 'FR', network, name, fingerprint, addresses, at, nonce } as const;
    const mine = { ...own, node: thief.publicKey, invitation: sha256(parseInvitationText(invitation)) };
    const { bytes } = signJoining(mine, (message) => thief.sign(message));
    world.onTheWay = ({ url }) => ({ url, answer: bytes });
    const asked = await fr.join(invitationText(forged.bytes));
    assert.notEqual((await de.list())[0]?.words, asked.words);
  });

  it('a confirmation by another node than that which answered is refused', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    await fr.join((await de.invite(DAY)).invitation);
    const thief = testKey(99);
    world.onTheWay = ({ url, answer }) => ({ url, answer, confirmation: thief.sign(answer) });
    const transcript = (await de.list())[0]?.transcript ?? '';
    await assert.rejects(fr.confirm('joining', transcript), refusedWith(/not by the node/));
    await assert.rejects(de.confirm('inviting', transcript), refusedWith(/has not confirmed/));
  });

  it('nobody joins himself, or a network that is another', async () => {
    const de = await world.found('DE');
    const other = await world.found('FR', { network: 'other' });
    const { invitation } = await de.invite(DAY);
    await assert.rejects(de.join(invitation), refusedWith(/would join itself/));
    await assert.rejects(other.join(invitation), refusedWith(/of the network demo/));
  });

  it('two regions that claim one id: refused where it is known under another root, on either side, and beside an open answer', async () => {
    const knowing = { recognitions: { DE: [recognised('FR')] } };
    const de = await world.found('DE', knowing);
    const false_ = await world.found('FR', { name: 'X', root: 'X' });
    await assert.rejects(false_.join((await de.invite(DAY)).invitation), refusedWith(/another root/));
    const invitation = (await false_.invite(DAY)).invitation;
    await assert.rejects(de.join(invitation), refusedWith(/another root/));

    const it = await world.found('IT');
    await false_.join((await it.invite(DAY)).invitation);
    const fr = await world.found('FR');
    await assert.rejects(fr.join((await it.invite(DAY)).invitation), refusedWith(/another root claims/));
  });

  it('who claims to be another that invites, under a root of his own, is never open beside it', async () => {
    const fr = await world.found('FR');
    const de = await world.found('DE');
    const false_ = await world.found('DE', { name: 'X', root: 'X' });
    await fr.join((await false_.invite({ forS: 30 * 86_400 })).invitation);
    const { invitation } = await de.invite(DAY);
    await assert.rejects(fr.join(invitation), refusedWith(/another root claims to be DE/));
    assert.deepEqual((await fr.list()).length, 1);
    await fr.drop((await fr.list())[0]?.id ?? '');
    const asked = await fr.join(invitation);
    assert.deepEqual(
      (await fr.list()).map(({ fingerprint }) => fingerprint),
      [asked.fingerprint],
    );
    await assert.rejects(
      fr.join((await de.invite(DAY)).invitation),
      refusedWith(/another invitation with DE is open/),
    );
  });

  it('who answers as another, under its root and by a node of his own, is refused beside it', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const thief = await world.found('FR', { name: 'X', root: 'FR' });
    await thief.join((await de.invite({ forS: 2 * 86_400 })).invitation);
    const { invitation } = await de.invite(DAY);
    await assert.rejects(fr.join(invitation), refusedWith(/another node claims to be of FR/));
    assert.deepEqual(await fr.list(), []);
    const [of] = (await de.list()).filter(({ region }) => region === 'FR');
    await de.drop(of?.id ?? '');
    const { id } = await fr.join(invitation);
    await fr.drop(id);
    await assert.rejects(
      fr.join((await de.invite(DAY)).invitation),
      refusedWith(/another invitation with FR is open/),
    );
  });

  it('what turns out to be under another root before it is confirmed is refused on either side, and nothing is confirmed', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { transcript = '' } = await fr.join((await de.invite(DAY)).invitation);
    world.pins.set('DE', stubFingerprint('another DE'));
    await assert.rejects(
      fr.confirm('joining', transcript),
      refusedWith(/DE is known here under another root/),
    );
    assert.equal((await fr.list())[0]?.ours, false);
    world.pins.clear();
    await fr.confirm('joining', transcript);
    world.pins.set('FR', stubFingerprint('another FR'));
    await assert.rejects(
      de.confirm('inviting', transcript),
      refusedWith(/FR is known here under another root/),
    );
    assert.equal((await de.list())[0]?.ours, false);
  });

  it('a region with which both have confirmed joins again, from a new machine too, and no other root does in its place', async () => {
    const de = await world.found('DE');
    const fr = await world.found('FR');
    const { invitation } = await de.invite(DAY);
    const { transcript = '' } = await fr.join(invitation);
    await fr.confirm('joining', transcript);
    await de.confirm('inviting', transcript);
    const again = (await de.invite(DAY)).invitation;
    // FR has not heard of it yet: for it the first is open.
    await assert.rejects(fr.join(again), refusedWith(/another invitation with DE is open/));
    await fr.confirm('joining', transcript);
    await fr.join(again);
    await de.drop((await de.list()).find(({ ours }) => !ours)?.id ?? '');
    const moved = await world.found('FR', { name: 'M', root: 'FR' });
    await moved.join((await de.invite(DAY)).invitation);
    assert.equal((await de.list()).filter(({ region }) => region === 'FR').length, 2);
    const thief = await world.found('FR', { name: 'X', root: 'X' });
    await assert.rejects(
      thief.join((await de.invite(DAY)).invitation),
      refusedWith(/another root claims to be FR/),
    );
  });

  it('what is confirmed is what was compared: the transcript of another record is not of this one', async () => {
    const fr = await world.found('FR');
    const de = await world.found('DE');
    const it = await world.found('IT');
    const ofDe = await fr.join((await de.invite(DAY)).invitation);
    const ofIt = await fr.join((await it.invite(DAY)).invitation);
    for (const { region, transcript } of [ofIt, ofDe])
      assert.equal((await fr.confirm('joining', transcript ?? '')).region, region);
    await assert.rejects(fr.confirm('inviting', ofDe.transcript ?? ''), isNotFound);
    // Another answer to the same invitation has other words, so that what was compared before is over.
    await fr.drop(ofDe.id);
    await assert.rejects(fr.confirm('joining', ofDe.transcript ?? ''), isNotFound);
  });

  it('regions that are recognised here vouch for it, or know it under another root; what others say does not count', async () => {
    const other = { fingerprint: stubFingerprint('another FR') };
    const de = await world.found('DE', {
      recognitions: {
        DE: [
          recognised('AT'),
          recognised('BE'),
          recognised('CH'),
          recognised('DK', { standing: 'suspended' }),
          recognised('ES', { way: 'bridge', via: 'AT' }),
        ],
        AT: [recognised('FR')],
        BE: [recognised('FR', other)],
        CH: [recognised('FR', { standing: 'suspended' })],
        DK: [recognised('FR')],
        ES: [recognised('FR')],
      },
    });
    const fr = await world.found('FR');
    await fr.join((await de.invite(DAY)).invitation);
    const [shown] = await de.list();
    assert.deepEqual([shown?.vouching, shown?.contradicting], [['AT'], ['BE']]);
  });

  it('laundering: a chain of regions that recognise each other vouches for nobody whom no neighbour knows', async () => {
    const de = await world.found('DE', {
      recognitions: { DE: [recognised('AT')], AT: [recognised('BE')], BE: [recognised('FR')] },
    });
    const fr = await world.found('FR');
    await fr.join((await de.invite(DAY)).invitation);
    assert.deepEqual((await de.list())[0]?.vouching, []);
  });

  it(`at most ${JOININGS_MAX} are open; those that are over make room`, async () => {
    const de = await world.found('DE');
    for (let i = 0; i < JOININGS_MAX; i++) await de.invite({ forS: 60 });
    await assert.rejects(de.invite(DAY), refusedWith(/64 invitations are open/));
    await world.clock.advance(60_000);
    await de.invite(DAY);
    assert.equal((await de.list()).length, 1);
  });

  it('an address that leads nowhere is refused', async () => {
    const de = await world.found('DE');
    await assert.rejects(de.invite({ ...DAY, http: 'http://0.0.0.0:8600' }), refusedWith(/no address/));
  });
});

describe('words', () => {
  it('plainWords takes any case and what stands between; areWords knows a slip by the check', () => {
    assert.equal(plainWords('  Zoo, ABLE-about\n'), 'zoo able about');
    const right = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
    assert.ok(areWords(right));
    assert.ok(!areWords(right.replace('yellow', 'year')));
    assert.ok(!areWords(right.replace('legal', 'legl')));
    assert.ok(!areWords('legal winner'));
  });
});
