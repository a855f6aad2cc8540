import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kept, readKeepFile, writeKeepFile } from '../../cli/keep-file.ts';
import { CliError } from '../../cli/exit.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { Federation, HOME, modules as protocolModules, NOW_S } from '../support/snapshot-fixture.ts';
import { partNamed, playStep, type SnapshotVectors } from '../support/snapshot-vectors.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { SNAPSHOT_VECTOR_FILE } from '../vectors/generate/snapshot.ts';

const { shared, readings } = JSON.parse(readFileSync(SNAPSHOT_VECTOR_FILE, 'utf8')) as SnapshotVectors;
/** Years off: what is kept does not depend on when it is read. */
const modules = { ...protocolModules, nowS: () => NOW_S + 10 ** 9 };

describe('readKeepFile and writeKeepFile', () => {
  const folder = temporaryFolders();
  let path: string;
  beforeEach(() => {
    path = join(folder(), 'gate.json');
  });

  it('T9: a reader that begins anew from its file before each snapshot comes to what one that never ended does', async () => {
    let kept = 0;
    for (const { name, home, network, pin, steps } of readings) {
      const reader = { home, network, pin: hexBytes(pin) };
      let held: Kept['holdings'] | undefined;
      for (const [index, { now, network: told, parts, codes, ...expected }] of steps.entries()) {
        const input = { now, network: told, parts: parts.map((part) => partNamed(part, shared)) };
        const played = playStep(modules, reader, { ...input, texts: codes.map(({ text }) => text) }, held);
        assert.deepEqual(played.result, { codes, ...expected }, `${name}, step ${index + 1}`);
        held = played.held;
        if (held === undefined) continue;
        await writeKeepFile(path, { reader, holdings: held }, modules);
        const again = await readKeepFile(path, modules);
        assert.deepEqual(again?.reader, { ...reader, policy: undefined });
        held = again.holdings;
        kept++;
      }
    }
    assert.ok(kept > 100, `${kept} files`);
  });

  it('is undefined where there is no file', async () => {
    assert.equal(await readKeepFile(path, modules), undefined);
  });

  describe('of an altered file', () => {
    interface Document {
      home: string;
      pin: string;
      network: string;
      format: number;
      snapshot: string;
      regions: { region: string; standing: string; revokedBeside?: unknown }[];
    }
    let document: Document;
    beforeEach(async () => {
      const federation = new Federation(HOME, 'FR', 'IT');
      const { holdings } = federation.apply(HOME, await federation.snapshot());
      await writeKeepFile(path, { reader: federation.reader(HOME), holdings }, modules);
      const { sha256, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Document & { sha256: string };
      assert.match(sha256, /^[0-9a-f]{64}$/);
      document = rest;
    });
    /** With the digest that belongs to it, so that what it says has to be found out. */
    const sealed = (altered: unknown) => {
      const text = JSON.stringify(altered);
      return { ...(altered as object), sha256: createHash('sha256').update(text).digest('hex') };
    };
    const cases: Readonly<Record<string, (document: Document) => unknown>> = {
      'an earlier form': () => ({ format: 1, home: 'DE', network: 'test', pin: document.pin, snapshots: [] }),
      'another pin': () => ({ ...document, pin: '00'.repeat(32) }),
      'a network that is none': () => ({ ...document, network: 'ä ö' }),
      'another home': () => ({ ...document, home: 'FR' }),
      'another network': () => ({ ...document, network: 'other' }),
      'a home that is no region': () => ({ ...document, home: '../DE' }),
      'a region less': () => ({ ...document, regions: document.regions.slice(1) }),
      'a region more': () => ({
        ...document,
        regions: [...document.regions, { ...document.regions[0], region: 'ES' }],
      }),
      'a region twice': () => ({ ...document, regions: [...document.regions, document.regions[0]] }),
      'a standing that is none': () => ({
        ...document,
        regions: document.regions.map((region) => ({ ...region, standing: 'fine' })),
      }),
      'a revocation block that is none': () => ({
        ...document,
        regions: document.regions.map((region) => ({
          ...region,
          revokedBeside: [['2026-11', [{ number: 0, bytes: '' }]]],
        })),
      }),
      'a flipped bit in the logs': () => {
        const bytes = Buffer.from(document.snapshot, 'base64');
        const at = Math.floor(bytes.length / 2);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return { ...document, snapshot: bytes.toString('base64') };
      },
      'a snapshot that is cut': () => ({ ...document, snapshot: document.snapshot.slice(0, 400) }),
      'members that nobody knows': () => ({ ...document, more: 1 }),
    };
    for (const [what, alter] of Object.entries(cases)) {
      it(`is KEEP_INVALID with what to do: ${what}`, async () => {
        writeFileSync(path, JSON.stringify(sealed(alter(document))));
        await assert.rejects(readKeepFile(path, modules), (error) => {
          assert.ok(error instanceof CliError);
          assert.deepEqual([error.exit, error.code], [5, 'KEEP_INVALID']);
          assert.match(error.hint ?? '', /name --home and --pin again/);
          return true;
        });
      });
    }

    it('F4: is KEEP_INVALID for a flip of any bit, and cut anywhere', async () => {
      const whole = readFileSync(path);
      const isInvalid = (error: unknown) => error instanceof CliError && error.code === 'KEEP_INVALID';
      const step = Math.ceil(whole.length / 300);
      for (let at = 0; at < whole.length - 1; at += step) {
        const flipped = Buffer.from(whole);
        flipped[at] = (whole[at] ?? 0) ^ (1 << (at % 8));
        for (const bytes of [flipped, whole.subarray(0, at)]) {
          writeFileSync(path, bytes);
          await assert.rejects(readKeepFile(path, modules), isInvalid, `at byte ${at}`);
        }
      }
    });
  });
});
