import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkStore } from '../../../node/audit/store-check.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { LevelDisk } from '../../../node/store/level-disk.ts';
import { salvageDirectory } from '../../../node/store/salvage-directory.ts';
import { TestCli } from '../../support/cli.ts';
import { assertCodesHeld, assertSound } from '../../support/issued-check.ts';
import { type Acknowledged, greenFor, hashOf, openAlone } from '../../support/issuing-child.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** More than one tile of leaves, so that the log has one of the level above. */
const CODES = 300;

describe('Region F4: a salvaged store', () => {
  const folder = temporaryFolders();
  let home: string;
  let codes: Acknowledged[];
  let keys: string[];

  before(async function () {
    this.timeout(60_000);
    const cli = new TestCli(folder());
    cli.nowS = Math.floor(Date.now() / 1000);
    home = cli.path('DE');
    await cli.json('init', 'DE', '--dir', home);
    const people = Array.from({ length: CODES }, (_, i) => `P${i},green\n`).join('');
    writeFileSync(cli.path('people.csv'), `subject,colour\n${people}`);
    await cli.run('issue', home, cli.path('people.csv'));
    const region = await openAlone(home);
    await region.node.whenWriting();
    codes = [];
    for (let i = 0; i < CODES; i += 10) {
      const subject = `P${i}`;
      const [held] = await region.node.heldCodes.ofSubject(subject);
      assert.ok(held);
      codes.push({ subject, log: held.log, index: held.index, hash: hashOf(held.attestation) });
    }
    await region.close();
    keys = await logKeysIn(home);
  });

  async function logKeysIn(path: string): Promise<string[]> {
    const disk = new LevelDisk({ directory: join(path, 'store'), reserveBytes: 0 });
    await disk.open();
    const found = await disk.range('log/', 'log0', { limit: 1_000 });
    await disk.close();
    return found.map(([key]) => key);
  }

  /** The region with these values damaged and its store salvaged, so that they are missing. */
  async function without(lost: readonly string[]): Promise<string> {
    const path = join(folder(), 'DE');
    cpSync(home, path, { recursive: true });
    const directory = join(path, 'store');
    const disk = new LevelDisk({ directory, reserveBytes: 0 });
    await disk.open();
    await disk.write(lost.map((put) => ({ put, value: Buffer.alloc(100) })));
    await disk.close();
    const { lostKeys } = await salvageDirectory({ owner: 'DE.demo', directory });
    assert.deepEqual(new Set(lostKeys), new Set(lost));
    return path;
  }

  it('that lacks tiles makes them from the entries, signs again, and is sound', async () => {
    const entries = await assertSound(home, false);
    const tiles = keys.filter((key) => key.includes('/tile/'));
    assert.ok(tiles.some((key) => key.includes('/tile/1/')));
    for (const lost of [...tiles.map((tile) => [tile]), tiles]) {
      const path = await without(lost);
      const region = await openAlone(path);
      try {
        await region.node.whenWriting();
        await assertCodesHeld(region.node, codes);
        await region.node.issue(greenFor('later'));
      } finally {
        await region.close();
      }
      assert.equal(await assertSound(path, true), entries + 1, lost.join());
      const store = join(path, 'store');
      const { incomplete, faults } = await checkStore({
        directory: store,
        secondPlace: undefined,
        faultsMax: 1,
      });
      assert.deepEqual({ incomplete, faults }, { incomplete: false, faults: [] });
      assert.deepEqual(
        (await logKeysIn(path)).filter((key) => key.includes('/tile/')),
        tiles,
      );
    }
  });

  it('that lacks entries fails closed with what to do, and never answers wrongly', async () => {
    const entries = keys.filter((key) => key.includes('/entries/'));
    assert.ok(entries.length > 1);
    const isToldWhatToDo = (error: unknown): boolean => isNodeError(error) && error.hint !== undefined;
    for (const lost of entries) {
      const path = await without([lost, ...keys.filter((key) => key.includes('/tile/'))]);
      await assert.rejects(
        openAlone(path).then(async (region) => {
          try {
            await region.node.whenWriting();
          } finally {
            await region.close();
          }
        }),
        isToldWhatToDo,
        lost,
      );
    }
  });
});
