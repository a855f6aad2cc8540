import assert from 'node:assert/strict';
import { AnsweringTime } from '../../../node/lookup/answering-time.ts';
import { LookupServer, type LookupServerModules } from '../../../node/lookup/lookup-server.ts';
import { encodeLookupRequest, parseEvaluateAnswer } from '../../../node/lookup/messages.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { type ProtocolError } from '../../../protocol/fault.ts';
import { blindNumber, lookupInput, lookupKeyPair } from '../../../protocol/lookup/oblivious.ts';
import { START_S } from '../../support/region-fixture.ts';
import { START_DAY } from '../../support/lookup-fixture.ts';

const PLACE = { region: 'DE', network: 'demo', day: START_DAY };
/** What one evaluation takes. */
const TAKEN_MS = 100;
/** Pieces of work that are tried for one region: more than are ever to be had. */
const PIECES_MAX = 100;

describe('AnsweringTime', () => {
  it('gives a region what is left for others too, and all of it anew after three seconds', () => {
    let nowMs = 5_000;
    const time = new AnsweringTime({ clock: { runMs: () => nowMs } });
    /** How many pieces of work of 50 ms a region gets done. */
    const done = (region: string) => {
      let count = 0;
      for (; count < PIECES_MAX && time.hasFor(region); count++) time.spend(region, () => (nowMs += 50));
      return count;
    };
    assert.deepEqual([done('FR'), done('IT'), done('AT')], [12, 6, 3]);
    assert.equal(done('FR'), 0);
    nowMs = 7_999;
    assert.equal(time.hasFor('FR'), false);
    nowMs = 8_000;
    assert.equal(done('FR'), 12);
  });

  it('counts work that throws', () => {
    let nowMs = 0;
    const time = new AnsweringTime({ clock: { runMs: () => nowMs } });
    assert.ok(time.hasFor('FR'));
    assert.throws(() =>
      time.spend('FR', () => {
        nowMs += 600;
        throw new Error('no element');
      }),
    );
    assert.equal(time.hasFor('FR'), false);
  });
});

describe('LookupServer', () => {
  let nowMs: number;
  let server: LookupServer;
  let faults: ProtocolError[];
  const pair = lookupKeyPair(new Uint8Array(32).fill(1), PLACE);
  const random = systemRandom();
  const { blinded } = blindNumber(lookupInput(PLACE, 'DE-1'), random);

  beforeEach(() => {
    nowMs = 0;
    faults = [];
    const modules = {
      clock: { nowMs: () => START_S * 1_000, runMs: () => nowMs },
      random: (length: number) => {
        nowMs += TAKEN_MS;
        return random(length);
      },
      keys: { announcedPair: () => Promise.resolve(pair) },
      press: { table: () => ({ head: Uint8Array.of(1), publicKey: pair.publicKey }) },
      quotas: { take: () => Promise.resolve({ isTaken: true }) },
      regionOf: (peer: string) => peer.slice(0, 2),
      state: () => ({ recognition: () => ({ standing: 'recognised' }) }),
      onFault: (_peer: string, fault: ProtocolError) => faults.push(fault),
    };
    const options = { region: 'DE', peerQuota: { perMinute: 1_000, perDay: 1_000 } };
    server = new LookupServer(options, modules as unknown as LookupServerModules);
  });

  async function ask(peer: string, element = blinded): Promise<string> {
    const request = encodeLookupRequest({ kind: 'evaluate', day: START_DAY, blinded: element });
    const answer = parseEvaluateAnswer(await server.answer(peer, request, new AbortController().signal));
    return 'refusal' in answer ? answer.refusal : 'evaluated';
  }
  const times = (count: number, answer: string) => Array<string>(count).fill(answer);

  it('answers many questions at once for two fifths of its time, those of a region that asks little too', async () => {
    const [many, few] = await Promise.all([
      Promise.all(times(40, 'FR#1').map((peer) => ask(peer))),
      Promise.all(times(2, 'IT#1').map((peer) => ask(peer))),
    ]);
    assert.deepEqual(few, times(2, 'evaluated'));
    const answered = many.filter((answer) => answer === 'evaluated').length;
    assert.ok(answered >= 4 && answered <= 6, `${answered}`);
    assert.deepEqual(many.slice(answered), times(40 - answered, 'quota'));
    const { evaluated, busy, quota } = server.counters;
    assert.deepEqual([evaluated, busy, quota], [answered + 2, 40 - answered, 0]);
    nowMs += 3_000;
    assert.equal(await ask('FR#1'), 'evaluated');
  });

  it('answers its own gates whoever asks, and goes on after what is no element', async () => {
    await Promise.all(times(12, 'FR#1').map((peer) => ask(peer)));
    for (let n = 0; n < 20; n++) assert.ok('evaluation' in (await server.evaluate(START_DAY, blinded)));
    nowMs += 3_000;
    await assert.rejects(ask('FR#1', new Uint8Array(32).fill(255)));
    assert.equal(faults.length, 1);
    assert.equal(await ask('FR#1'), 'evaluated');
  });
});
