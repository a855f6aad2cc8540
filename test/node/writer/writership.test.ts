import assert from 'node:assert/strict';
import {
  type WriterAnswer,
  encodeWriterAnswer,
  parseWriterRequest,
} from '../../../node/writer/writer-messages.ts';
import { NO_RECORD, type WriterRecord } from '../../../node/writer/writer-record.ts';
import { decideClaim, decidePermit, type WriterDecision } from '../../../node/writer/writer-rule.ts';
import { Writership } from '../../../node/writer/writership.ts';
import { type OwnTree, type WritershipModules } from '../../../node/writer/writer-ports.ts';
import { parseClaim, parsePermit } from '../../../protocol/writer/word.ts';
import { logKey, testKey, verifySignature } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { rejectsWith } from '../../support/store-fixture.ts';
import { ATTEST, TRUST } from '../../support/writer-words.ts';

/** Witnesses that keep what they promise. */
class Witnesses {
  readonly #records = new Map<string, WriterRecord>();
  readonly silent = new Set<string>();

  forget(region: string): void {
    this.#records.delete(region);
  }

  answer(peer: string, bytes: Uint8Array): Uint8Array {
    return encodeWriterAnswer(
      this.silent.has(peer) ? { kind: 'refused', reason: 'standby' } : this.#answer(peer, bytes),
    );
  }

  #answer(peer: string, bytes: Uint8Array): WriterAnswer {
    const request = parseWriterRequest(bytes);
    const before = this.#records.get(peer) ?? NO_RECORD;
    if (request.kind === 'writer' || request.kind === 'given-up') return recordOf(before);
    const claim = parseClaim(request.claim);
    const decision: WriterDecision =
      request.kind === 'claim'
        ? decideClaim(before, claim)
        : decidePermit(before, claim, parsePermit(request.permit));
    if (!decision.granted)
      return decision.refusal === 'fenced'
        ? { kind: 'fenced', claim: decision.claim.bytes }
        : { kind: 'taken', permit: decision.permit.bytes };
    this.#records.set(peer, decision.record);
    return request.kind === 'claim' ? recordOf(decision.record) : { kind: 'permitted' };
  }
}

function recordOf({ claim, permits }: WriterRecord): WriterAnswer {
  return {
    kind: 'record',
    ...(claim && { claim: claim.bytes }),
    permits: [...permits.values()].map(({ bytes }) => bytes),
  };
}

function machine(
  number: number,
  witnesses: Witnesses,
  hooks: Pick<WritershipModules, 'onReign' | 'onHeld'> = {},
) {
  const named = { regions: ['FR', 'IT', 'PL'], folded: 1 };
  const signed: OwnTree[] = [];
  const clock = new ManualClock(1_795_436_400_000);
  const writership = new Writership(
    { origin: TRUST, writer: testKey(100 + number).publicKey },
    {
      client: {
        peers: () => ['FR', 'IT', 'PL', 'ES'],
        request: (peer, _protocol, bytes) => Promise.resolve(witnesses.answer(peer, bytes)),
        blaming: () => assert.fail(),
      },
      clock,
      random: (length) => new Uint8Array(length).fill(number),
      verifySignature,
      regionOf: (peer) => peer,
      witnesses: () => named.regions,
      folded: () => named.folded,
      trees: () => signed,
      checkpointKey: () => testKey(1),
      keys: () => [logKey(TRUST, 1).key],
      ...hooks,
    },
  );
  return { writership, named, signed, clock };
}

const tree = (from: number, size: number, root = size) => ({
  origin: ATTEST,
  from,
  size,
  root: new Uint8Array(32).fill(root),
});

describe('Writership where the region comes to recognise others', () => {
  it('T9: asks them to let it write before they permit anything, and goes on from what they have permitted', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    await first.writership.permit(tree(0, 4));
    // By a statement that the second has staged, and not folded yet.
    first.named.regions = ['FR'];
    await first.writership.permit(tree(4, 8));
    const second = machine(2, witnesses);
    witnesses.silent.add('FR');
    await second.writership.take('promote');
    assert.deepEqual(
      second.writership.pledges.map(({ size }) => size),
      [4],
    );
    await second.writership.permit(tree(0, 4));
    witnesses.silent.clear();
    second.named.regions = ['FR'];
    await rejectsWith(second.writership.permit(tree(4, 6)), 'LOG_BEHIND');
    await second.writership.permit(tree(4, 8));
    await rejectsWith(first.writership.permit(tree(8, 9)), 'LOG_FENCED');
  });

  it('T4: knows how long ago a quorum said that it may write, and that none does once another has claimed to', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    const { assent } = first.writership;
    assert.equal(assent.ageMs, Infinity);
    await first.writership.take('resume');
    await first.clock.advance(20_000);
    assert.equal(assent.ageMs, 20_000);
    await first.writership.confirm();
    assert.equal(assent.ageMs, 0);
    for (const region of ['FR', 'IT']) witnesses.silent.add(region);
    await first.clock.advance(10_000);
    await rejectsWith(first.writership.confirm(), 'PEER_UNREACHABLE');
    assert.equal(assent.ageMs, 10_000);
    witnesses.silent.clear();
    const second = machine(2, witnesses);
    await second.writership.take('promote');
    assert.equal(second.writership.assent.ageMs, 0);
    await rejectsWith(first.writership.confirm(), 'LOG_FENCED');
    assert.equal(assent.ageMs, Infinity);
  });

  it('T9: tells of the session that a quorum granted alone, and of letting go', async () => {
    const witnesses = new Witnesses();
    const held: (number | undefined)[] = [];
    let isRefused = true;
    const first = machine(1, witnesses, {
      onReign: () => {
        if (isRefused) for (const region of ['IT', 'PL']) witnesses.silent.add(region);
      },
      onHeld: (session) => held.push(session?.[0]),
    });
    await rejectsWith(first.writership.take('promote'), 'PEER_UNREACHABLE');
    assert.deepEqual(held, [], 'one of three has granted it');
    isRefused = false;
    witnesses.silent.clear();
    await first.writership.take('promote');
    assert.deepEqual(held, [1]);
    await machine(2, witnesses).writership.take('promote');
    await rejectsWith(first.writership.confirm(), 'LOG_FENCED');
    assert.deepEqual(held, [1, undefined]);
  });

  it('goes on writing: what it had permitted itself and signed is nothing to wait for', async () => {
    const { writership, named } = machine(1, new Witnesses());
    await writership.take('resume');
    await writership.permit(tree(0, 4));
    for (const [i, regions] of [['FR', 'IT', 'PL', 'ES'], ['ES'], ['FR', 'ES']].entries()) {
      named.regions = regions;
      await writership.permit(tree(4 + i, 5 + i));
      await writership.confirm();
    }
    assert.deepEqual([writership.report?.isSelf, writership.report?.epoch], [true, 1]);
  });

  it('T9: has a tree permitted by those whom the trust log names once it is permitted, where they are others by then', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    const permitting = first.writership.permit(tree(0, 4));
    first.named.regions = ['ES'];
    await permitting;
    const second = machine(2, witnesses);
    second.named.regions = ['ES'];
    await second.writership.take('promote');
    assert.deepEqual(
      second.writership.pledges.map(({ size }) => size),
      [4],
    );
  });

  it('T9: learns from them that somebody else writes', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    const second = machine(2, witnesses);
    second.named.regions = ['ES'];
    await second.writership.take('promote');
    await second.writership.confirm();
    const third = machine(3, witnesses);
    third.named.regions = ['ES'];
    await third.writership.take('promote');
    first.named.regions = ['ES'];
    await rejectsWith(first.writership.permit(tree(0, 4)), 'LOG_FENCED');
  });

  /** The entry with which the trust log names others. */
  const change = (...sets: string[][]) => ({ ...tree(1, 1 + sets.length), origin: TRUST, named: sets });

  it('T9: a tree by which the log names others needs both, and those it names know before what was permitted without them', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    first.signed.push({ ...tree(0, 3), rootAt: () => assert.fail() });
    await first.writership.permit(tree(3, 4));
    witnesses.silent.add('ES');
    await rejectsWith(first.writership.permit(change(['ES'])), 'PEER_UNREACHABLE', /let this machine write/);
    await rejectsWith(first.writership.permit(tree(4, 5)), 'PEER_UNREACHABLE', /0 of 1 .* have 5 entries/);
    witnesses.silent.clear();
    await first.writership.permit(change(['ES']));
    const second = machine(2, witnesses);
    Object.assign(second.named, { regions: ['ES'], folded: 2 });
    await second.writership.take('promote');
    assert.deepEqual(second.writership.pledges.map(({ origin, size }) => [origin, size]).sort(), [
      [ATTEST, 4],
      [TRUST, 2],
    ]);
    await rejectsWith(first.writership.permit(tree(4, 5)), 'LOG_FENCED');
  });

  it('T9: once that is signed those it names decide alone, and nothing is claimed again', async () => {
    const witnesses = new Witnesses();
    const { writership, named } = machine(1, witnesses);
    await writership.take('resume');
    await writership.permit(change(['ES', 'FR'], ['ES']));
    for (const region of ['IT', 'PL']) witnesses.silent.add(region);
    await rejectsWith(writership.permit(tree(0, 4)), 'PEER_UNREACHABLE', /1 of 2/);
    Object.assign(named, { regions: ['ES'], folded: 3 });
    await writership.permit(tree(0, 4));
    assert.equal(writership.report?.epoch, 1);
  });

  it('T9: a machine that has not that tree finds it at those before, and signs in no log before it has it', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    await first.writership.permit(change(['ES']));
    Object.assign(first.named, { regions: ['ES'], folded: 2 });
    await first.writership.permit(tree(0, 4));
    const second = machine(2, witnesses);
    await second.writership.take('promote');
    await rejectsWith(second.writership.permit(tree(0, 2)), 'LOG_BUSY', /trust: .* 2 entries/);
    // It has staged the same, and finishes it: those whom it names tell of what they permitted since.
    await second.writership.permit(change(['ES']));
    Object.assign(second.named, { regions: ['ES'], folded: 2 });
    await rejectsWith(second.writership.permit(tree(0, 2)), 'LOG_BEHIND', /4 entries/);
  });

  it('asks beforehand whether those that are to be named let it write', async () => {
    const witnesses = new Witnesses();
    const { writership } = machine(1, witnesses);
    await writership.take('resume');
    witnesses.silent.add('ES');
    await writership.sound([['FR', 'IT', 'ES']]);
    await rejectsWith(writership.sound([['FR', 'ES']]), 'REFUSED', /1 of 2 .* let this machine write/);
  });

  it('T9: a pledge within what is signed is held against it', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    await first.writership.permit(tree(0, 4));
    const second = machine(2, witnesses);
    await second.writership.take('promote');
    const root = { is: 9 };
    const rootAt = (size: number) => Promise.resolve(tree(0, size, root.is).root);
    second.signed.push({ ...tree(0, 5), rootAt });
    await rejectsWith(second.writership.permit(tree(5, 6)), 'LOG_CONTRADICTED', /another tree of 4 entries/);
    root.is = 4;
    await second.writership.permit(tree(5, 6));
  });

  it('T9: tells witnesses again that have forgotten what they permitted', async () => {
    const witnesses = new Witnesses();
    const first = machine(1, witnesses);
    await first.writership.take('resume');
    await first.writership.permit(tree(0, 4));
    first.signed.push({ ...tree(0, 4), rootAt: () => assert.fail() });
    for (const region of ['FR', 'IT', 'PL']) witnesses.forget(region);
    await first.writership.confirm();
    const second = machine(2, witnesses);
    await second.writership.take('promote');
    assert.deepEqual(
      second.writership.pledges.map(({ size }) => size),
      [4],
    );
  });
});
