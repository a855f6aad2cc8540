import assert from 'node:assert/strict';
import { LastSession } from '../../../node/core/last-session.ts';
import { type Change } from '../../../node/ports.ts';
import { type Claim } from '../../../protocol/writer/word.ts';

describe('LastSession', () => {
  let rows: Map<string, Uint8Array>;
  const store = {
    get: (key: string) => Promise.resolve(rows.get(key)),
    write: (changes: readonly Change[]) => {
      for (const change of changes)
        if ('put' in change) rows.set(change.put, change.value);
        else rows.delete(change.del);
      return Promise.resolve();
    },
  };
  const sessionOf = (byte: number) => new Uint8Array(16).fill(byte);
  const claimOf = (byte: number, epoch = 4) => ({ epoch, session: sessionOf(byte) }) as Claim;

  /** A process that ended with the session 1. */
  beforeEach(async () => {
    rows = new Map();
    const before = new LastSession({ store });
    await before.open();
    before.begin({ claim: undefined, epoch: 0 });
    assert.ok(!before.isNext);
    before.hold(sessionOf(1));
    before.speak();
    await before.end();
  });

  async function next(claim: Claim | undefined, epoch = claim?.epoch ?? 0) {
    const session = new LastSession({ store });
    await session.open();
    session.begin({ claim, epoch });
    return session;
  }

  it('knows the claim of the process that ended in order, once', async () => {
    assert.ok((await next(claimOf(1))).isNext);
    assert.ok(!(await next(claimOf(1))).isNext, 'one that dies leaves no word');
  });

  for (const [name, claim, epoch] of [
    ['another session', claimOf(3), 4],
    ['nobody', undefined, 0],
    ['a word of a later epoch', claimOf(1), 5],
  ] as const)
    it(`does not take itself for the next after ${name}`, async () => {
      assert.ok(!(await next(claim, epoch)).isNext);
    });

  it('is the next for its first claim alone, and leaves no word without a claim', async () => {
    const session = await next(claimOf(1));
    session.begin({ claim: claimOf(1), epoch: 4 });
    assert.ok(!session.isNext);
    const silent = new LastSession({ store });
    await silent.open();
    await silent.end();
    assert.equal(rows.size, 0);
  });

  for (const [name, live] of [
    ['that no quorum granted', () => undefined],
    [
      'that it has let go',
      (session: LastSession) => {
        session.hold(sessionOf(2));
        session.speak();
        session.hold(undefined);
      },
    ],
    [
      'in which the writer before may still have spoken',
      (session: LastSession) => session.hold(sessionOf(2)),
    ],
    [
      'that came after the one in which it spoke',
      (session: LastSession) => {
        session.hold(sessionOf(2));
        session.speak();
        session.hold(sessionOf(3));
      },
    ],
  ] as const)
    it(`T9: leaves no word of a session ${name}`, async () => {
      const session = await next(claimOf(3));
      live(session);
      await session.end();
      assert.equal(rows.size, 0);
    });
});
