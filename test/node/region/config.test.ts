import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, writeConfig, type Config } from '../../../node/region/config.ts';
import { NodeError } from '../../../node/node-error.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const CONFIG: Config = {
  format: 1,
  region: 'CN-33',
  network: 'demo',
  name: '浙江',
  peers: { DE: '../DE/public' },
};

describe('readConfig', () => {
  const folder = temporaryFolders();

  it('gives what writeConfig wrote', async () => {
    const path = join(folder(), 'config.json');
    await writeConfig(path, CONFIG);
    assert.deepEqual(await readConfig(path), CONFIG);
  });

  const broken: readonly [string, unknown, RegExp][] = [
    ['another format', { ...CONFIG, format: 2 }, /format/],
    ['an unknown member', { ...CONFIG, treshold: 2 }, /unknown member treshold/],
    ['a region with Cyrillic letters (T19)', { ...CONFIG, region: 'CN-СН' }, /region/],
    ['a region in lower case', { ...CONFIG, region: 'de' }, /region/],
    ['a region of four letters', { ...CONFIG, region: 'CN-3333' }, /region/],
    ['a network with a capital', { ...CONFIG, network: 'Demo' }, /network/],
    ['an empty name', { ...CONFIG, name: '' }, /name/],
    ['a peer that is no region', { ...CONFIG, peers: { de: 'x' } }, /peers/],
    ['a list', [], /the whole/],
  ];
  for (const [what, value, message] of broken) {
    it(`B70: refuses ${what}`, async () => {
      const path = join(folder(), 'config.json');
      writeFileSync(path, JSON.stringify(value));
      await assert.rejects(readConfig(path), (error) => {
        assert.ok(error instanceof NodeError && error.code === 'CONFIG_INVALID');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('refuses a truncated file, and names an absent one', async () => {
    const path = join(folder(), 'config.json');
    await assert.rejects(
      readConfig(path),
      (error) => error instanceof NodeError && error.code === 'DIRECTORY_MISSING',
    );
    writeFileSync(path, '{"format":1,');
    await assert.rejects(
      readConfig(path),
      (error) => error instanceof NodeError && error.code === 'CONFIG_INVALID',
    );
  });
});
