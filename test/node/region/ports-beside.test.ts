import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { portsBeside } from '../../../node/region/ports-beside.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('portsBeside', () => {
  const folder = temporaryFolders();

  function region(dir: string, name: string, more = ''): void {
    mkdirSync(join(dir, name));
    writeFileSync(
      join(dir, name, 'entente.yaml'),
      `format: 1\nregion: ${name}\nnetwork: demo\nname: ${name}\n${more}`,
    );
  }

  it('is 8600 and 4600 where no region lies beside, whatever else does', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'notes'));
    writeFileSync(join(dir, 'file'), 'text');
    assert.deepEqual(await portsBeside(join(dir, 'DE')), { http: 8_600, p2p: 4_600 });
    assert.deepEqual(await portsBeside(join(dir, 'absent', 'DE')), { http: 8_600, p2p: 4_600 });
  });

  it('counts both up past what regions beside listen on', async () => {
    const dir = folder();
    region(dir, 'DE');
    assert.deepEqual(await portsBeside(join(dir, 'IT')), { http: 8_601, p2p: 4_601 });
    region(dir, 'FR', 'p2p:\n  listen: [/ip4/0.0.0.0/tcp/4601]\n');
    assert.deepEqual(await portsBeside(join(dir, 'IT')), { http: 8_602, p2p: 4_602 });
  });

  it('passes over a region whose config cannot be read', async () => {
    const dir = folder();
    region(dir, 'DE', 'http: [nonsense\n');
    assert.deepEqual(await portsBeside(join(dir, 'IT')), { http: 8_600, p2p: 4_600 });
  });
});
