import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { giveAddresses } from '../../../cli/processes/prepare.ts';
import { invitationText, signJoining } from '../../../protocol/joining/joining.ts';
import { Federation, lineOf } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { temporaryFolders } from '../../support/temporary.ts';

interface Asked {
  readonly words: string;
}

describe('joining between processes', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  let federation: Federation;
  before(async () => {
    federation = await Federation.found(folder(), ['DE', 'FR']);
  });
  after(() => federation.stop());

  it('AT joins by an invitation of DE: its codes pass there and stop elsewhere; a withdrawal stops them at once', async () => {
    const { cli } = federation;
    const [de, at] = [cli.path('DE'), cli.path('AT')];
    await cli.json('init', 'AT', '--dir', at);
    await giveAddresses(at);
    const nodes = await Promise.all(['DE', 'FR', 'AT'].map((region) => federation.start(region)));
    await Promise.all(nodes.map((node) => node.ready()));

    // Whoever invites in the name of a region that is known, or alters an invitation, is refused before anything is sent.
    const inFrsName = await cli.run('join', 'ask', de, falseInvitation('FR', 'http://127.0.0.1:9'));
    assert.equal(inFrsName.exit, 1);
    assert.match(inFrsName.err, /FR is known here under another root/);
    const altered = await cli.run('join', 'ask', de, falseInvitation('AT', 'http://127.0.0.1:9', 'LU'));
    assert.match(altered.err, /expected the signature of the node that it names/);
    assert.deepEqual((await cli.json<{ joinings: readonly unknown[] }>('join', 'list', de)).joinings, []);

    await cli.json('invite', 'make', de, '--out', cli.path('invitation.txt'));
    const first = await cli.json<Asked>('join', 'ask', at, cli.path('invitation.txt'));
    const again = await cli.run('join', 'ask', at, readFileSync(cli.path('invitation.txt'), 'utf8'));
    assert.ok(again.out.includes(first.words.split(' ').slice(0, 4).join(' ')), again.out + again.err);
    const shown = await cli.json<{ joinings: readonly Asked[] }>('invite', 'list', de);
    assert.equal(shown.joinings[0]?.words, first.words);

    // One that nobody has answered is taken back by its id; on loopback it is said that nobody elsewhere reaches it.
    assert.match((await cli.run('invite', 'make', de, '--for', '30d')).err, /this machine alone/);
    const far = await cli.run('invite', 'make', de, '--http', 'https://node.example');
    assert.doesNotMatch(far.err, /this machine alone/);
    const open = await cli.json<{ joinings: readonly { id: string; region?: string }[] }>(
      'invite',
      'list',
      de,
    );
    for (const { id, region } of open.joinings)
      if (region === undefined) assert.equal((await cli.run('invite', 'drop', de, id)).exit, 0);
    assert.match((await cli.run('invite', 'drop', de, '0123456789abcdef')).err, /NOT_FOUND/);
    assert.equal((await cli.json<{ joinings: readonly unknown[] }>('invite', 'list', de)).joinings.length, 1);

    // What was dropped on both sides is asked anew, with other words.
    assert.equal((await cli.run('join', 'drop', at, 'AT')).exit, 1);
    await cli.json('join', 'drop', at, 'DE');
    await cli.json('invite', 'drop', de, 'AT');
    await cli.json('invite', 'make', de, '--out', cli.path('second.txt'));
    const { words } = await cli.json<Asked>('join', 'ask', at, cli.path('second.txt'));
    assert.notEqual(words, first.words);

    // Nothing is trusted before both have confirmed, and words of something else end it.
    const early = await cli.run('invite', 'confirm', de, 'AT', '--words', words);
    assert.match(early.err, /operator of AT has not confirmed yet/);
    const slip = await cli.run('join', 'confirm', at, 'DE', '--words', words.replace(/\w+$/, 'zoo zoo'));
    assert.equal(slip.exit, 2, slip.err);
    const unlike = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
    const wrong = await cli.run('join', 'confirm', at, 'DE', '--words', unlike);
    assert.match(wrong.err, /WORDS_DIFFER/);
    const alone = await cli.run('join', 'confirm', at, 'DE', '--words', words, '--wait', '1s');
    assert.equal(alone.exit, 4, alone.err);
    assert.deepEqual(await federation.peersOf('DE'), ['FR']);

    // In which way it is recognised is looked at before anything is confirmed.
    const confirm = ['invite', 'confirm', de, 'AT', '--words', words];
    for (const wrong of [
      ['--way', 'bridge'],
      ['--via', 'FR'],
      ['--way', 'bridge', '--via', 'DE'],
      ['--way', 'adapter', '--connect-only'],
    ]) {
      const { exit, err } = await cli.run(...confirm, ...wrong);
      assert.equal(exit, 2, `${wrong.join(' ')}: ${err}`);
    }
    const joining = cli.json<{ way: string; recognisedUntilS: number }>(
      ...['join', 'confirm', at, 'DE', '--words', words.toUpperCase(), '--way', 'hosted'],
    );
    const few = await cli.run('invite', 'confirm', de, 'AT', '--words', words, '--endorsements', '1');
    assert.match(few.err, /0 regions that are recognised here vouch for AT/);
    const { out } = await cli.run(...confirm);
    assert.match(out, /AT is a peer of DE, and recognised until .*, directly\.\n/);
    assert.equal((await joining).way, 'hosted');
    const { regions } = await cli.json<{ regions: readonly { region: string; way?: string }[] }>(
      'status',
      at,
    );
    assert.equal(regions.find(({ region }) => region === 'DE')?.way, 'hosted');

    const code = await federation.issue('AT', 'Person 1');
    await federation.verdictOnce('DE', code, ({ outcome }) => outcome === 'pass');
    // Recognition is not handed on: FR recognises DE, and DE recognises AT.
    assert.match(lineOf(await federation.verdict('FR', code)), /^stop .*NOT_RECOGNISED/);

    await cli.json('withdraw', de, 'AT');
    // As soon as it is logged.
    assert.match(lineOf(await federation.verdict('DE', code)), /^stop .*RECOGNITION_WITHDRAWN/);
  });
});

/** In the name of a region, under a root of nobody; where it was `altered`, with another name than was signed. */
function falseInvitation(region: string, http: string, altered?: string): string {
  const key = testKey(7);
  const from = Math.floor(Date.now() / 1_000);
  const { bytes } = signJoining(
    {
      kind: 'invitation',
      region,
      network: 'demo',
      name: region,
      fingerprint: new Uint8Array(32),
      node: key.publicKey,
      addresses: [],
      http,
      from,
      until: from + 3_600,
      id: new Uint8Array(16),
    },
    (message) => key.sign(message),
  );
  const text = Buffer.from(bytes).toString('latin1');
  const given = altered === undefined ? text : text.replaceAll(region, altered);
  return invitationText(Buffer.from(given, 'latin1'));
}
