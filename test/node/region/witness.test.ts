import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHomeView } from '../../../node/region/home-view.ts';
import { witnessPeer } from '../../../node/region/witness.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { applySnapshot, type Holdings } from '../../../protocol/snapshot/apply.ts';
import { makeSnapshot } from '../../../protocol/snapshot/make.ts';
import { assessKnowledge } from '../../../protocol/verdict/knowledge.ts';
import { Clock, copyRegion, inRegion, makeRegion, recognise, requests } from '../../support/directories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const isFault = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);

describe('witnessPeer', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let de: string;
  let fr: string;
  beforeEach(async () => {
    clock = new Clock();
    const dir = folder();
    [de, fr] = [await copyRegion(dir, 'DE'), await copyRegion(dir, 'FR')];
  });
  const witness = (publicPath = join(fr, 'public')) =>
    inRegion(de, clock.modules, (directory) => witnessPeer(directory, publicPath, clock.modules));
  const revoke = (path: string, index: number) =>
    inRegion(path, clock.modules, (directory) => directory.revoke('2026-11', [index], 'trust-log'));
  const cosigned = () => join(de, 'public/cosignatures/FR.demo/trust');

  it('cosigns trust and attestation logs, remembers them, and follows their growth', async () => {
    await inRegion(fr, clock.modules, (directory) => directory.issue(requests(300, clock.nowS)));
    assert.deepEqual(
      (await witness()).map(({ origin, sizeBefore, size }) => [origin, sizeBefore, size]),
      [
        ['FR.demo/trust', 0, 6],
        ['FR.demo/attest/2026-11', 0, 300],
      ],
    );
    await inRegion(fr, clock.modules, (directory) => directory.issue(requests(1, clock.nowS)));
    await revoke(fr, 3);
    assert.deepEqual(
      (await witness()).map(({ sizeBefore, size }) => [sizeBefore, size]),
      [
        [6, 7],
        [300, 301],
      ],
    );
    assert.deepEqual(
      (await witness()).map(({ sizeBefore, size }) => [sizeBefore, size]),
      [
        [7, 7],
        [301, 301],
      ],
    );
    const note = parseNote(readFileSync(cosigned()));
    assert.deepEqual(
      note.signatures.map(({ name }) => name),
      ['FR.demo/trust', 'DE.demo/witness'],
    );
    assert.equal(parseNote(readFileSync(join(de, 'witnessed/FR.demo/trust'))).text, note.text);
  });

  it('T9 rollback: refuses a log that is shorter than before, with both sizes, and keeps what it said', async () => {
    cpSync(join(fr, 'public'), join(fr, 'yesterday'), { recursive: true });
    await revoke(fr, 1);
    await witness();
    const said = readFileSync(cosigned());
    await assert.rejects(
      witness(join(fr, 'yesterday')),
      (error) =>
        isProtocolError(error, 'ROLLBACK') &&
        error.fault.details['held'] === 7 &&
        error.fault.details['offered'] === 6,
    );
    assert.deepEqual(readFileSync(cosigned()), said);
  });

  it('T4 fork: refuses another log of the same size, and a longer one that does not go on from it', async () => {
    const other = join(fr, '..', 'FR-other');
    cpSync(fr, other, { recursive: true });
    await revoke(fr, 1);
    await revoke(other, 2);
    await witness();
    await assert.rejects(witness(join(other, 'public')), isFault('FORK'));
    await revoke(other, 4);
    await assert.rejects(witness(join(other, 'public')), isFault('PROOF_INVALID'));
    await witness();
  });

  it('F4: refuses an attestation log whose tiles are not those of its checkpoint', async () => {
    await inRegion(fr, clock.modules, (directory) => directory.issue(requests(3, clock.nowS)));
    const tile = join(fr, 'public/attest/2026-11/tile/0/000.p/3');
    const data = readFileSync(tile);
    data[5] = (data[5] ?? 0) ^ 1;
    writeFileSync(tile, data);
    await assert.rejects(witness(), isFault('PROOF_INVALID'));
    assert.ok(!existsSync(join(de, 'witnessed/FR.demo/attest')));
  });

  it('T19: refuses another root under the name of a recognised region', async () => {
    await recognise(de, fr, clock.modules);
    const impostor = await makeRegion(folder(), 'FR', clock.modules);
    await assert.rejects(witness(join(impostor, 'public')), isFault('PIN_MISMATCH'));
  });

  it('A23: refuses a log that is ahead of its own clock', async () => {
    clock.nowS += 121;
    await revoke(fr, 1);
    clock.nowS -= 121;
    await assert.rejects(witness(), isFault('STATE_AHEAD'));
    assert.ok(!existsSync(join(de, 'witnessed/FR.demo')));
    clock.nowS += 1;
    await witness();
  });

  it('refuses another network, and itself', async () => {
    const foreign = await makeRegion(folder(), 'FR', clock.modules, { network: 'other' });
    await assert.rejects(witness(join(foreign, 'public')), isFault('ORIGIN_INVALID'));
    await assert.rejects(witness(join(de, 'public')), RangeError);
  });

  it('A14: stores what it saw before it publishes the cosignature', async () => {
    writeFileSync(join(de, 'public/cosignatures'), 'in the way');
    await assert.rejects(witness());
    assert.ok(existsSync(join(de, 'witnessed/FR.demo/trust')));
    rmSync(join(de, 'public/cosignatures'));
  });
});

describe('readHomeView', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let paths: Record<'CN-33' | 'DE' | 'FR', string>;
  beforeEach(async () => {
    clock = new Clock();
    const dir = folder();
    const make = (region: string) => copyRegion(dir, region);
    paths = { 'CN-33': await make('CN-33'), DE: await make('DE'), FR: await make('FR') };
    for (const peer of [paths['CN-33'], paths.FR]) await recognise(paths.DE, peer, clock.modules);
  });
  const witness = (by: 'CN-33' | 'DE' | 'FR', of: 'CN-33' | 'DE' | 'FR') =>
    inRegion(paths[by], clock.modules, (directory) =>
      witnessPeer(directory, join(paths[of], 'public'), clock.modules),
    );
  const holdings = async (): Promise<Holdings> => {
    const { home, sources } = await readHomeView(paths.DE, clock.modules);
    const reader = { home: 'DE', network: 'demo', pin: home.fingerprint };
    return applySnapshot(clock.modules, await makeSnapshot('demo', sources), reader, undefined, clock.nowS)
      .holdings;
  };
  const counted = async (region: string) =>
    assessKnowledge((await holdings()).trust, region, clock.nowS)?.witnesses.counted;

  it('collects the cosignatures of each very checkpoint, whoever of the peers published them', async () => {
    for (const [by, of] of [
      ['CN-33', 'DE'],
      ['FR', 'DE'],
      ['FR', 'CN-33'],
      ['DE', 'CN-33'],
      ['CN-33', 'FR'],
    ] as const)
      await witness(by, of);
    assert.deepEqual([await counted('DE'), await counted('CN-33'), await counted('FR')], [2, 2, 1]);
    await inRegion(paths.DE, clock.modules, (directory) => directory.revoke('2026-11', [1], 'trust-log'));
    await witness('FR', 'DE');
    assert.equal(await counted('DE'), 1, 'a cosignature of an older checkpoint does not count');
  });

  it('leaves out lines that are not good, which would make the whole note bad', async () => {
    await witness('FR', 'DE');
    await witness('DE', 'FR');
    const path = join(paths.FR, 'public/cosignatures/DE.demo/trust');
    const text = readFileSync(path, 'utf8');
    const line = text.trimEnd().split('\n').at(-1) ?? '';
    const bad = `${line.slice(0, -8)}AAAA${line.slice(-4)}`;
    writeFileSync(path, text.replace(line, `${bad}\n${line}`));
    assert.equal(await counted('DE'), 1);
    writeFileSync(path, 'no note');
    const { sources } = await readHomeView(paths.DE, clock.modules);
    assert.equal(parseNote(sources[0]?.note ?? new Uint8Array()).signatures.length, 2);
  });

  it('names peers that are gone, not known or damaged, and goes on with the others', async () => {
    rmSync(join(paths.FR, 'public/trust/checkpoint'));
    const gone = await readHomeView(paths.DE, clock.modules);
    assert.deepEqual([gone.sources.length, gone.missing.map(({ region }) => region)], [2, ['FR']]);
    const entries = join(paths['CN-33'], 'public/trust/tile/entries/000.p/6');
    writeFileSync(entries, readFileSync(entries).subarray(1));
    const damaged = await readHomeView(paths.DE, clock.modules);
    assert.deepEqual(damaged.missing.map(({ region }) => region).sort(), ['CN-33', 'FR']);
  });

  it('leaves out regions whose recognition was withdrawn', async () => {
    await inRegion(paths.DE, clock.modules, (directory) =>
      directory.append({ kind: 'withdrawal', region: 'FR', version: 2 }, 'root'),
    );
    const { sources, missing } = await readHomeView(paths.DE, clock.modules);
    assert.deepEqual([sources.map(({ region }) => region), missing], [['DE', 'CN-33'], []]);
  });
});
