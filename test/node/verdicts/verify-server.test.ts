import assert from 'node:assert/strict';
import { isProtocolError } from '../../../protocol/fault.ts';
import { type Verdict, type VerdictContext } from '../../../protocol/verdict/verdict.ts';
import { VerifyServer, VERIFY_REQUEST_BYTES_MAX } from '../../../node/verdicts/verify-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryNetwork } from '../../support/memory-network.ts';

describe('VerifyServer.answer', () => {
  const verdict: Verdict = {
    outcome: 'undetermined',
    reasons: [],
    atS: 7,
    knowledge: [],
    code: undefined,
    colour: undefined,
    measure: undefined,
    rule: undefined,
    expiresAtS: undefined,
    grade: undefined,
  };
  const asked: [string, VerdictContext][] = [];
  const clock = new ManualClock();
  const server = new VerifyServer({
    network: new MemoryNetwork({ random: () => 0.5 }, { clock }).join('DE'),
    verify: (text, context) => {
      asked.push([text, context]);
      return Promise.resolve(verdict);
    },
  });
  const answer = (value: unknown) => server.answer(Buffer.from(JSON.stringify(value)));

  it('judges what is asked, with a place and a challenge or without', async () => {
    const bytes = await answer({ code: 'ENT1:X' });
    assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()), JSON.parse(JSON.stringify(verdict)));
    await answer({
      code: 'ENT1:Y',
      place: { risk: 'high', gradeNeeded: 'live' },
      challenge: '0011223344556677',
    });
    const [first, second] = asked;
    assert.equal(first?.[1].mode, 'online');
    assert.equal(second?.[0], 'ENT1:Y');
    assert.equal(second?.[1].place.risk, 'high');
    assert.deepEqual(second?.[1].challenge, Uint8Array.from(Buffer.from('0011223344556677', 'hex')));
  });

  for (const [what, value] of [
    ['no code', {}],
    ['an unknown member', { code: 'x', now: 1 }],
    ['a challenge that is too short', { code: 'x', challenge: '00' }],
    ['a place that is none', { code: 'x', place: { risk: 'none' } }],
    ['a code that is too long', { code: 'x'.repeat(4_297) }],
    ['something else', 7],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(answer(value), (error) => isProtocolError(error, 'SCHEMA_INVALID'));
    });
  }

  it('T13: refuses what is too long before reading it, and what is no text', async () => {
    const long = Buffer.alloc(VERIFY_REQUEST_BYTES_MAX + 1);
    await assert.rejects(server.answer(long), (error) => isProtocolError(error, 'TOO_LARGE'));
    const none = Buffer.from('7bff', 'hex');
    await assert.rejects(server.answer(none), (error) => isProtocolError(error, 'UTF8_MALFORMED'));
  });
});
