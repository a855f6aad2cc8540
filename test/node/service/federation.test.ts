import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEntryBundle } from '../../../protocol/log/entry-bundle.ts';
import { newTiles, TILE_HASHES, tilePath } from '../../../protocol/log/tile.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { eventually, Federation, lineOf } from '../../support/federation.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const [A, B, C] = ['DE', 'FR', 'IT'] as const;
const TRUST = `${A}.demo/trust`;
const REVOKED = 1_000;
/** Orders of revocation under way at the same time. */
const AT_ONCE = 50;
const STRANGER = 'AT';
const MINUTE_MS = 60_000;

const passes = ({ outcome }: Verdict): boolean => outcome === 'pass';
const isRevoked = (verdict: Verdict): boolean => /^stop.* REVOKED/.test(lineOf(verdict));

describe('Three regions as processes', function () {
  this.timeout(180_000);
  const folder = temporaryFolders();
  let world: Federation;
  /** A code of A that is never revoked. */
  let kept: string;

  before(async () => {
    world = await Federation.found(folder(), [A, B, C]);
    await Promise.all([A, B, C].map((region) => world.start(region)));
    await Promise.all([A, B, C].map((region) => world.node(region).ready()));
    for (const region of [A, B, C]) await connected(region, 2);
  });
  after(() => world.stop());

  async function connected(region: string, count: number): Promise<void> {
    await eventually(
      () => world.peersOf(region),
      (peers) => peers.length >= count,
    );
  }

  it('A8, T14: an issuer that is killed turns nobody away, and is said to be silent; once back, it revokes at once', async () => {
    const code = await world.issue(A, 'Person 1');
    for (const region of [B, C]) {
      // Heard of after this code, so that its age can be told.
      await world.verdictOnce(region, code, (verdict) => passes(verdict) && silenceOf(verdict) !== undefined);
    }
    assert.equal(await world.node(A).end('SIGKILL'), null);
    for (const region of [B, C]) assert.ok(passes(await world.verdict(region, code)));

    // Knowledge counts for ten minutes, and others vouch anew in each step.
    for (let step = 0; step < 4; step++) {
      await world.pass(7.5 * MINUTE_MS, [B, C]);
      for (const region of [B, C]) {
        await world.verdictOnce(region, code, (verdict) => {
          assert.ok(passes(verdict), `${region}: ${lineOf(verdict)}`);
          return verdict.knowledge.every(({ ageS = Infinity }) => ageS < 60);
        });
      }
    }
    for (const region of [B, C]) {
      const verdict = await world.verdict(region, code);
      assert.match(lineOf(verdict), /^pass.* ISSUER_SILENT/);
      const silenceS = silenceOf(verdict) ?? 0;
      assert.ok(silenceS >= 1_800 && silenceS < 1_900, `silent for ${silenceS} s`);
    }

    await world.start(A);
    await world.node(A).ready();
    for (const region of [B, C])
      await world.verdictOnce(
        region,
        code,
        (verdict) => passes(verdict) && !lineOf(verdict).includes('ISSUER_SILENT'),
      );
    const startMs = performance.now();
    const stopped = [B, C].map(async (region) => {
      await world.verdictOnce(region, code, isRevoked);
      return `${region} ${Math.round(performance.now() - startMs)} ms`;
    });
    await world.admin(A).ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'Person 1' } });
    console.log(
      `        from the order to the verdict elsewhere: ${(await Promise.all(stopped)).join(', ')}`,
    );
  });

  it('B47, T18: a stranger that dials all of them is refused, and its people pass nowhere', async () => {
    await world.foundStranger(STRANGER);
    const node = await world.start(STRANGER, '--without-peers');
    await node.event('writing', ({ writing }) => writing === 'writing');
    const code = await world.issue(STRANGER, 'Person 9');
    for (const region of [A, B]) {
      await eventually(
        async () => (await world.get(region, '/metrics')).toString(),
        (text) => /^entente_peers_refused_total\{reason="stranger"\} [1-9]/m.test(text),
      );
    }
    assert.deepEqual(await world.peersOf(STRANGER), []);
    for (const region of [A, B, C]) {
      assert.ok(!(await world.peersOf(region)).includes(STRANGER));
      assert.match(lineOf(await world.verdict(region, code)), /^stop NOT_RECOGNISED/);
    }
    assert.equal(await node.end(), 0);
  });

  it('T14: who was cut off while a thousand codes were revoked catches up, and all hold the same bytes', async () => {
    kept = await world.issue(A, 'Person 2');
    const people = Array.from({ length: REVOKED }, (_, i) => `Crowd ${i}`);
    writeFileSync(
      world.cli.path('people.csv'),
      `subject,colour\n${people.map((name) => `${name},green\n`).join('')}`,
    );
    const rows = (await world.cli.run('issue', world.cli.path(A), world.cli.path('people.csv'), '--json'))
      .out;
    const codes = rows
      .trimEnd()
      .split('\n')
      .map((row) => (JSON.parse(row) as { code: string }).code);
    assert.equal(codes.length, REVOKED);
    const [first = '', last = ''] = [codes[0], codes.at(-1)];
    for (const region of [B, C]) await world.verdictOnce(region, last, passes);

    world.proxy.faults.isStalled = true;
    world.proxy.reset();
    const admin = world.admin(A);
    const startMs = performance.now();
    for (let from = 0; from < people.length; from += AT_ONCE) {
      await Promise.all(
        people
          .slice(from, from + AT_ONCE)
          .map((subject) => admin.ask({ method: 'POST', path: '/v1/revoke', body: { subject } })),
      );
    }
    const revokedMs = performance.now() - startMs;
    for (const code of [first, last]) await world.verdictOnce(B, code, isRevoked);
    assert.ok(passes(await world.verdict(C, last)), 'C goes by what it knew');
    const healedMs = performance.now();
    world.proxy.faults.isStalled = false;
    await world.verdictOnce(C, last, isRevoked);
    const caughtUpMs = performance.now() - healedMs;
    const { index } = (await admin.ask({ method: 'POST', path: '/v1/state' })) as { index: number };
    for (const region of [B, C]) {
      // Nobody vouches for a commitment that its own fold does not come to.
      await world.verdictOnce(region, kept, (verdict) => {
        const { size = 0, witnesses } = ofIssuer(verdict) ?? {};
        return passes(verdict) && size > index && witnesses?.counted === 2;
      });
    }
    await agree();
    for (const code of [codes[500] ?? '', first])
      for (const region of [B, C]) assert.ok(isRevoked(await world.verdict(region, code)));
    console.log(
      `        ${REVOKED} revocations in ${Math.round(revokedMs)} ms; caught up ${Math.round(caughtUpMs)} ms after the healing`,
    );
  });

  it('T16, F4, A6: an entry that has rotted on the disk is named by log and index, and comes back from a peer', async () => {
    // The recognition of B, logged by itself after the root and the keys, and long since in a table of the store.
    const index = 6;
    const entry = parseEntryBundle(await world.get(A, `/${TRUST}/${pathOfEntry(index)}`), index + 1).at(-1);
    assert.equal(await world.node(A).end(), 0);
    assert.ok(entry);
    turnBit(world.cli.path(A, 'store', 'level'), entry);

    const found = await world.cli.run('audit', 'replay', world.cli.path(A));
    assert.equal(found.exit, 5, found.err);
    assert.match(found.out, new RegExp(`${TRUST}, index ${index}: `));
    assert.match(
      (await world.cli.run('fsck', world.cli.path(A), '--salvage')).out,
      /1 value could not be read/,
    );
    await world.start(A);
    await world.node(A).ready();
    for (const region of [B, C]) await world.verdictOnce(region, kept, passes);
    assert.equal(await world.node(A).end(), 0);
    const whole = await world.cli.run('audit', 'replay', world.cli.path(A));
    assert.equal(whole.exit, 0, whole.out);
    assert.match(whole.out, /All of it agrees/);
  });

  /** All three hold the same trust log of A, byte for byte, */
  async function agree(): Promise<void> {
    const texts = () =>
      Promise.all([A, B, C].map(async (region) => noteText(await world.get(region, `/${TRUST}/checkpoint`))));
    const [text = ''] = await eventually(
      texts,
      (all) => new Set(all).size === 1,
      (all) => all.join('\n'),
    );
    const size = Number(text.split('\n')[1]);
    for (const path of tilePaths(size)) {
      const [mine, ...others] = await Promise.all(
        [A, B, C].map((region) => world.get(region, `/${TRUST}/${path}`)),
      );
      for (const other of others) assert.deepEqual(other, mine, path);
    }
  }

  function ofIssuer({ knowledge }: Verdict) {
    return knowledge.find(({ region }) => region === A);
  }

  function silenceOf(verdict: Verdict): number | undefined {
    return ofIssuer(verdict)?.silenceS;
  }
});

function noteText(note: Buffer): string {
  return note.toString('utf8').split('\n\n')[0] ?? '';
}

/** Every tile of hashes and every bundle of entries of a log. */
function tilePaths(size: number): string[] {
  return [...newTiles(0, size)].flatMap((tile) =>
    tile.level === 0 ? [tilePath(tile), tilePath({ ...tile, level: 'entries' })] : [tilePath(tile)],
  );
}

/** The narrowest bundle that ends with an entry. */
function pathOfEntry(index: number): string {
  return tilePath({
    level: 'entries',
    index: Math.floor(index / TILE_HASHES),
    width: (index % TILE_HASHES) + 1,
  });
}

/** Turns a bit of an entry wherever the files of a store hold it. */
function turnBit(dir: string, entry: Uint8Array): void {
  let found = 0;
  for (const name of readdirSync(dir)) {
    const bytes = readFileSync(join(dir, name));
    for (let at = bytes.indexOf(entry); at >= 0; at = bytes.indexOf(entry, at + 1)) {
      bytes[at + 40] = (bytes[at + 40] ?? 0) ^ 1;
      writeFileSync(join(dir, name), bytes);
      found++;
    }
  }
  assert.ok(found > 0, 'the entry lies there as it is');
}
