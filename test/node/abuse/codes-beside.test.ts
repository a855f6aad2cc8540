import assert from 'node:assert/strict';
import { CodesBeside } from '../../../node/abuse/codes-beside.ts';
import { logError } from '../../../node/log/log-error.ts';
import { type RegistryRecord } from '../../../node/registry/registry.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { MemoryTables } from '../../support/memory-tables.ts';
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
  const green = (index: number) =>
    ({
      log: LOG_ID,
      index,
      hour: 1,
      subject: 'P1',
      fields: { status: status('green') },
    }) as unknown as RegistryRecord;

  /** The indexes that are revoked of somebody with two green codes, who is to be red, and what is told of the others. */
  async function revokedWith(isLogged: (place: { readonly index: number }) => Promise<boolean>) {
    const revoked: number[] = [];
    const options = { registryKey: new Uint8Array(32) };
    const beside = new CodesBeside(options, {
      tables: new MemoryTables(),
      random: (length) => new Uint8Array(length),
      clock: { nowMs: () => 0, runMs: () => 0, wait: () => Promise.resolve() },
      registry: () =>
        ({
          runningOf: () => Promise.resolve([[green(3), green(4)]]),
        }) as unknown as ReturnType<ConstructorParameters<typeof CodesBeside>[1]['registry']>,
      held: () => ({ isLogged }),
      state: () => undefined,
      meanwhile: (work) => work(),
      revoke: ({ indexes }) => {
        revoked.push(...indexes);
        return Promise.resolve();
      },
    });
    const told = await beside.revokeLooser(['P1'], status('red'));
    return { revoked, told };
  }

  it('revokes what is logged, and leaves what is not', async () => {
    const isLogged = ({ index }: { readonly index: number }) => Promise.resolve(index === 3);
    assert.deepEqual(await revokedWith(isLogged), { revoked: [3], told: undefined });
  });

  it('tells of what its log cannot tell, and revokes the others', async () => {
    const corrupt = logError('LOG_CORRUPT', 'a tile is rotten');
    const isLogged = ({ index }: { readonly index: number }) =>
      index === 3 ? Promise.reject(corrupt) : Promise.resolve(true);
    const { revoked, told } = await revokedWith(isLogged);
    assert.deepEqual(revoked, [4]);
    assert.ok(isNodeError(told, 'LOG_CORRUPT') && told.fatal && told.cause === corrupt);
    assert.match(told.message, /^1 looser codes .* a tile is rotten$/);
    assert.match(told.hint ?? '', /fsck.*confirm the override again/);
  });

  it('rejects where the store fails: then nothing can be told of any log', async () => {
    const failed = new NodeError('STORE_DOWN', 'the disk is gone');
    await assert.rejects(
      revokedWith(() => Promise.reject(failed)),
      failed,
    );
  });
});
