import assert from 'node:assert/strict';
import { BULK_LIMITS } from '../../../node/abuse/bulk-watch.ts';
import { encodeAnswer, parseAnswer, SYNC_PROTOCOL, WITNESS_PROTOCOL } from '../../../node/sync/messages.ts';
import { encodeAddCheckpoint } from '../../../node/witness/add-checkpoint.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { sha256 } from '../../support/primitives.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type LoggedRules } from '../../../protocol/trust/trust-state.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { noteOf } from '../../support/keeper-fixture.ts';
import { RegionFixture } from '../../support/region-fixture.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { ruleBody } from '../../support/rule-fixture.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { type InvitedRegion } from '../../../node/core/node-options.ts';
import { type RegionNodeOptions } from '../../../node/core/region-node.ts';

const REGIONS = ['DE', 'FR', 'IT'] as const;
const TRUST = 'DE.test/trust';

/** Three regions that recognise each other, and whose witnesses have seen all. */
async function three(
  options: Partial<RegionNodeOptions> & { readonly seed?: number } = {},
): Promise<NodeWorld> {
  const world = new NodeWorld(options);
  for (const region of REGIONS) await world.found(region);
  await world.befriend('DE', 'FR');
  await world.befriend('DE', 'IT');
  await world.befriend('FR', 'IT');
  await world.pass(15);
  return world;
}

function sizeAt(world: NodeWorld, region: string, origin = TRUST): number {
  return world.node(region).status.sizes[origin] ?? 0;
}

async function revoke(
  world: NodeWorld,
  region: string,
  { log, index }: { log: string; index: number },
): Promise<void> {
  await world.run(world.node(region).revoke({ log, indexes: [index] }));
}

/** The region that a keeper follows, for somebody who has its keys. */
async function copyOf({ region, tree }: TrustKeeper): Promise<RegionFixture> {
  const copy = new RegionFixture({ region, begins: 'empty' });
  for await (const entry of tree.reader.entries(0, tree.size)) copy.offer(entry.slice());
  return copy;
}

describe('RegionNode', () => {
  it('a region that the operator invites while it runs is followed and witnessed with the next news, and not recognised', async () => {
    const world = new NodeWorld();
    let invited: readonly InvitedRegion[] = [];
    await world.found('DE', { invited: () => invited });
    await world.found('FR');
    await world.pass(15);
    assert.equal(sizeAt(world, 'DE', 'FR.test/trust'), 0);
    const { fingerprint } = world.node('FR').keeper('FR')?.state ?? {};
    invited = [{ region: 'FR', fingerprint: fingerprint ?? assert.fail('no root') }];
    await world.pass(45);
    assert.equal(sizeAt(world, 'DE', 'FR.test/trust'), sizeAt(world, 'FR', 'FR.test/trust'));
    assert.match(await world.outcome('DE', (await world.issue('FR')).text), /^stop.* NOT_RECOGNISED/);
  });

  it('a code issued in one region passes in all three, and stops in all once it is revoked', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(2);
    for (const region of REGIONS) assert.match(await world.outcome(region, code.text), /^pass/, region);
    await revoke(world, 'DE', code);
    assert.match(await world.outcome('DE', code.text), /^stop.*REVOKED/);
    await world.pass(1);
    for (const region of ['FR', 'IT'])
      assert.match(await world.outcome(region, code.text), /^stop.*REVOKED/, region);
    assert.deepEqual(world.machine('FR').troubles, []);
    await world.stop();
  });

  it('says once in an hour that more codes are revoked than its alarms allow', async () => {
    const world = await three({
      alarms: { ...BULK_LIMITS, perHour: { ...BULK_LIMITS.perHour, revoked: 1 } },
    });
    for (const subject of ['p1', 'p2', 'p3']) await revoke(world, 'DE', await world.issue('DE', subject));
    const alarms = world.machine('DE').troubles.filter((trouble) => isNodeError(trouble, 'BULK_CHANGE'));
    assert.deepEqual(
      alarms.map((alarm) => isNodeError(alarm) && alarm.message),
      ['2 codes revoked within an hour, above 1'],
    );
    await world.stop();
  });

  it('codes of a region are judged by the rules that its recognition names, as soon as these are logged', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(2);
    const { fixture, node } = world.machine('FR');
    fixture.nowS = world.nowS;
    const named = { ...fixture.recognitionOf(world.machine('DE').fixture, 2), rules: 'gates' };
    await world.run(node.submit({ entry: fixture.entryOf(named) }));
    await world.pass(15);
    assert.match(await world.outcome('FR', code.text), /^undetermined.*RULES_NOT_EVALUATED/);
    const acceptance = [
      {
        id: 'others',
        when: { '!': [{ '===': [{ var: 'status.colour' }, 'green'] }] },
        outcome: 'stop',
        why: 'x',
      },
      { id: 'ask', when: true, outcome: 'act', why: 'Everybody is asked.' },
    ] as const;
    const { id, version, fromS, data } = ruleBody(
      { acceptance, region: 'FR' },
      { id: 'gates' },
    ) as LoggedRules;
    const rules = fixture.entryOf({ kind: 'rules', id, version, from: fromS, data }, 'root');
    await world.run(node.submit({ entry: rules }));
    await world.pass(15);
    assert.match(await world.outcome('FR', code.text), /^act.*RULE_ASKS/);
    assert.match(await world.outcome('IT', code.text), /^pass/);
    await world.stop();
  });

  it('verdicts go on while new entries wait for their quorum', async () => {
    const world = await three();
    const [kept, revoked] = [await world.issue('DE', 'p1'), await world.issue('DE', 'p2')];
    await world.pass(2);
    world.network.isolate('DE');
    await revoke(world, 'DE', revoked);
    assert.match(await world.outcome('DE', kept.text), /^pass/);
    assert.match(await world.outcome('DE', revoked.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('A11, T15: what a thief signs ahead of the clock neither counts nor is vouched for before its time', async () => {
    const world = await three();
    const [code, later] = [await world.issue('DE', 'p1'), await world.issue('DE', 'p2')];
    await world.pass(2);
    const copy = world.node('FR').keeper('DE') as TrustKeeper;
    const from = copy.tree.size;
    const thief = await copyOf(copy);
    thief.nowS = world.nowS;
    thief.add(thief.revocation([code.index], code.log));
    const inTime = thief.entries.length;
    thief.nowS += 600;
    thief.add(thief.revocation([later.index], later.log));
    const piece = (start: number, end: number) => ({
      from: start,
      entries: thief.entries.slice(start, end),
      note: noteOf(thief, end),
    });
    world.network.isolate('DE');
    await world.run(copy.apply(piece(from, inTime)));
    await world.run(copy.apply(piece(inTime, thief.entries.length)));
    await world.pass(12);
    assert.match(await world.outcome('FR', code.text), /^stop.*REVOKED/);
    assert.match(await world.outcome('FR', later.text), /^pass/);
    assert.ok(isProtocolError(world.machine('FR').troubles[0], 'STATE_AHEAD'));
    assert.ok(copy.latest?.pool.cosignatures.every(({ region }) => region !== 'FR'));
    await world.pass(600);
    assert.match(await world.outcome('FR', later.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('T26: names of logs that a region has not are none to its peers, however well they are signed', async () => {
    const world = await three();
    const { keys } = world.machine('FR').fixture;
    const { publicKey, sign } = keys.checkpoint;
    const ask = async (origin: string) => {
      const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
      const note = encodeNote(signCheckpoint({ origin, size: 1, root: new Uint8Array(32) }, key, sign));
      const request = encodeAddCheckpoint({ oldSize: 0, path: [], note });
      const { signal } = new AbortController();
      const stranger = world.network.join('somebody');
      const answer = await world.run(stranger.request('DE', WITNESS_PROTOCOL, request, signal));
      world.network.leave('somebody');
      return Buffer.from(answer).toString('utf8').split('\n')[0];
    };
    for (const origin of [
      'FR.other/trust',
      'FR.other/attest/2026-11',
      'FR.test/attest/2019-01',
      'FR.test/attest/2030-01',
    ])
      assert.equal(await ask(origin), '404', origin);
    assert.equal(await ask('FR.test/attest/2026-10'), '200');
    await world.stop();
  });

  it('T1: no witness vouches for a log in which a thief left revocations out of the state, and its operator hears of it', async () => {
    const world = await three();
    const copies = (['FR', 'IT'] as const).map((region) => world.node(region).keeper('DE') as TrustKeeper);
    const thief = await copyOf(copies[0] as TrustKeeper);
    const from = thief.entries.length;
    thief.nowS = world.nowS;
    const forged = thief.stateStatement();
    thief.revoke([3]);
    thief.refusal(forged);
    world.network.isolate('DE');
    for (const copy of copies)
      await world.run(copy.apply({ from, entries: thief.entries.slice(from), note: noteOf(thief) }));
    await world.pass(15);
    for (const region of ['FR', 'IT']) assert.ok(world.node(region).trust.regions.has('DE'));
    for (const copy of copies) {
      assert.equal(copy.latest?.checkpoint.size, thief.entries.length);
      assert.deepEqual(copy.latest.pool.cosignatures, []);
      assert.equal(copy.published?.checkpoint.size, from);
    }
    for (const region of ['FR', 'IT'] as const) {
      const [trouble, ...more] = world.machine(region).troubles;
      assert.ok(isProtocolError(trouble, 'STATE_MISMATCH') && more.length === 0);
    }
    await world.stop();
  });

  it('what the home takes back it takes back at once, whoever vouches for it', async () => {
    const world = await three();
    const code = await world.issue('FR');
    await world.pass(2);
    assert.match(await world.outcome('DE', code.text), /^pass/);
    world.network.isolate('DE');
    const { fixture, node } = world.machine('DE');
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf({ kind: 'withdrawal', region: 'FR', version: 2 });
    await world.run(node.submit({ entry }));
    assert.match(await world.outcome('DE', code.text), /^stop.*RECOGNITION_WITHDRAWN/);
    await world.stop();
  });

  it('T14: a region that was away catches up with what it missed', async () => {
    const world = await three();
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push(await world.issue('DE', `p${i}`));
    await world.pass(1);
    world.network.isolate('IT');
    for (const code of codes.slice(0, 4)) {
      await revoke(world, 'DE', code);
      await world.pass(3);
    }
    assert.match(await world.outcome('IT', codes[0]?.text ?? ''), /^pass/);
    world.network.rejoin('IT');
    await world.pass(1);
    for (const code of codes.slice(0, 4))
      assert.match(await world.outcome('IT', code.text), /^stop.*REVOKED/);
    assert.match(await world.outcome('IT', codes[4]?.text ?? ''), /^pass/);
    assert.equal(sizeAt(world, 'IT'), sizeAt(world, 'DE'));
    await world.stop();
  });

  it('T14: entries reach a region through any other, also from one that is gone by then', async () => {
    const world = await three();
    const code = await world.issue('DE');
    world.network.isolate('IT');
    await revoke(world, 'DE', code);
    await world.pass(1);
    await world.kill('DE');
    world.network.mend('IT', 'FR');
    await world.pass(1);
    assert.match(await world.outcome('IT', code.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('a region whose node has died is still recognised, and its silence is shown', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(12);
    await world.kill('DE');
    await world.pass(300);
    assert.doesNotMatch(await world.outcome('FR', code.text), /ISSUER_SILENT/);
    await world.pass(330);
    for (const region of ['FR', 'IT'])
      assert.match(await world.outcome(region, code.text), /^pass.*ISSUER_SILENT/);
    await world.stop();
  });

  it('a node that hears of nobody any more says that it does not know', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(2);
    world.network.isolate('IT');
    await world.pass(615);
    assert.match(await world.outcome('IT', code.text), /^(stop|undetermined).*KNOWLEDGE_STALE/);
    assert.doesNotMatch(await world.outcome('IT', code.text), /^pass/);
    await world.stop();
  });

  it('T20: a peer that lies about entries is refused and put on record, and others serve', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(1);
    world.network.isolate('IT');
    await revoke(world, 'DE', code);
    await world.pass(1);
    let lies = 0;
    world.network.tamper = ({ from, to, protocol, bytes }) => {
      if (from !== 'FR' || to !== 'IT' || protocol !== SYNC_PROTOCOL) return bytes;
      const answer = parseAnswer(bytes);
      if (answer.kind !== 'range') return bytes;
      lies++;
      const entries = answer.entries.map((entry) => entry.map((byte, i) => (i === 20 ? byte ^ 1 : byte)));
      return encodeAnswer({ ...answer, entries });
    };
    world.network.mend('IT', 'FR');
    await world.pass(3);
    assert.ok(lies > 0);
    assert.match(await world.outcome('IT', code.text), /^pass/);
    world.network.mend('IT', 'DE');
    await world.pass(3);
    assert.match(await world.outcome('IT', code.text), /^stop.*REVOKED/);
    assert.deepEqual(world.node('IT').status.forked, []);
    await world.stop();
  });

  it('at rest peers tell each other nothing when they compare heads, and after a change what has changed alone', async () => {
    const world = await three({ intervalMs: 7_000, beatMs: 600_000 });
    const told: number[] = [];
    world.network.tamper = ({ protocol, bytes }) => {
      const answer = protocol === SYNC_PROTOCOL ? parseAnswer(bytes) : undefined;
      if (answer?.kind === 'heads') told.push(answer.heads.length);
      return bytes;
    };
    await world.pass(30);
    assert.ok(told.length >= 12);
    assert.deepEqual(new Set(told), new Set([0]));
    await world.issue('DE');
    await world.pass(8);
    assert.deepEqual(new Set(told), new Set([0, 1]));
    await world.stop();
  });

  it('T15: a revocation that waits for its quorum counts on where the clock is set back', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(15);
    world.network.isolate('DE');
    await revoke(world, 'DE', code);
    assert.match(await world.outcome('DE', code.text), /^stop.*REVOKED/);
    // Its own statement is ahead of its time by now, and whatever changes makes the trust anew.
    world.machine('DE').clockError.aheadMs = -200_000;
    world.network.rejoin('DE');
    await revoke(world, 'FR', await world.issue('FR'));
    await world.pass(15);
    assert.match(await world.outcome('DE', code.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('T15: a revocation counts on where the clock is set back before anybody was judged', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(15);
    await revoke(world, 'DE', code);
    world.machine('DE').clockError.aheadMs = -200_000;
    assert.match(await world.outcome('DE', code.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('T20: a peer that keeps silent is passed over after two seconds', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(1);
    world.network.isolate('IT');
    await revoke(world, 'DE', code);
    await world.pass(1);
    world.network.tamper = ({ from, to, protocol, bytes }) =>
      from === 'FR' && to === 'IT' && protocol === SYNC_PROTOCOL ? undefined : bytes;
    world.network.rejoin('IT');
    await world.pass(6);
    assert.match(await world.outcome('IT', code.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('through loss of every fifth message a revocation arrives', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(1);
    world.network.lossRate = 0.2;
    await revoke(world, 'DE', code);
    await world.pass(31);
    for (const region of ['FR', 'IT'])
      assert.match(await world.outcome(region, code.text), /^stop.*REVOKED/, region);
    await world.stop();
  });

  it('a node that is stopped or killed goes on where it was', async () => {
    for (const inOrder of [true, false]) {
      const world = await three();
      const code = await world.issue('DE');
      await world.kill('DE', { inOrder });
      world.replace('DE');
      await world.boot('DE');
      await world.pass(11);
      for (const region of REGIONS) assert.match(await world.outcome(region, code.text), /^pass/, region);
      const next = await world.issue('DE', 'p2');
      assert.ok(next.index > code.index);
      await revoke(world, 'DE', code);
      await world.pass(1);
      assert.match(await world.outcome('FR', code.text), /^stop.*REVOKED/);
      await world.stop();
    }
  });

  it('T9 restored backup: reads only while too few peers answer, and writes once it has caught up from them', async () => {
    const world = await three({ mirrors: [...REGIONS] });
    const before = await world.issue('DE');
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    const after = await world.issue('DE', 'p2');
    await revoke(world, 'DE', after);
    await world.pass(35);
    const size = sizeAt(world, 'DE');
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    // The second place was on the same disk.
    machine.secondPlace = new MemorySecondPlace();
    world.replace('DE');
    world.network.isolate('DE');
    await world.boot('DE', (node) => node.status.writing !== 'checking');
    await world.pass(20);
    assert.equal(world.node('DE').status.writing, 'alone');
    await assert.rejects(world.run(world.node('DE').issue({ subject: 'p3', fields: {} as never })), (error) =>
      isNodeError(error, 'PEER_UNREACHABLE'),
    );
    world.network.rejoin('DE');
    await world.until(() => world.node('DE').status.writing === 'writing', 'it writes');
    assert.equal(sizeAt(world, 'DE'), size);
    const next = await world.issue('DE', 'p4');
    assert.ok(next.index > after.index);
    await world.pass(12);
    assert.match(await world.outcome('FR', next.text), /^pass/);
    assert.match(await world.outcome('FR', after.text), /^stop.*REVOKED/);
    assert.match(await world.outcome('FR', before.text), /^pass/);
    for (const region of REGIONS) assert.deepEqual(world.node(region).status.forked, []);
    await world.stop();
  });

  it('T9 restored backup: a log of its own that it learns of while it asks for others is asked for as well', async () => {
    const world = await three({ mirrors: [...REGIONS] });
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    // The first code of the month: only now there is a log for it.
    const code = await world.issue('DE');
    await world.pass(35);
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    machine.secondPlace = new MemorySecondPlace();
    world.replace('DE');
    // While the boot check waits for FR, others have told of the trust log all there is.
    world.network.tamper = ({ from, to, bytes }) => (from === 'FR' && to === 'DE' ? undefined : bytes);
    await world.boot('DE');
    const next = await world.issue('DE', 'p2');
    assert.ok(next.index > code.index, `index ${next.index} was given to another code before`);
    world.network.tamper = undefined;
    await world.pass(35);
    for (const region of REGIONS) assert.deepEqual(world.node(region).status.forked, []);
    await world.stop();
  });

  it('T9 restored backup: without anybody who has what is missing it stays read-only', async () => {
    const world = await three();
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    const code = await world.issue('DE');
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    world.replace('DE');
    // Nobody mirrors the attestation log, but the second place knows that it was longer.
    await world.boot('DE', (node) => node.status.writing !== 'checking');
    await world.pass(30);
    assert.match(await world.outcome('FR', code.text), /^pass/);
    await assert.rejects(
      world.issue('DE', 'p2'),
      (error) => isNodeError(error) && error.code === 'LOG_BEHIND',
    );
    await world.stop();
  });

  it('T9 restored backup: nobody mirrors an attestation log, but those who met it know how long it was, and it refuses with who knows', async () => {
    const world = await three();
    await world.issue('DE');
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    const after = await world.issue('DE', 'p2');
    await world.pass(35);
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    machine.secondPlace = new MemorySecondPlace();
    // What they know outlives their processes.
    for (const region of ['FR', 'IT']) {
      await world.kill(region, { inOrder: true });
      world.replace(region);
      await world.boot(region);
    }
    world.replace('DE');
    await world.boot('DE', (node) => node.status.writing === 'behind');
    await world.pass(35);
    const { writing, reason = '' } = world.node('DE').status;
    assert.equal(writing, 'behind');
    assert.match(reason, /attest\/.* has 1 entries here, and (FR|IT) has seen 2 with our signature/);
    await assert.rejects(world.issue('DE', 'p3'), (error) => isNodeError(error, 'LOG_BEHIND'));
    assert.match(await world.outcome('FR', after.text), /^pass/);
    // That is not for the operator to overrule.
    world.node('DE').force();
    await world.pass(35);
    assert.equal(world.node('DE').status.writing, 'behind');
    // What nobody can give is asked for more and more seldom.
    let asked = 0;
    world.network.tamper = ({ to, protocol, bytes }) => {
      if (to === 'DE' && protocol === SYNC_PROTOCOL) asked++;
      return bytes;
    };
    await world.pass(240);
    assert.ok(asked <= 2 * (8 + 8 * 5), `${asked} answers`);
    await world.stop();
  });

  it('status names an own log that has fewer entries than were signed, while the others are written', async () => {
    const world = await three();
    await world.issue('DE');
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    world.network.isolate('DE');
    const { log } = await world.issue('DE', 'p2');
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    world.replace('DE');
    world.network.rejoin('DE');
    await world.boot('DE', (node) => node.status.writing === 'writing');
    assert.deepEqual(world.node('DE').status.behind, { [`DE.test/attest/${log}`]: 2 });
    assert.deepEqual(world.node('FR').status.behind, {});
    await world.stop();
  });

  it('A18 two writers: the log of a restored backup that is forced on forks, which all find out and keep as proof', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.kill('DE', { inOrder: true });
    const machine = world.machine('DE');
    const backup = machine.medium.snapshot();
    world.replace('DE');
    await world.boot('DE');
    await revoke(world, 'DE', code);
    await world.pass(12);
    await world.kill('DE', { inOrder: true });
    machine.medium.restore(backup);
    machine.secondPlace = new MemorySecondPlace();
    world.replace('DE');
    world.network.isolate('DE');
    await world.run(world.node('DE').start());
    world.node('DE').force();
    await world.until(() => world.node('DE').status.writing === 'writing', 'it writes');
    await world.run(world.node('DE').revoke({ log: code.log, indexes: [9_999] }));
    world.network.rejoin('DE');
    await world.pass(35);
    for (const region of ['FR', 'IT']) {
      assert.deepEqual(world.node(region).status.forked, [TRUST], region);
      assert.match(await world.outcome(region, code.text), /REVOKED/);
      assert.match(await world.outcome(region, code.text), /FORKED/);
    }
    assert.deepEqual(world.node('DE').status.forked, [TRUST]);
    assert.equal(world.node('DE').status.writing, 'contradicted', 'neither log is to grow');
    await world.kill('DE', { inOrder: true });
    world.network.isolate('DE');
    world.replace('DE');
    await world.run(world.node('DE').start());
    world.node('DE').force();
    await world.until(() => world.node('DE').status.writing === 'contradicted', 'the proof binds it');
    // The proof outlives the process.
    await world.kill('FR', { inOrder: true });
    world.network.isolate('FR');
    world.replace('FR');
    await world.run(world.node('FR').start());
    assert.deepEqual(world.node('FR').status.forked, [TRUST]);
    await world.stop();
  });

  it('starts from the state that the log commits to', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.run(world.node('DE').commitState());
    await revoke(world, 'DE', code);
    await world.pass(2);
    for (const region of ['DE', 'FR']) {
      await world.kill(region, { inOrder: true });
      world.replace(region);
      await world.boot(region);
      assert.ok((world.node(region).keeper('DE')?.fold.newestBase()?.index ?? 0) > 0);
    }
    await world.pass(12);
    for (const region of REGIONS)
      assert.match(await world.outcome(region, code.text), /^stop.*REVOKED/, region);
    await world.stop();
  });

  it('T3: under a compromised key only what a mirror proves lives on, with the issuer gone', async () => {
    const world = await three({ mirrors: ['DE'] });
    const genuine = await world.issue('DE');
    const cutOff = { size: genuine.index + 1, root: genuine.checkpoint.root };
    assert.equal(genuine.checkpoint.size, cutOff.size);
    const late = await world.issue('DE', 'p2');
    await world.pass(2);
    const { fixture, node } = world.machine('DE');
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf(fixture.compromise(fixture.keys.attest, { [genuine.log]: cutOff }));
    await world.run(node.submit({ entry }));
    await world.pass(31);
    await world.kill('DE');
    for (const region of ['FR', 'IT']) {
      assert.match(await world.outcome(region, genuine.text), /^pass.*PROVEN_IN_LOG/, region);
      assert.match(await world.outcome(region, late.text), /^stop.*BEYOND_CUT_OFF/, region);
    }
    assert.equal(world.node('FR').status.verdicts.proofsFetched, 1);
    await world.stop();
  });

  it('T3: where no mirror can be reached a code under a compromised key is undetermined', async () => {
    const world = await three();
    const genuine = await world.issue('DE');
    const cutOff = { size: genuine.index + 1, root: genuine.checkpoint.root };
    const { fixture, node } = world.machine('DE');
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf(fixture.compromise(fixture.keys.attest, { [genuine.log]: cutOff }));
    await world.run(node.submit({ entry }));
    await world.pass(2);
    assert.match(await world.outcome('FR', genuine.text), /^pass.*PROVEN_IN_LOG/);
    await world.kill('DE');
    assert.match(await world.outcome('IT', genuine.text), /^undetermined.*PROOF_NEEDED/);
    // What was proven once is kept.
    assert.match(await world.outcome('FR', genuine.text), /^pass.*PROVEN_IN_LOG/);
    await world.stop();
  });

  it('a statement that would have no effect is refused before it is logged', async () => {
    const world = await three();
    const { fixture, node } = world.machine('DE');
    fixture.nowS = world.nowS;
    const before = sizeAt(world, 'DE');
    const entry = fixture.entryOf(fixture.recognitionOf(world.machine('FR').fixture, 1));
    await assert.rejects(world.run(node.submit({ entry })), (error) => isNodeError(error, 'REFUSED'));
    assert.equal(sizeAt(world, 'DE'), before);
    await world.recognise('DE', 'FR', 2);
    assert.equal(sizeAt(world, 'DE'), before + 1);
    await world.stop();
  });

  it('many revocations without a pause do not keep verdicts from getting newer', async () => {
    const world = await three();
    const code = await world.issue('DE');
    await world.pass(2);
    for (let i = 0; i < 100; i++) await revoke(world, 'DE', { log: code.log, index: 1_000 + i });
    for (const region of REGIONS) {
      const { published, latest } = world.node(region).keeper('DE') ?? {};
      assert.match(await world.outcome(region, code.text), /^pass/);
      assert.ok((latest?.state.size ?? 0) - (published?.state.size ?? 0) < 40, region);
    }
    await world.stop();
  });

  it('T16, F4: what has rotted in the copy of a log is found and put right from peers', async () => {
    const world = await three({ scrubMs: 30_000 });
    const code = await world.issue('DE');
    await revoke(world, 'DE', code);
    await world.pass(2);
    assert.ok(world.machine('FR').medium.flipBit(`log/${TRUST}/entries/`));
    assert.ok(world.machine('DE').medium.flipBit(`log/${TRUST}/tile/`));
    await world.pass(65);
    for (const region of ['FR', 'DE']) {
      const { corrupt, healed } = world.node(region).status.scrub;
      assert.deepEqual([corrupt, healed], [1, 1], region);
    }
    assert.match(await world.outcome('FR', code.text), /^stop.*REVOKED/);
    await world.stop();
  });

  it('status tells of a log that cannot be used, and why, while the store is down', async () => {
    const world = await three();
    const code = await world.issue('DE');
    const { medium } = world.machine('DE');
    assert.ok(medium.flipBit(`log/${TRUST}/tile/`));
    medium.plan({ write: medium.counters.writes + 1, when: 'before', what: 'DISK_IO' });
    await assert.rejects(revoke(world, 'DE', code));
    await world.pass(10);
    const { store, sizes, closed } = world.node('DE').status;
    assert.equal(store, 'down');
    assert.match(closed[TRUST] ?? '', /cannot be opened/);
    assert.equal(sizes[TRUST], undefined);
    await world.stop();
  });

  it('the same seed gives the same run, message for message', async () => {
    const runOf = async (seed: number) => {
      const world = await three({ seed });
      world.network.lossRate = 0.1;
      const code = await world.issue('DE');
      await revoke(world, 'DE', code);
      await world.pass(40);
      const statuses = REGIONS.map((region) => world.node(region).status);
      const trace = JSON.stringify([code.text, world.network.counters, statuses]);
      await world.stop();
      return trace;
    };
    const [first, second, other] = [await runOf(7), await runOf(7), await runOf(8)];
    assert.equal(first, second);
    assert.notEqual(first, other);
  });
});
