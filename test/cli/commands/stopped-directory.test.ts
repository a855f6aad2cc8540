import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { editConfig } from '../../../node/config/config-file.ts';
import { peerNameOf } from '../../../node/network/peer-name.ts';
import { openKeyFile } from '../../../node/region/key-file.ts';
import { readRegionConfig, RegionLayout } from '../../../node/region/layout.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { PublishedRegion } from '../../../node/region/published-region.ts';
import { openNodeIdentity } from '../../../node/service/node-identity.ts';
import { encodeAnswer, parseRequest, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import { encodeWriterAnswer, WRITER_PROTOCOL } from '../../../node/writer/writer-messages.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { trustLogOrigin } from '../../../protocol/log/origin.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { encodeStatement, signStatement } from '../../../protocol/trust/statement.ts';
import { signWord } from '../../../protocol/writer/word.ts';
import { TestCli } from '../../support/cli.ts';
import { HostWorld, peerOf } from '../../support/host-fixture.ts';
import { realModules } from '../../support/issuing-child.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Where nobody listens. */
const NOWHERE = '/ip4/127.0.0.1/tcp/1';

describe('commands on a directory whose node does not run, and whose peers have addresses alone', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  const world = new HostWorld();
  let cli: TestCli;
  /** Questions about heads that FR was asked. */
  let asked = 0;

  /** Two regions that recognise each other, to be copied. */
  let made: TestCli;
  before(async () => {
    made = new TestCli(folder());
    for (const region of ['DE', 'FR']) await made.json('init', region, '--dir', made.path(region));
    await made.json('recognise', made.path('DE'), made.path('FR'));
    await made.json('recognise', made.path('FR'), made.path('DE'));
  });
  beforeEach(() => {
    asked = 0;
    cli = new TestCli(folder());
    cpSync(made.dir, cli.dir, { recursive: true });
  });

  /** FR answers over real sockets with what is published below `from`. It lets DE in, or nobody. */
  async function frAnswers({ from = 'FR', letsIn = true } = {}): Promise<void> {
    const host = await world.start('FR', { network: 'demo' });
    const published = new PublishedRegion(cli.path(from, 'public'), await realModules());
    host.handle(SYNC_PROTOCOL, async (_peer, bytes) => {
      const request = parseRequest(bytes);
      if (request.kind === 'heads') asked++;
      return encodeAnswer(await published.answer(request));
    });
    const name = await deName();
    host.admit(new Map(letsIn ? [[name, { region: 'DE', standing: 'recognised', addresses: [] }]] : []));
    await tell(world.addressOf('FR'));
  }

  async function deName(): Promise<string> {
    const layout = new RegionLayout(cli.path('DE'));
    const config = await readRegionConfig(layout);
    return peerNameOf((await openNodeIdentity(layout.keys, config, await realModules())).publicKey);
  }

  /** DE knows of FR where its node is, and nothing of its directory. */
  const tell = (address: string) =>
    editConfig(cli.path('DE', 'entente.yaml'), [
      { at: ['peers', 'FR'], value: { addresses: [`${address}/p2p/${peerOf('FR')}`] } },
    ]);

  const size = async () =>
    (await cli.json<{ logs: { origin: string; size: number }[] }>('export', cli.path('DE'))).logs.find(
      ({ origin }) => origin === 'DE.demo/trust',
    )?.size ?? 0;

  function copyOf(name: string): void {
    cpSync(cli.path('DE'), cli.path(name), { recursive: true });
  }

  function putBack(name: string): void {
    for (const part of ['store', 'second-place', 'public']) {
      rmSync(cli.path('DE', part), { recursive: true });
      cpSync(cli.path(name, part), cli.path('DE', part), { recursive: true });
    }
  }

  it('T9: they ask the node of the peer, and sign where it knows nothing more', async () => {
    await cli.json('witness', cli.path('FR'));
    await frAnswers();
    const before = await size();
    asked = 0;
    const { exit, err } = await cli.run('state', cli.path('DE'));
    assert.deepEqual([exit, err, asked], [0, '', 1]);
    assert.equal(await size(), before + 1);
  });

  it('T9: an old copy takes what is missing of the trust log from the node of a peer before it signs', async () => {
    copyOf('backup');
    await cli.json('state', cli.path('DE'));
    await cli.json('witness', cli.path('FR'));
    const before = await size();
    copyOf('newest');
    putBack('backup');
    await frAnswers({ from: 'newest' });
    const { exit, err } = await cli.run('state', cli.path('DE'), '--without-peers');
    assert.deepEqual([exit, err], [0, '']);
    assert.equal(await size(), before + 1);
    // What was signed continues what the peer has: no fork.
    assert.equal((await cli.run('witness', cli.path('FR'))).exit, 0);
  });

  it('T9: an old copy signs nothing where a peer has seen more than it can give, whatever the operator says', async () => {
    copyOf('backup');
    await cli.json('issue', cli.path('DE'), '--subject', 'A', '--colour', 'green');
    await cli.json('witness', cli.path('FR'));
    putBack('backup');
    await frAnswers();
    for (const more of [[], ['--without-peers']]) {
      const issuing = ['issue', cli.path('DE'), '--subject', 'B', '--colour', 'green'];
      const { exit, out, err } = await cli.run(...issuing, ...more);
      assert.deepEqual([exit, out], [5, '']);
      assert.match(err, /0 entries here, and FR has seen 1 with our signature \[LOG_BEHIND\]/);
    }
    // Nobody has it, so the root gives up the key that signed it, with the log as it stands here.
    const { keys } = await cli.json<{ keys: { keyId: string; role: string; now: string }[] }>(
      ...['key', 'list', cli.path('DE')],
    );
    const key = keys.find(({ role, now }) => role === 'checkpoint' && now === 'in force')?.keyId ?? '';
    const other = keys.find(({ role, now }) => role === 'attest' && now === 'in force')?.keyId ?? '';
    const attest = await cli.run('key', 'compromise', cli.path('DE'), '--key', other);
    assert.match(attest.err, /LOG_BEHIND/);
    const given = await cli.run('key', 'compromise', cli.path('DE'), '--key', key, '--cut-off', 'trust=now');
    assert.equal(given.exit, 0, given.err);
    assert.match(given.err, /\nNothing is signed now: .*\/attest\/.* has 0 entries here, and FR has seen 1 /);
    // The place that the lost code has is given to nobody else.
    const month = new Date(cli.nowS * 1_000).toISOString().slice(0, 7);
    assert.match(given.out, new RegExp(`\nCodes go into the log ${month}\\.1 from now on: `));
    const next = await cli.json<{ log: string; index: number }>(
      ...['issue', cli.path('DE'), '--subject', 'B', '--colour', 'green'],
    );
    assert.deepEqual([next.log, next.index], [`${month}.1`, 0]);
  });

  it('T11: whoever claims to write by a stolen key keeps the root from giving up nothing but another one', async () => {
    const { keys } = await cli.json<{ keys: { keyId: string; role: string }[] }>(
      ...['key', 'list', cli.path('DE')],
    );
    const [stolen = '', other = ''] = keys.flatMap(({ keyId, role }) =>
      role === 'checkpoint' ? [keyId] : [],
    );
    const layout = new RegionLayout(cli.path('DE'));
    const { region, network } = await readRegionConfig(layout);
    const name = { region, network, role: 'checkpoint', keyId: stolen } as const;
    const thief = await openKeyFile(layout.keys, name, await realModules());
    const [writer, session] = [new Uint8Array(32), new Uint8Array(16)];
    const said = { kind: 'claim', origin: 'DE.demo/trust', epoch: 7, writer, session, at: 1 } as const;
    const answer = encodeWriterAnswer({ kind: 'record', claim: signWord(said, thief).bytes, permits: [] });
    await frAnswers();
    world.host('FR').handle(WRITER_PROTOCOL, () => Promise.resolve(answer));
    const { exit, err } = await cli.run('state', cli.path('DE'));
    assert.equal(exit, 1);
    assert.match(err, /\[LOG_FENCED\][^]*entente key compromise/);
    const compromise = ['key', 'compromise', cli.path('DE'), '--cut-off', 'trust=now'];
    const refused = await cli.run(...compromise, '--key', other);
    assert.match(
      refused.err,
      new RegExp(`\\[LOG_FENCED\\]\n.*--key ${other} --key ${stolen} --cut-off trust=now`),
    );
    await cli.json(...compromise, '--key', stolen);
    await cli.json('state', cli.path('DE'));
  });

  it('T1: key compromise names first what lies before a `state` statement that a thief has brought in, and witnesses vouch again', async () => {
    const layout = new RegionLayout(cli.path('DE'));
    const { region, network } = await readRegionConfig(layout);
    const modules = await realModules();
    const { entries, state } = await readPublicRegion(layout.public, { region, network }, modules);
    const [{ keyId } = assert.fail()] = state.keysWithRole('checkpoint');
    const thief = await openKeyFile(layout.keys, { region, network, role: 'checkpoint', keyId }, modules);
    const origin = trustLogOrigin(region, network);
    const junk = {
      kind: 'state',
      at: modules.nowS(),
      format: 1,
      items: 1,
      root: new Uint8Array(32),
    } as const;
    const sign = (message: Uint8Array) => thief.sign(message);
    const forged = signStatement(origin, encodeStatement(junk), [{ keyId, sign }]);
    const { length: from } = entries;
    const root = new ReferenceTree([...entries, forged]).root();
    const { sha256 } = modules;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey: thief.publicKey });
    const note = encodeNote(signCheckpoint({ origin, size: from + 1, root }, key, sign));
    await frAnswers();
    world.host('FR').handle(SYNC_PROTOCOL, (_peer, bytes) => {
      const isHeads = parseRequest(bytes).kind === 'heads';
      if (isHeads) return Promise.resolve(encodeAnswer({ kind: 'heads', heads: [{ note, forks: 0 }] }));
      return Promise.resolve(encodeAnswer({ kind: 'range', from, entries: [forged], note, path: [] }));
    });
    await cli.json('issue', cli.path('DE'), '--subject', 'A', '--colour', 'green');
    const vouches = () => cli.run('witness', cli.path('FR'));
    assert.match((await vouches()).err, /STATE_MISMATCH/);
    const { err, out } = await cli.run(
      'key',
      'compromise',
      cli.path('DE'),
      '--key',
      keyId,
      '--cut-off',
      'trust=now',
    );
    assert.match(err, new RegExp(`statement at index ${from} of trust.*STATE_MISMATCH`));
    assert.match(out, new RegExp(`trust +${from + 3} entries`), 'and then what is here');
    assert.equal((await vouches()).exit, 0);
  });

  it('T9: another tree with the same signature is contradicted', async () => {
    copyOf('fork');
    await cli.json('state', cli.path('DE'));
    await cli.json('witness', cli.path('FR'));
    putBack('fork');
    await tell(NOWHERE);
    await deName();
    cli.nowS += 60;
    await cli.json('state', cli.path('DE'), '--without-peers');
    await frAnswers();
    const { exit, err } = await cli.run('state', cli.path('DE'), '--without-peers');
    assert.equal(exit, 5);
    assert.match(err, /FR has seen another tree with our signature \[LOG_CONTRADICTED\]/);
  });

  it('a peer that is silent, or lets nobody in, stops what signs; --without-peers overrules that', async () => {
    await deName();
    await tell(NOWHERE);
    const before = await cli.run('state', cli.path('DE'));
    assert.deepEqual([before.exit, before.out], [4, '']);
    assert.match(
      before.err,
      /nothing was signed \[PEER_UNREACHABLE\]\nFR: nothing listens there \(\/ip4\/127\.0\.0\.1\/tcp\/1\)\n.*--without-peers/,
    );
    const forced = await cli.run('state', cli.path('DE'), '--without-peers');
    assert.equal(forced.exit, 0);
    assert.match(forced.err, /^FR did not answer: nothing listens there /);
    await frAnswers({ letsIn: false });
    const { exit, err } = await cli.run('state', cli.path('DE'));
    assert.equal(exit, 4);
    assert.match(err, /\nFR: it does not let this node in \(/);
    assert.equal(asked, 0);
  });

  it('the first recognition works before anybody runs; once one is recognised by address, the node has to run first', async () => {
    await cli.json('init', 'AT', '--dir', cli.path('AT'));
    const at = cli.path('AT');
    await cli.json('peer', 'add', at, 'FR', '--address', `${NOWHERE}/p2p/${peerOf('FR')}`);
    const first = await cli.run('recognise', at, cli.path('FR'));
    assert.equal(first.exit, 0, first.err);
    await editConfig(cli.path('AT', 'entente.yaml'), [
      { at: ['peers', 'FR'], value: { addresses: [`${NOWHERE}/p2p/${peerOf('FR')}`] } },
    ]);
    const second = await cli.run('recognise', at, cli.path('DE'));
    assert.equal(second.exit, 4);
    assert.match(second.err, /\nFR: the node here has never run, .*`entente run`\n/);
    assert.match(second.err, /`entente init` made this very directory.*--without-peers.*a backup, do not/);
    assert.equal((await cli.run('recognise', at, cli.path('DE'), '--without-peers')).exit, 0);
  });

  it('where witnesses fence the writer nothing is claimed or signed in the name of the node', async () => {
    await frAnswers();
    let claims = 0;
    world.host('FR').handle(WRITER_PROTOCOL, () => Promise.resolve(Uint8Array.of(++claims)));
    await editConfig(cli.path('DE', 'entente.yaml'), [{ at: ['writer', 'fenced'], value: true }]);
    for (const more of [[], ['--without-peers']]) {
      const { exit, err } = await cli.run('state', cli.path('DE'), ...more);
      assert.deepEqual([exit, claims], [4, 0]);
      assert.match(err, /only its node asks them; nothing was signed \[PEER_UNREACHABLE\]\n.*`entente run`/);
    }
  });

  it('a directory of the peer answers in place of its node', async () => {
    await deName();
    await editConfig(cli.path('DE', 'entente.yaml'), [
      {
        at: ['peers', 'FR'],
        value: { directory: cli.path('FR', 'public'), addresses: [`${NOWHERE}/p2p/${peerOf('FR')}`] },
      },
    ]);
    const { exit, err } = await cli.run('suspend', cli.path('DE'), 'FR');
    assert.equal(exit, 0, err);
    assert.doesNotMatch(err, /did not answer/);
  });
});
