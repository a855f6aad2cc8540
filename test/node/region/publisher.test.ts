import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../../../node/node-error.ts';
import { Publisher } from '../../../node/region/publisher.ts';
import { copyRegion } from '../../support/region-templates.ts';
import { Clock, inRegion, requests, visit } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

/** Every file below a folder with its content, but for checkpoints, whose cosignatures have a time. */
function contentOf(path: string): Map<string, string> {
  const files = (readdirSync(path, { recursive: true }) as string[]).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
  return new Map(
    files
      .sort()
      .filter((name) => !name.endsWith('checkpoint'))
      .map((name) => [name, readFileSync(join(path, name), 'hex')]),
  );
}

describe('Publisher', () => {
  const folder = temporaryFolders();
  const clock = new Clock();
  let path: string;
  let publicPath: string;
  beforeEach(async () => {
    path = await copyRegion(folder(), 'DE');
    publicPath = join(path, 'public');
  });
  const issue = (count: number) =>
    inRegion(path, clock.modules, ({ node }) => node.issueAll(requests(count, clock.nowS)));
  const exportTo = (to: string) => inRegion(path, clock.modules, (region) => region.publish(to));

  it('comes to the same files step by step as at once, and leaves no partial tile that is outgrown', async () => {
    for (const count of [1, 254, 1, 1, 300]) await issue(count);
    await visit(path, join(await copyRegion(folder(), 'FR'), 'public'), clock.modules);
    const whole = join(folder(), 'export');
    await exportTo(whole);
    const fromScratch = contentOf(whole);
    const grown = contentOf(publicPath);
    for (const [name, content] of fromScratch) assert.equal(grown.get(name), content, name);
    const outgrown = [...grown.keys()].filter((name) => /2026-11\/tile\/(0|entries)\/00[01]\.p/.test(name));
    assert.deepEqual(outgrown, []);
    assert.ok(fromScratch.has('cosignatures/FR.demo/trust'));
  });

  it('F1: a run that broke off before the checkpoint is done again, whatever it left', async () => {
    await issue(3);
    const before = join(folder(), 'before');
    cpSync(publicPath, before, { recursive: true });
    await issue(300);
    const after = contentOf(publicPath);
    // New tiles, one of them cut, under the old checkpoint.
    writeFileSync(join(publicPath, 'attest/2026-11/tile/0/000'), 'cut');
    writeFileSync(join(publicPath, 'attest/2026-11/tile/entries/001.p/47'), '');
    cpSync(join(before, 'attest/2026-11/checkpoint'), join(publicPath, 'attest/2026-11/checkpoint'));
    await inRegion(path, clock.modules, () => Promise.resolve());
    assert.deepEqual(contentOf(publicPath), after);
  });

  it('F4: makes good a checkpoint that is damaged, and all that was removed with it', async () => {
    await issue(3);
    const good = contentOf(publicPath);
    writeFileSync(join(publicPath, 'attest/2026-11/checkpoint'), 'no note');
    await inRegion(path, clock.modules, () => Promise.resolve());
    rmSync(publicPath, { recursive: true });
    await inRegion(path, clock.modules, () => Promise.resolve());
    assert.deepEqual(contentOf(publicPath), good);
  });

  it('writes nothing where nothing is new', async () => {
    await issue(3);
    const file = join(publicPath, 'attest/2026-11/checkpoint');
    const { ino } = statSync(file);
    await inRegion(path, clock.modules, () => Promise.resolve());
    assert.equal(statSync(file).ino, ino);
  });

  it('T9: refuses to publish less than is published', async () => {
    await issue(1);
    const note = readFileSync(join(publicPath, 'attest/2026-11/checkpoint'));
    await issue(1);
    await inRegion(path, clock.modules, async (region) => {
      const tree = region.node.log(region.originOf('2026-11'));
      assert.ok(tree);
      await assert.rejects(new Publisher(publicPath).log(tree, note), (error) =>
        isNodeError(error, 'LOG_BEHIND'),
      );
    });
  });
});
