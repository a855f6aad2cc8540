import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DayKeys } from '../../../node/lookup/day-keys.ts';
import { FileDaySeeds } from '../../../node/lookup/day-seeds.ts';
import { NumberSecretsOfDay } from '../../../node/lookup/number-secrets.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { DAY_S } from '../../../protocol/lookup/opaque-adapter.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY = 20_783;

describe('FileDaySeeds', () => {
  const folder = temporaryFolders();
  const registryKey = new Uint8Array(32).fill(1);
  const open = (path: string, key = registryKey) =>
    new FileDaySeeds({ path, region: 'DE', network: 'demo', registryKey: key }, { random: systemRandom() });

  it('keeps a seed for each day, sealed and for the owner alone, and makes none twice', async () => {
    const path = join(folder(), 'lookup');
    const seeds = open(path);
    const seed = await seeds.make(DAY);
    assert.deepEqual(await open(path).make(DAY), seed);
    assert.notDeepEqual(await seeds.make(DAY + 1), seed);
    assert.deepEqual(await seeds.days(), [DAY, DAY + 1]);
    const file = join(path, `${DAY}.seed`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file).includes(Buffer.from(seed)));
    assert.equal(await seeds.read(DAY + 2), undefined);
  });

  it('gives all who make the seed of a day at once the same', async () => {
    const path = join(folder(), 'lookup');
    const made = await Promise.all(Array.from({ length: 8 }, () => open(path).make(DAY)));
    for (const seed of made) assert.deepEqual(seed, made[0]);
    assert.deepEqual(await open(path).read(DAY), made[0]);
    assert.deepEqual(readdirSync(path), [`${DAY}.seed`]);
  });

  it('refuses a file of another day, another key, and one that was altered', async () => {
    const path = join(folder(), 'lookup');
    const seeds = open(path);
    await seeds.make(DAY);
    const invalid = (error: unknown) => isNodeError(error, 'KEY_FILE_INVALID');
    await assert.rejects(open(path, new Uint8Array(32).fill(2)).read(DAY), invalid);
    writeFileSync(join(path, `${DAY + 1}.seed`), readFileSync(join(path, `${DAY}.seed`)));
    await assert.rejects(seeds.read(DAY + 1), invalid);
  });

  it('DayKeys destroys all of a day an hour after it, and nothing before', async () => {
    const path = join(folder(), 'lookup');
    const seeds = open(path);
    for (const day of [DAY, DAY + 1]) await seeds.make(day);
    await seeds.keepEvaluated(DAY, Uint8Array.of(1, 2, 3));
    assert.deepEqual(await seeds.readEvaluated(DAY), Uint8Array.of(1, 2, 3));
    // What a write that was interrupted leaves, of this day and of the next.
    const leavings = [DAY, DAY + 1].map((day) => `${day}.numbers.0123456789ab.tmp`);
    for (const name of leavings) writeFileSync(join(path, name), '');
    const keys = new DayKeys(
      { region: 'DE', network: 'demo' },
      { seeds, announced: () => [], onTrouble: (error) => assert.fail(String(error)) },
    );
    const pair = (await keys.pairOf(DAY)) ?? assert.fail();
    const end = (DAY + 1) * DAY_S + 3_600;
    assert.deepEqual(await keys.destroyOver(end - 1), []);
    assert.deepEqual(await keys.destroyOver(end), [DAY]);
    assert.ok(pair.secretKey.every((byte) => byte === 0));
    assert.equal(await keys.pairOf(DAY), undefined);
    assert.deepEqual(readdirSync(path).sort(), [leavings[1], `${DAY + 1}.seed`]);
    assert.ok(!existsSync(join(path, `${DAY}.numbers`)));
  });

  it('what was kept of numbers and is damaged is made again', async () => {
    const path = join(folder(), 'lookup');
    const seeds = open(path);
    await seeds.make(DAY);
    await seeds.keepEvaluated(DAY, Uint8Array.of(1));
    writeFileSync(join(path, `${DAY}.numbers`), Buffer.alloc(64));
    assert.equal(await seeds.readEvaluated(DAY), undefined);
  });
});

describe('NumberSecretsOfDay', () => {
  it('gives back what it was given, and forgets the rest', () => {
    const secrets = new NumberSecretsOfDay({ sha256 });
    for (const n of [1, 2, 3]) secrets.set(`DE-${n}`, new Uint8Array(32).fill(n));
    const again = new NumberSecretsOfDay({ sha256 }, secrets.encode());
    assert.equal(again.size, 3);
    assert.deepEqual(again.get('DE-2'), new Uint8Array(32).fill(2));
    assert.equal(again.get('DE-4'), undefined);
    again.retain(['DE-1', 'DE-4']);
    assert.deepEqual([again.size, again.get('DE-2')], [1, undefined]);
    again.destroy();
    assert.equal(again.size, 0);
  });

  it('gives back what a long list comes to', () => {
    const secrets = new NumberSecretsOfDay({ sha256 });
    const secret = new Uint8Array(32).fill(5);
    const count = 70_000;
    for (let n = 0; n < count; n++) secrets.set(`DE-${n}`, secret);
    const again = new NumberSecretsOfDay({ sha256 }, secrets.encode());
    assert.deepEqual([again.size, again.get('DE-69999')], [count, secret]);
  });
});
