import assert from 'node:assert/strict';
import { DossierShelf } from '../../../node/life/dossier-shelf.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { GREEN, ISOLATED, LivingRegion } from '../../support/living-region.ts';
import { describeOnAllTables } from '../../support/tables.ts';

describeOnAllTables('a dossier that cannot be read', () => {
  let region: LivingRegion;
  let shelf: DossierShelf;
  beforeEach(async () => {
    region = await LivingRegion.open();
    const { process, machine } = region;
    shelf = new DossierShelf({ key: REGISTRY_KEY }, { tables: process.tables, random: machine.bytes });
  });
  afterEach(() => region.process.stop());

  const rowOf = (n: number) => `life/person/${shelf.pseudonymOf(`P${n}`)}`;
  const put = (name: string, value: Uint8Array) => region.process.tables.write([{ put: name, value }]);
  const damage = (n: number) => put(rowOf(n), Buffer.alloc(300, 7));
  const sealed = (table: string, name: string, text: string) =>
    new Sealer(derivedKey(REGISTRY_KEY, table)).seal(
      name,
      Buffer.from(text),
      region.machine.bytes(NONCE_BYTES),
    );
  const isCorrupt = (error: unknown) => isNodeError(error, 'REGISTRY_CORRUPT');
  const damagedRows = async () => (await region.life.updates()).damaged;
  const forget = (n: number) =>
    region.life.forget(`P${n}`, { require: () => Promise.resolve(), onFound: () => Promise.resolve() });
  const later = () => region.later(0.05);

  it('is an error of its person alone, told once by its row: others are updated, and its codes stay as they are', async () => {
    await region.declare([1, 2, 3, 4]);
    await region.update();
    await damage(1);
    await put(rowOf(2), sealed('life/person', rowOf(2), '{"newer":true}'));
    later();
    await region.declare([3], { symptoms: true });
    for (let times = 0; times < 2; times++) {
      const figures = await region.update();
      assert.deepEqual(
        figures,
        times === 0 ? { unchanged: 1, worse: 1, damaged: 2 } : { unchanged: 2, damaged: 2 },
      );
    }
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => region.codesOf(n))), [
      'green',
      'green',
      '(green) yellow',
    ]);
    assert.deepEqual(await damagedRows(), [rowOf(1), rowOf(2)].sort());
    assert.equal((await region.life.updates()).trouble, undefined);
    const told = region.troubles.map((error) => isCorrupt(error) && error instanceof Error && error.message);
    assert.equal(told.length, 2);
    for (const n of [1, 2]) assert.ok(told.some((text) => text !== false && text.includes(rowOf(n))));
    await assert.rejects(region.life.holder('P1', false), isCorrupt);
  });

  it('gives its person nothing looser than red by rules, and red', async () => {
    await region.declare([1]);
    await region.update();
    await damage(1);
    assert.deepEqual(await region.claims([1], GREEN), ['open']);
    // Which counts where operators are named.
    assert.equal((await region.claims([1], { ...ISOLATED, untilS: region.nowS + 86_400 }))[0], 'told');
    await region.override(1, 'red', 2);
    assert.equal(await region.codesOf(1), '(green) red');
  });

  it('is replaced by a declaration after an update that saw it, under the same name, and beside nothing that it makes looser', async () => {
    const declares = (options = {}) => region.declare([1], options);
    await region.declare([1], { symptoms: true });
    await region.update();
    later();
    await declares();
    await damage(1);
    await assert.rejects(declares(), /declared_at/);
    later();
    assert.deepEqual(await region.update(), { damaged: 1 });
    await assert.rejects(declares({ name: () => 'Person Else' }), /full_name/);
    await declares();
    assert.equal(await damagedRows(), undefined);
    // What was told with the yellow code counts on.
    assert.deepEqual(await region.update(), { overridden: 1 });
    assert.equal(await region.codesOf(1), 'yellow');
  });

  it('is not replaced where a stricter code was revoked, or by what other software wrote; forgetting takes all of it', async () => {
    await region.declare([1, 2], { symptoms: true });
    await region.update();
    await region.revoke(1);
    await damage(1);
    await put(rowOf(2), sealed('life/person', rowOf(2), '{}'));
    await region.update();
    later();
    for (const n of [1, 2]) await assert.rejects(region.declare([n]), /subject/);
    for (const n of [1, 2]) assert.equal(await forget(n), true);
    for await (const [name] of region.process.tables.entries('life/', 'life0'))
      assert.equal(name, 'life/updated');
    assert.equal(await forget(1), false);
    await region.declare([1]);
    assert.equal(await damagedRows(), undefined);
  });

  it('is noted no more once it can be read again', async () => {
    await region.declare([1]);
    const [kept = assert.fail()] = await region.process.tables.getMany([rowOf(1)]);
    await damage(1);
    await region.update();
    assert.deepEqual(await damagedRows(), [rowOf(1)]);
    await put(rowOf(1), kept);
    assert.deepEqual(await region.update(), { first: 1 });
    assert.deepEqual(await shelf.marksOf(shelf.pseudonymOf('P1')), new Set(['untold']));
  });

  for (const [what, text] of [
    ['damaged', undefined],
    ['of another form', '{"newer":true}'],
  ] as const)
    it(`a head of an intake that is ${what} keeps nobody from anything: what is staged is taken, but for what is damaged`, async () => {
      await region.declare([1]);
      const { tables } = region.process;
      const staged = (n: number) => `life/staged/${shelf.pseudonymOf(`P${n}`)}`;
      const dossier = (await shelf.ofSubject('P1')) ?? assert.fail();
      const { declaration } = dossier;
      const two = { ...declaration, subject: 'P2' };
      await tables.write([
        {
          put: staged(2),
          value: sealed('life/intake', staged(2), JSON.stringify({ line: 2, declaration: two })),
        },
        { put: staged(3), value: Buffer.alloc(40) },
        {
          put: 'life/intake',
          value: text === undefined ? Buffer.alloc(40) : sealed('life/intake', 'life/intake', text),
        },
      ]);
      await region.declare([4]);
      assert.deepEqual(await region.update(), { first: 3 });
      assert.equal((await shelf.ofSubject('P2'))?.source, 'unknown');
      assert.deepEqual(region.troubles.map(isCorrupt), [true, true]);
      assert.ok(region.troubles.some((error) => error instanceof Error && error.message.includes(staged(3))));
      assert.equal(await forget(2), true);
    });
});
