import assert from 'node:assert/strict';
import { giveOrder } from '../../../cli/desk/give-order.ts';
import { PartlyIssued } from '../../../cli/desk/node-answers.ts';
import { AdminProblem } from '../../../node/http/admin-client.ts';
import { type Problem } from '../../../node/http/problem.ts';

const PEOPLE = ['a', 'b', 'c'].map((subject) => ({ subject, colour: 'green' as const }));
const ORDER = { key: '0'.repeat(32), atS: 1_790_000_000, has: new Set<string>() };

function problem(code: string, retry = false): Problem {
  return { type: 'about:blank', title: '', status: 409, code, detail: 'as it is', hint: 'Mend it.', retry };
}

/** A node that gives these answers; where the last is a problem as a whole it refuses. */
function clientOf(answers: readonly unknown[], whole?: Problem) {
  return {
    async *lines(): AsyncGenerator<unknown, void, undefined> {
      await Promise.resolve();
      if (whole !== undefined) throw new AdminProblem(whole);
      yield* answers;
    },
  };
}

const code = { log: 'l', index: 0, code: 'EE' };

describe('giveOrder', () => {
  const signed: number[] = [];
  const give = (client: ReturnType<typeof clientOf>, isFirst = true) => {
    signed.length = 0;
    return giveOrder(client, PEOPLE, ORDER, { onSigned: (done) => signed.push(done), isFirst });
  };
  const partOf = async (given: Promise<unknown>): Promise<PartlyIssued> => {
    const error: unknown = await given.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    assert.ok(error instanceof PartlyIssued);
    return error;
  };

  it('tells who was refused, and counts nobody of them as signed', async () => {
    const refused = { problem: problem('REFUSED') };
    const { part, message, hint } = await partOf(give(clientOf([code, refused, refused])));
    assert.deepEqual(signed, [1]);
    assert.equal(message, '1 of 3 codes were issued: as it is');
    assert.match(hint ?? '', /^Mend it\. Those that were issued are printed/);
    assert.deepEqual([part.isRefused, part.refused.length], [false, 2]);
  });

  it('speaks of no codes where none was issued', async () => {
    const refused = { problem: problem('REFUSED') };
    const { part, hint } = await partOf(give(clientOf([refused, refused, refused])));
    assert.deepEqual(signed, []);
    assert.equal(hint, 'Mend it.');
    assert.ok(part.isRefused);
  });

  it('leaves nobody out where something else kept one of them, or the answer broke off', async () => {
    const refused = { problem: problem('REFUSED') };
    const other = { problem: problem('SIGNER_FAULTY') };
    assert.deepEqual((await partOf(give(clientOf([code, refused, other])))).part.refused, []);
    const brokenOff = await partOf(give(clientOf([code, refused])));
    assert.deepEqual(brokenOff.part.refused, []);
    assert.ok(!brokenOff.part.isRefused);
  });

  it('takes nobody for refused of whom a code may have come, whatever the node says of all', async () => {
    const corrupt = { problem: problem('LOG_CORRUPT') };
    const { part } = await partOf(give(clientOf([corrupt, corrupt, corrupt])));
    assert.ok(!part.isRefused);
  });

  it('takes an order that is refused as a whole for none, unless an earlier try may be in hand', async () => {
    const client = clientOf([], problem('SCOPE_MISSING'));
    const error = await partOf(give(client));
    assert.ok(error.part.isRefused);
    assert.equal(error.code, 'SCOPE_MISSING');
    assert.equal(error.hint, 'Mend it.');
    for (const given of [give(client, false), give(clientOf([], problem('OVERLOADED', true)))])
      await assert.rejects(given, (caught) => !(caught instanceof PartlyIssued));
  });
});
