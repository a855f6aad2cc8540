import assert from 'node:assert/strict';
import { isSignedBy } from '../../../node/log/own-checkpoint.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type HighWater, type Network } from '../../../node/ports.ts';
import {
  encodeWriterRequest,
  parseWriterAnswer,
  WRITER_PROTOCOL,
} from '../../../node/writer/writer-messages.ts';
import { parseMemory, recordIn } from '../../../node/writer/writer-memory.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type CutOff } from '../../../protocol/trust/trust-state.ts';
import { type Claim, type Permit, signWord } from '../../../protocol/writer/word.ts';
import { testKey } from '../../support/keys.ts';
import { MemorySecondPlace } from '../../support/memory-second-place.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { trustModules, type TestKey } from '../../support/region-fixture.ts';
import { rejectsWith } from '../../support/store-fixture.ts';

const TRUST = 'DE.test/trust';
const SPARE = 'DE#2';
const WITNESSES = ['FR', 'IT'] as const;
const LAST = Number.MAX_SAFE_INTEGER;

describe('a region that witnesses fence, one of whose checkpoint keys is stolen', () => {
  let world: NodeWorld;
  let thief: Network;
  let fresh: TestKey;

  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['DE', ...WITNESSES]) await world.found(region);
    for (const region of WITNESSES) await world.befriend('DE', region);
    await world.pass(15);
    await world.kill('DE', { inOrder: true });
    world.replace('DE', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('DE');
    world.addMachine(SPARE, { fenced: { identity: testKey(102).publicKey, isStandby: true } });
    await world.boot(
      SPARE,
      ({ status }) => status.writing === 'standby' && status.sizes[TRUST] === sizeAt('FR'),
    );
    thief = world.network.join('DE#9');
    fresh = world.machine('DE').fixture.key('fresh checkpoint');
  });
  afterEach(() => world.stop());

  const sizeAt = (name: string) => world.node(name).status.sizes[TRUST];

  /** Has a tree permitted by the stolen key, under a claim of this epoch. */
  async function rob(epoch: number, witnesses: readonly string[] = WITNESSES, size = 10 ** 9) {
    const key = world.machine('DE').fixture.keys.checkpoint;
    const session = new Uint8Array(16).fill(9);
    const claim = signWord<Claim>(
      { kind: 'claim', origin: TRUST, epoch, writer: testKey(109).publicKey, session, at: 1 },
      key,
    );
    const root = new Uint8Array(32).fill(9);
    const permit = signWord<Permit>(
      { kind: 'permit', origin: TRUST, epoch, session, from: 0, size, root },
      key,
    );
    const request = encodeWriterRequest({ kind: 'permit', claim: claim.bytes, permit: permit.bytes });
    const answers = witnesses.map(async (witness) => {
      const answer = await world.run(
        thief.request(witness, WRITER_PROTOCOL, request, new AbortController().signal),
      );
      return parseWriterAnswer(answer).kind;
    });
    return Promise.all(answers);
  }

  /** What the root of DE signs to give the stolen key up, by default with the log of this machine as it is. */
  function givingUp(name: string, machines = ['DE', SPARE], cutOff?: CutOff): Uint8Array[] {
    const { fixture } = world.machine('DE');
    fixture.nowS = world.nowS;
    for (const machine of machines) world.machine(machine).instead.checkpoint = fresh;
    const { size, root } = cutOff ?? world.node(name).log(TRUST)?.head ?? assert.fail();
    return [
      fixture.keysStatement([{ key: fresh, role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { trust: { size, root } }),
    ].map((statement) => fixture.entryOf(statement));
  }

  function requestOf(subject: string) {
    const expiresAtS = world.nowS + 86_400;
    const status = { colour: 'green', measure: 'none', expiresAtS, ruleId: 'base', ruleVersion: 1 } as const;
    return { subject, fields: { status } };
  }

  /** Whether a witness knows of a key that is given up. */
  function hasHeard(witness: string): boolean {
    const { note } = world.machine(witness).secondPlace.marks.get(`writer:${TRUST}`) ?? assert.fail();
    return parseMemory(note, TRUST).givenUp.length > 0;
  }

  /** DE dies once its witnesses know what its root gives up, and before a quorum has permitted that. Gives the size of the log with it. */
  async function dieGivingUp(entries = givingUp('DE')): Promise<number> {
    const { size } = world.node('DE').log(TRUST)?.head ?? assert.fail();
    void world
      .node('DE')
      .logEntries(entries)
      .catch(() => undefined);
    await world.until(() => WITNESSES.every(hasHeard), 'both have heard it');
    world.network.isolate('IT');
    await world.pass(5);
    await world.kill('DE');
    assert.equal(sizeAt('FR'), size);
    return size + entries.length;
  }

  /** A machine dies once its witnesses know what its root gives up, and before it has staged that. Gives the size of the log with it. */
  async function dieOrdering(name: string, entries = givingUp(name)): Promise<number> {
    const { size } = world.node(name).log(TRUST)?.head ?? assert.fail();
    void world
      .node(name)
      .logEntries(entries)
      .catch(() => undefined);
    for (let ms = 0; ms < 5_000 && !WITNESSES.every(hasHeard); ms++) await world.clock.advance(1);
    assert.ok(WITNESSES.every(hasHeard));
    await world.kill(name);
    // A machine that follows announces with it the log that takes the place of the one in use.
    const order = keysOn(name, 'root-order/').length;
    assert.equal(order, entries.length + (name === SPARE ? 1 : 0));
    const staged = keysOn(name, `log/${TRUST}/staged/`).map((key) => Number(key.slice(-16)));
    assert.ok(staged.every((index) => index < size));
    assert.equal(sizeAt('FR'), size);
    return size + order;
  }

  function keysOn(name: string, prefix: string): string[] {
    const { entries } = world.machine(name).medium.snapshot();
    return entries.map(([key]) => key).filter((key) => key.startsWith(prefix));
  }

  /** Both machines begin anew with a state, and fold no entry before it. Gives the root that the log had before that. */
  async function beginWithState(): Promise<CutOff> {
    const { size, root } = world.node('DE').log(TRUST)?.head ?? assert.fail();
    await world.run(world.node('DE').commitState());
    await world.until(() => sizeAt(SPARE) === size + 1, 'the standby has it');
    for (const [name, identity] of [
      ['DE', testKey(101)],
      [SPARE, testKey(102)],
    ] as const) {
      await world.kill(name, { inOrder: true });
      world.replace(name, { fenced: { identity: identity.publicKey, isStandby: name === SPARE } });
      await world.boot(name, ({ status }) => status.writing === (name === SPARE ? 'standby' : 'writing'));
      assert.equal(world.node(name).keeper('DE')?.fold.baseIndex, size);
    }
    return { size, root };
  }

  /** DE hears of it with what it signs next. */
  async function stopWriting(): Promise<void> {
    await assert.rejects(world.run(world.node('DE').issue(requestOf('p3'))));
    await world.until(() => world.node('DE').status.writing === 'standby', 'DE follows');
  }

  async function assertWrites(name: string, other: string): Promise<void> {
    await world.until(() => world.node(name).status.writing === 'writing', `${name} writes`);
    const { text } = await world.issue(name, 'p2');
    await world.until(() => sizeAt('FR') === sizeAt(name) && sizeAt(other) === sizeAt(name), 'all have it');
    await world.until(() => world.node(other).status.writing === 'standby', `${other} follows`);
    await world.pass(40);
    assert.match(await world.outcome('FR', text), /^pass/);
    assert.deepEqual(
      ['FR', 'IT', name, other].flatMap((one) => world.node(one).status.forked),
      [],
    );
  }

  it('T11: nobody is promoted beyond the last epoch; a standby on which the root gives the key up writes on', async () => {
    await world.issue('DE');
    assert.deepEqual(await rob(LAST), ['permitted', 'permitted']);
    await stopWriting();
    await rejectsWith(world.run(world.node(SPARE).promote()), 'REFUSED', /last epoch/);
    await world.run(world.node(SPARE).logEntries(givingUp(SPARE)));
    await assertWrites(SPARE, 'DE');
    assert.equal(world.node(SPARE).status.writer?.isSelf, true);
    assert.deepEqual(await rob(LAST), ['refused', 'refused']);
  });

  it('T11: a size that nobody has is permitted to a thief: the machine that wrote gives the key up itself, and writes on', async () => {
    await world.issue('DE');
    assert.deepEqual(await rob(7), ['permitted', 'permitted']);
    await stopWriting();
    await rejectsWith(world.run(world.node('DE').promote()), 'LOG_BEHIND', /1000000000 permitted/);
    await world.run(world.node('DE').logEntries(givingUp('DE')));
    await assertWrites('DE', SPARE);
  });

  it('T3: a writer that gives its own key up has that permitted by the next one, and signs it by that', async () => {
    await world.run(world.node('DE').logEntries(givingUp('DE')));
    for (const witness of WITNESSES) {
      const { note } = world.machine(witness).secondPlace.marks.get(`writer:${TRUST}`) ?? assert.fail();
      const memory = parseMemory(note, TRUST);
      assert.deepEqual(memory.givenUp.map(hexOf), [
        hexOf(world.machine('DE').fixture.keys.checkpoint.publicKey),
      ]);
      const { claim, permits } = recordIn(memory, () => true);
      const words = [claim, ...permits.values()].map((word) => word && hexOf(word.publicKey));
      assert.ok(words.length > 1 && words.every((key) => key === hexOf(fresh.publicKey)));
    }
    const { note } = world.node('DE').log(TRUST)?.head.signed ?? assert.fail();
    assert.ok(isSignedBy(TRUST, note, fresh, trustModules));
    await assertWrites('DE', SPARE);
  });

  it('T3: a writer that was away while its key was given up signs nothing anew by the next one', async () => {
    await world.issue('DE');
    world.network.isolate('DE');
    const own = world.machine('DE').fixture.keys.checkpoint;
    await world.run(world.node(SPARE).logEntries(givingUp(SPARE)));
    await world.run(world.node('DE').renew());
    const note = () => world.node('DE').log(TRUST)?.head.signed?.note ?? assert.fail();
    assert.ok(isSignedBy(TRUST, note(), own, trustModules));
    world.network.rejoin('DE');
    await assertWrites(SPARE, 'DE');
  });

  it('T3: a writer that lives on and has not the new key learns that its own is given up, and follows', async () => {
    await world.issue('DE');
    await world.run(world.node(SPARE).logEntries(givingUp(SPARE, [SPARE])));
    await assertWrites(SPARE, 'DE');
  });

  it('T3: witnesses that are named with the key that is given up hear of it as well', async () => {
    const joining = ['ES', 'PT'];
    for (const region of joining) {
      await world.found(region);
      await world.recognise(region, 'DE');
    }
    await world.until(() => joining.every((region) => sizeAt(region) === sizeAt('DE')), 'they follow DE');
    const entries = givingUp('DE');
    const { fixture } = world.machine('DE');
    const named = joining.map((region) =>
      fixture.entryOf(fixture.recognitionOf(world.machine(region).fixture)),
    );
    await world.run(world.node('DE').logEntries([...entries, ...named]));
    await assertWrites('DE', SPARE);
  });

  it('T14: where too few witnesses hear what the root gives up, nothing is logged, and the order can be given again', async () => {
    await rob(LAST);
    await stopWriting();
    world.network.isolate('IT');
    const { size } = world.node(SPARE).log(TRUST)?.head ?? assert.fail();
    const entries = givingUp(SPARE);
    await rejectsWith(world.run(world.node(SPARE).logEntries(entries)), 'PEER_UNREACHABLE');
    assert.equal(world.node(SPARE).log(TRUST)?.size, size);
    world.network.rejoin('IT');
    await world.pass(15);
    await world.run(world.node(SPARE).logEntries(entries));
    await assertWrites(SPARE, 'DE');
  });

  it('T14: a writer that dies between staging what its root gives up and signing it writes on by itself', async () => {
    const healed = await dieGivingUp();
    world.replace('DE', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('DE', () => true);
    world.network.rejoin('IT');
    await world.until(() => sizeAt('FR') === healed, 'it is logged');
    await assertWrites('DE', SPARE);
  });

  it('T14: a standby is promoted where the writer died for good while its root gave its key up', async () => {
    const healed = await dieGivingUp();
    world.network.rejoin('IT');
    await world.run(world.node(SPARE).promote());
    await world.until(() => sizeAt('FR') === healed, 'it is logged');
    assert.equal(world.node(SPARE).status.writer?.isSelf, true);
  });

  it('T14: a writer that dies between telling its witnesses what its root gives up and staging it logs that by itself', async () => {
    await world.issue('DE');
    const ordered = await dieOrdering('DE');
    world.replace('DE', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('DE');
    await world.until(() => sizeAt('FR') === ordered, 'it is logged');
    assert.deepEqual(keysOn('DE', 'root-order/'), []);
    await assertWrites('DE', SPARE);
  });

  it('T14: a standby that dies so says it, and logs it once it is promoted', async () => {
    const ordered = await dieOrdering(SPARE);
    world.replace(SPARE, { fenced: { identity: testKey(102).publicKey, isStandby: true } });
    await world.boot(SPARE, ({ status }) => status.writing === 'standby');
    await world.until(() => /broke off here/.test(world.node(SPARE).status.reason ?? ''), 'it is told');
    await world.run(world.node(SPARE).promote());
    await world.until(() => sizeAt('FR') === ordered, 'it is logged');
    await assertWrites(SPARE, 'DE');
  });

  it('T14: what broke off on one machine and was ordered on the other is logged once', async () => {
    const ordered = await dieOrdering('DE');
    await world.run(world.node(SPARE).logEntries(givingUp(SPARE, ['DE', SPARE])));
    world.replace('DE', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('DE', ({ status }) => status.writing === 'standby');
    await assertWrites(SPARE, 'DE');
    assert.doesNotMatch(world.node('DE').status.reason ?? '', /broke off/);
    const { size } = world.node(SPARE).log(TRUST)?.head ?? assert.fail();
    await world.run(world.node('DE').promote());
    await assertWrites('DE', SPARE);
    assert.deepEqual(keysOn('DE', 'root-order/'), []);
    const after = world.node('DE').log(TRUST)?.head ?? assert.fail();
    assert.ok(size >= ordered && after.size === size, 'no entry of it comes a second time');
    const told = world.machine('DE').troubles.map(String);
    assert.ok(!told.some((one) => /broke off/.test(one)), told.join('; '));
  });

  it('T3: a writer that began with a state gives its key up from further back than that', async () => {
    const entries = givingUp('DE', ['DE', SPARE], await beginWithState());
    await world.run(world.node('DE').logEntries(entries));
    await assertWrites('DE', SPARE);
  });

  it('T14: a standby that began with a state is promoted where the writer died giving its key up from further back', async () => {
    const healed = await dieGivingUp(givingUp('DE', ['DE', SPARE], await beginWithState()));
    world.network.rejoin('IT');
    await world.run(world.node(SPARE).promote());
    await world.until(() => sizeAt('FR') === healed, 'it is logged');
    assert.equal(world.node(SPARE).status.writer?.isSelf, true);
  });

  it('T3: a writer that is given the proof of a fork while it begins to sign signs no more, and says so', async () => {
    const machine = await world.kill('DE', { inOrder: true });
    const { publicKey, sign } = machine.fixture.keys.checkpoint;
    const key = makeVerifierKey(trustModules.sha256, { name: TRUST, algorithm: ED25519, publicKey });
    const side = (byte: number) => {
      const root = new Uint8Array(32).fill(byte);
      return {
        root,
        path: [],
        note: encodeNote(signCheckpoint({ origin: TRUST, size: 3, root }, key, sign)),
      };
    };
    let isGiven = false;
    machine.secondPlace = new (class extends MemorySecondPlace {
      override async raise(name: string, mark: HighWater): Promise<void> {
        await super.raise(name, mark);
        const node = world.node('DE');
        if (name !== TRUST || isGiven || node.status.writing !== 'clear') return;
        isGiven = true;
        await node.keeper('DE')?.accuse({ size: 3, sides: [side(1), side(2)] });
      }
    })();
    world.replace('DE', { fenced: { identity: testKey(101).publicKey } });
    await world.boot('DE', ({ status }) => isGiven && status.writing !== 'clear');
    assert.equal(world.node('DE').status.writing, 'contradicted');
    assert.ok(
      machine.troubles.some((one) => isNodeError(one, 'LOG_CONTRADICTED')),
      'as it met it, and not as it looked again',
    );
    await rejectsWith(world.run(world.node('DE').commitState()), 'LOG_CONTRADICTED');
  });

  it('a region whose root gives a key up and takes back all recognitions in one order writes on without witnesses', async () => {
    const entries = givingUp('DE');
    const { fixture } = world.machine('DE');
    const withdrawals = WITNESSES.map((region) =>
      fixture.entryOf({ kind: 'withdrawal', region, version: 2 }),
    );
    await world.run(world.node('DE').logEntries([...entries, ...withdrawals]));
    assert.equal(world.node('DE').status.writing, 'writing');
  });

  it('T5: an order of which one part would have no effect is refused as a whole', async () => {
    const { fixture } = world.machine('DE');
    const { size } = world.node('DE').log(TRUST)?.head ?? assert.fail();
    const again = fixture.entryOf(fixture.recognitionOf(world.machine('FR').fixture));
    await rejectsWith(
      world.run(world.node('DE').logEntries([...givingUp('DE'), again])),
      'REFUSED',
      /no effect/,
    );
    assert.equal(world.node('DE').log(TRUST)?.head.size, size);
  });

  it('T5: nobody but the root gives a key up, and no machine signs for an order that has no effect', async () => {
    await rob(LAST);
    await stopWriting();
    const { fixture } = world.machine('DE');
    const { size, root } = world.node(SPARE).log(TRUST)?.head ?? assert.fail();
    const statement = fixture.compromise(fixture.keys.checkpoint, { trust: { size, root } });
    const forged = fixture.entryOf(statement, [fixture.keys['trust-log']]);
    await rejectsWith(world.run(world.node(SPARE).logEntries([forged])), 'REFUSED', /no effect/);
    const statements = [{ index: size, entry: forged }];
    const request = encodeWriterRequest({ kind: 'given-up', origin: TRUST, statements });
    const answer = await world.run(
      thief.request('FR', WRITER_PROTOCOL, request, new AbortController().signal),
    );
    assert.deepEqual(parseWriterAnswer(answer), { kind: 'refused', reason: 'unsigned' });
    await rejectsWith(
      world.run(world.node(SPARE).logEntries([fixture.entryOf(fixture.compromise(fixture.keys.attest, {}))])),
      'LOG_FENCED',
    );
  });
});
