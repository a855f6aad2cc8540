import assert from 'node:assert/strict';
import { CodesBeside } from '../../../node/abuse/codes-beside.ts';
import { logError } from '../../../node/log/log-error.ts';
import { type RegistryRecord } from '../../../node/registry/registry.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { LOG_ID } from '../../support/region-fixture.ts';

describe('CodesBeside.revokeLooser', () => {
  const status = (colour: 'green' | 'red') =>
    ({
      colour,
      measure: colour === 'red' ? 'isolate' : 'none',
      expiresAtS: 90_000,
      ruleId: 'x',
      ruleVersion: 1,
    }) as const;
  const green = { log: LOG_ID, index: 3, hour: 1, subject: 'P1', fields: { status: status('green') } };

  /** The indexes that are revoked of somebody with a green code, who is to be red. */
  async function revokedWith(isLogged: () => Promise<boolean>): Promise<readonly number[]> {
    const revoked: number[] = [];
    const beside = new CodesBeside({
      clock: { nowMs: () => 0, runMs: () => 0, wait: () => Promise.resolve() },
      registry: () =>
        ({
          runningOf: () => Promise.resolve([[green as unknown as RegistryRecord]]),
        }) as unknown as ReturnType<ConstructorParameters<typeof CodesBeside>[0]['registry']>,
      held: () => ({ isLogged }),
      state: () => undefined,
      revoke: ({ indexes }) => {
        revoked.push(...indexes);
        return Promise.resolve();
      },
    });
    await beside.revokeLooser(['P1'], status('red'));
    return revoked;
  }

  it('revokes what is logged, and leaves what is not', async () => {
    assert.deepEqual(await revokedWith(() => Promise.resolve(true)), [3]);
    assert.deepEqual(await revokedWith(() => Promise.resolve(false)), []);
  });

  it('does not end well where a log cannot tell: a looser code there would pass on unseen', async () => {
    const corrupt = () => Promise.reject(logError('LOG_CORRUPT', 'a tile is rotten'));
    await assert.rejects(revokedWith(corrupt), (error) => isNodeError(error, 'LOG_CORRUPT'));
  });
});
