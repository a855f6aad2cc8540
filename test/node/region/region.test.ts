import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeTextOf } from '../../../node/issuing/held-codes.ts';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { editConfig } from '../../../node/config/config-file.ts';
import { LogFiles } from '../../../node/region/log-files.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { type Region } from '../../../node/region/region.ts';
import { givingUp, upkeep } from '../../../node/region/statements.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { copyRegion } from '../../support/region-templates.ts';
import {
  Clock,
  DAY_S,
  inRegion,
  makeRegion,
  recognise,
  requests,
  START_S,
  visit,
} from '../../support/regions.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const isError = (code: NodeErrorCode) => (error: unknown) => isNodeError(error, code);
const nothing = () => Promise.resolve();

function sizeOf(logPath: string): number {
  return parseCheckpoint(parseNote(readFileSync(join(logPath, 'checkpoint'))).text).size;
}

describe('foundRegion', () => {
  const folder = temporaryFolders();
  const { modules } = new Clock();

  it('signs keys for 90 days in every role, without gaps, and announces the months', async () => {
    const path = await makeRegion(folder(), 'CN-33', modules, { roots: 3, threshold: 2, name: '浙江' });
    const { state, fold } = await readPublicRegion(join(path, 'public'), {}, modules);
    assert.deepEqual(fold.findings, []);
    assert.deepEqual([state.root?.threshold, state.root?.keys.length, state.root?.name], [2, 3, '浙江']);
    for (const role of ['attest', 'checkpoint', 'trust-log', 'witness'] as const) {
      const keys = state.keysWithRole(role).toSorted((a, b) => a.fromS - b.fromS);
      assert.equal(keys[0]?.fromS, START_S - (START_S % 3_600));
      assert.equal(keys.at(-1)?.untilS, START_S - (START_S % 3_600) + 90 * DAY_S);
      keys.slice(1).forEach((key, i) => assert.equal(key.fromS, keys[i]?.untilS));
    }
    assert.deepEqual([...state.logs()].map(({ log }) => log).sort(), [
      '2026-11',
      '2026-12',
      '2027-01',
      '2027-02',
    ]);
  });

  it('keeps secrets readable by their owner alone, and out of the store and the public directory', async () => {
    const path = await makeRegion(folder(), 'DE', modules);
    assert.equal(statSync(join(path, 'keys')).mode & 0o777, 0o700);
    const names = readdirSync(join(path, 'keys'));
    assert.equal(names.length, 1 + 1 + 15 + 3 * 3);
    const secrets = names.map((name) => {
      assert.equal(statSync(join(path, 'keys', name)).mode & 0o777, 0o600);
      return (JSON.parse(readFileSync(join(path, 'keys', name), 'utf8')) as { secretKey: string }).secretKey;
    });
    for (const folder of ['public', 'store', 'second-place']) {
      for (const name of readdirSync(join(path, folder), { recursive: true }) as string[]) {
        const file = join(path, folder, name);
        if (!statSync(file).isFile()) continue;
        const content = readFileSync(file);
        for (const secret of secrets)
          assert.ok(!content.includes(Buffer.from(secret, 'hex')) && !content.includes(secret));
      }
    }
  });

  it('refuses a directory that is not empty and leaves it as it is', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'DE'));
    writeFileSync(join(dir, 'DE', 'notes.txt'), 'mine');
    await assert.rejects(makeRegion(dir, 'DE', modules), isError('DIRECTORY_EXISTS'));
    assert.deepEqual(readdirSync(join(dir, 'DE')), ['notes.txt']);
    mkdirSync(join(dir, 'FR'));
    await makeRegion(dir, 'FR', modules);
    await assert.rejects(makeRegion(dir, 'FR', modules), isError('DIRECTORY_EXISTS'));
  });

  for (const [what, options] of [
    ['a threshold of 0', { threshold: 0 }],
    ['a threshold above the keys', { roots: 2, threshold: 3 }],
    ['a name of 65 bytes', { name: 'x'.repeat(65) }],
    ['a region id with Cyrillic letters', { region: 'CN-СН' }],
  ] as const) {
    it(`B70: leaves nothing behind when it fails on ${what}`, async () => {
      const dir = folder();
      await assert.rejects(makeRegion(dir, 'DE', modules, options));
      assert.deepEqual(readdirSync(dir), []);
    });
  }
});

describe('openRegion', () => {
  const folder = temporaryFolders();
  const { modules } = new Clock();
  let path: string;
  beforeEach(async () => {
    path = await copyRegion(folder(), 'DE');
  });

  it('B72: refuses a second one while one is open, and a directory where there is no region', async () => {
    await inRegion(path, modules, async () => {
      await assert.rejects(inRegion(path, modules, nothing), isError('STORE_LOCKED'));
    });
    await inRegion(path, modules, nothing);
    await assert.rejects(inRegion(join(path, 'public'), modules, nothing), isError('DIRECTORY_MISSING'));
  });

  it("B72: refuses another region's store and keys under this config, and leaves nothing locked", async () => {
    const config = join(path, 'entente.yaml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('region: DE', 'region: FR'));
    await assert.rejects(inRegion(path, modules, nothing), isError('KEY_FILE_INVALID'));
    writeFileSync(config, text);
    const other = await copyRegion(folder(), 'FR');
    rmSync(join(path, 'store'), { recursive: true });
    cpSync(join(other, 'store'), join(path, 'store'), { recursive: true });
    await assert.rejects(inRegion(path, modules, nothing), isError('STORE_FOREIGN'));
  });

  it('F4: refuses a store in which one bit is another', async () => {
    const level = join(path, 'store/level');
    const name = readdirSync(level).find((file) => file.endsWith('.ldb') || file.endsWith('.log')) ?? '';
    const file = join(level, name);
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await assert.rejects(inRegion(path, modules, nothing), isError('STORE_CORRUPT'));
  });

  it('T9: takes a store that is gone for a loss and not for a new region', async () => {
    rmSync(join(path, 'store'), { recursive: true });
    rmSync(join(path, 'second-place'), { recursive: true });
    await assert.rejects(inRegion(path, modules, nothing), isError('LOG_BEHIND'));
    await assert.rejects(inRegion(path, modules, nothing, { withoutPeers: true }), isError('LOG_BEHIND'));
  });

  it('F1: without the key of the registry it says what is missing', async () => {
    const name = readdirSync(join(path, 'keys')).find((file) => file.startsWith('registry-')) ?? '';
    rmSync(join(path, 'keys', name));
    await assert.rejects(inRegion(path, modules, nothing), isError('KEY_FILE_MISSING'));
  });
});

describe('openRegion with peers', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let dir: string;
  let de: string;
  let fr: string;
  beforeEach(async () => {
    clock = new Clock();
    dir = folder();
    [de, fr] = [await copyRegion(dir, 'DE'), await copyRegion(dir, 'FR')];
    await recognise(de, fr, clock.modules);
    await recognise(fr, de, clock.modules);
    await visit(fr, join(de, 'public'), clock.modules);
  });
  const issue = (count = 1) =>
    inRegion(de, clock.modules, (region) => region.node.issueAll(requests(count, clock.nowS)));
  const restore = (from: string) => {
    rmSync(de, { recursive: true });
    cpSync(from, de, { recursive: true });
  };

  it('T9 restored backup: refuses to sign once a peer has seen more, in either log, whatever the operator says', async () => {
    cpSync(de, join(dir, 'backup'), { recursive: true });
    await issue(3);
    await visit(fr, join(de, 'public'), clock.modules);
    restore(join(dir, 'backup'));
    await assert.rejects(issue(), isError('LOG_BEHIND'));
    await assert.rejects(
      inRegion(de, clock.modules, nothing, { withoutPeers: true }),
      isError('LOG_BEHIND'),
      'the peer answers and has more',
    );
    await inRegion(de, clock.modules, ({ state }) => Promise.resolve(assert.equal(state.size, 7)), {
      reading: true,
    });
  });

  it('T9 restored backup: the second place on another disk is enough without any peer', async () => {
    const disk = join(dir, 'other disk');
    cpSync(join(de, 'second-place'), disk, { recursive: true });
    await editConfig(join(de, 'entente.yaml'), [{ at: ['storage', 'secondPlace'], value: disk }]);
    cpSync(de, join(dir, 'backup'), { recursive: true });
    await inRegion(de, clock.modules, (region) =>
      region.append([{ kind: 'limits', version: 1, revocationsPerHour: 9 }], 'root'),
    );
    restore(join(dir, 'backup'));
    rmSync(fr, { recursive: true });
    for (const withoutPeers of [false, true]) {
      const opened = inRegion(de, clock.modules, nothing, { withoutPeers });
      await assert.rejects(opened, isError(withoutPeers ? 'LOG_BEHIND' : 'PEER_UNREACHABLE'));
    }
  });

  it('T9: signs nothing while no peer can be asked, until the operator decides', async () => {
    cpSync(fr, join(dir, 'away'), { recursive: true });
    rmSync(fr, { recursive: true });
    await assert.rejects(issue(), isError('PEER_UNREACHABLE'));
    const issued = await inRegion(
      de,
      clock.modules,
      (region) => region.node.issueAll(requests(1, clock.nowS)),
      { withoutPeers: true },
    );
    assert.equal(issued.length, 1);
    cpSync(join(dir, 'away'), fr, { recursive: true });
    await issue();
  });

  it('a peer whose files are damaged or that publishes another region does not keep it from signing', async () => {
    rmSync(join(fr, 'public/trust/tile'), { recursive: true });
    await issue();
    rmSync(join(fr, 'public/trust'), { recursive: true });
    cpSync(join(await copyRegion(folder(), 'CN-33'), 'public/trust'), join(fr, 'public/trust'), {
      recursive: true,
    });
    await issue();
  });

  it('T9, T16: a store that has gone back catches up from what the region itself has published', async () => {
    cpSync(join(de, 'store'), join(dir, 'store'), { recursive: true });
    const [first] = await issue(2);
    await inRegion(de, clock.modules, (region) => region.node.revoke({ log: '2026-11', indexes: [0] }));
    for (const lost of ['store', 'second-place']) rmSync(join(de, lost), { recursive: true });
    cpSync(join(dir, 'store'), join(de, 'store'), { recursive: true });
    const [next] = await issue(1);
    assert.deepEqual([first?.log, next?.log, next?.index], ['2026-11', '2026-11', 2]);
    assert.equal(sizeOf(join(de, 'public/attest/2026-11')), 3);
    await inRegion(de, clock.modules, ({ state }) =>
      Promise.resolve(assert.equal(state.revoked('2026-11')?.count, 1)),
    );
  });
});

describe('Region', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let path: string;
  beforeEach(async () => {
    clock = new Clock();
    path = await copyRegion(folder(), 'CN-33', { roots: 3, threshold: 2 });
  });
  const issue = (count: number) =>
    inRegion(path, clock.modules, (region) => region.node.issueAll(requests(count, clock.nowS)));
  const append = (statement: Parameters<Region['append']>[0][number], by: Parameters<Region['append']>[1]) =>
    inRegion(path, clock.modules, (region) => region.append([statement], by));
  const revoke = (...indexes: number[]) =>
    inRegion(path, clock.modules, (region) => region.node.revoke({ log: '2026-11', indexes }));
  const read = () => readPublicRegion(join(path, 'public'), {}, clock.modules);
  const attest = () => join(path, 'public/attest/2026-11');

  it('publishes the leaves of codes in one batch, in another order than they were asked for (T23)', async () => {
    const issued = await issue(300);
    const indexes = issued.map(({ index }) => index);
    assert.deepEqual(
      indexes.toSorted((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.ok(indexes.filter((index, i) => index === i).length < 30);
    const entries: Uint8Array[] = [];
    for await (const entry of new LogFiles(attest()).entries(0, 300)) entries.push(entry);
    for (const one of issued) {
      const { attestation } = parseCode(sha256, codeTextOf(sha256, one, ['status']));
      assert.deepEqual([attestation.index, attestation.bytes], [one.index, entries[one.index]]);
    }
    assert.equal(new Set(entries.map(({ length }) => length)).size, 1, 'leaves of one length');
  });

  it('goes to the log of the next month, and stops where no key is in force until the root extends them', async () => {
    clock.nowS = Date.UTC(2026, 10, 30, 23, 59, 59) / 1_000;
    await issue(1);
    clock.nowS++;
    assert.equal((await issue(1))[0]?.log, '2026-12');
    clock.nowS = START_S + 91 * DAY_S;
    const extend = () =>
      inRegion(
        path,
        clock.modules,
        async (region) => {
          const { statements, ...made } = await upkeep(region.state, region.keys, clock.nowS);
          if (statements.length > 0) await region.append(statements, 'root');
          return made;
        },
        { reading: true },
      );
    await assert.rejects(issue(1), isError('KEY_NOT_IN_FORCE'));
    assert.equal((await extend()).keys, 15 + 3 * 3);
    assert.deepEqual(await extend(), { keys: 0, logs: 0 });
    assert.equal((await issue(1))[0]?.log, '2027-02');
  });

  it('F1: what broke off while it was signed is finished later, with the places that were staged, and listed', async () => {
    await issue(10);
    let signatures = 0;
    const failing = {
      signerOf: (secretKey: Uint8Array) => {
        const signer = clock.modules.signerOf(secretKey);
        return {
          publicKey: signer.publicKey,
          sign: (message: Uint8Array) => {
            if (++signatures > 270) throw new Error('the process dies here');
            return signer.sign(message);
          },
        };
      },
    };
    const batch = requests(400, clock.nowS).map((request) => ({ ...request, toHandOver: true }));
    await assert.rejects(
      inRegion(path, clock.modules, (region) => region.node.issueAll(batch), { modules: failing }),
    );
    assert.equal(sizeOf(attest()), 10);
    await inRegion(path, clock.modules, async ({ node }) => {
      assert.deepEqual(await node.handovers.open(), [{ log: '2026-11', index: 10, count: 400 }]);
      await node.tend();
      const subjects = new Set<string>();
      for await (const held of node.heldCodes.ofLog('2026-11')) {
        parseCode(sha256, codeTextOf(sha256, held, ['status']));
        if (held.index >= 10) subjects.add(held.subject);
      }
      assert.equal(subjects.size, 400);
    });
    assert.equal(sizeOf(attest()), 410);
  });

  it('B71: names the key file that others may read or that is gone, and issues nothing', async () => {
    const { state } = await read();
    const key = state.keysWithRole('attest').find(({ fromS }) => fromS <= clock.nowS);
    const file = join(path, 'keys', `attest-${key?.keyId}.json`);
    const content = readFileSync(file);
    rmSync(file);
    await assert.rejects(issue(1), isError('KEY_FILE_MISSING'));
    writeFileSync(file, content, { mode: 0o644 });
    await assert.rejects(
      issue(1),
      (error) => isNodeError(error, 'KEY_FILE_MODE') && error.hint === `Run: chmod 600 ${file}`,
    );
    assert.ok(!readdirSync(join(path, 'public')).includes('attest'));
  });

  it('a statement without effect is refused before it is logged, and the next one goes in', async () => {
    const before = readFileSync(join(path, 'public/trust/checkpoint'), 'utf8').split('\n\n')[0];
    await inRegion(path, clock.modules, async (region) => {
      const suspension = { kind: 'suspension', region: 'DE', version: 1 } as const;
      await assert.rejects(region.append([suspension], 'trust-log'), isError('REFUSED'));
    });
    assert.equal(readFileSync(join(path, 'public/trust/checkpoint'), 'utf8').split('\n\n')[0], before);
    await revoke(1);
    const { state, fold } = await read();
    assert.equal(state.revoked('2026-11')?.count, 1);
    assert.deepEqual(fold.findings, []);
  });

  it('T15: refuses to sign behind its own last statement', async () => {
    await revoke(1);
    clock.nowS -= 60;
    await assert.rejects(revoke(2), isError('CLOCK_BEHIND'));
  });

  it('the limit of revocations binds the trust-log key; the root needs as many keys as its threshold', async () => {
    const roots = readdirSync(join(path, 'keys')).filter((name) => name.startsWith('root-'));
    rmSync(join(path, 'keys', roots[0] ?? ''));
    await append({ kind: 'limits', version: 1, revocationsPerHour: 2 }, 'root');
    await assert.rejects(revoke(1, 2, 3), isError('REVOCATIONS_EXCEEDED'));
    await revoke(1, 2);
    rmSync(join(path, 'keys', roots[1] ?? ''));
    await assert.rejects(
      append({ kind: 'limits', version: 2, revocationsPerHour: 3 }, 'root'),
      isError('KEY_FILE_MISSING'),
    );
  });

  it('a key of checkpoints that is given up is replaced in the same breath, and signs no more', async () => {
    await issue(1);
    const [old] = (await read()).state.keysWithRole('checkpoint').filter(({ fromS }) => fromS <= clock.nowS);
    assert.ok(old);
    const freshId = await inRegion(path, clock.modules, async (region) => {
      const { statements, replacement } = await givingUp(old, [], region.keys, clock.nowS);
      await region.append(statements, 'root');
      return replacement;
    });
    const { state, checkpoint } = await read();
    assert.equal(state.key(old.keyId)?.compromise?.cutOffs.size, 0);
    const fresh = state.key(freshId ?? '');
    assert.deepEqual([fresh?.role, fresh?.untilS], ['checkpoint', old.untilS]);
    assert.deepEqual(
      checkpoint.signers.map(({ publicKey }) => hexOf(publicKey)),
      [hexOf(fresh?.publicKey ?? new Uint8Array())],
    );
    clock.nowS = old.untilS;
    const later = await inRegion(path, clock.modules, ({ keys }) => givingUp(old, [], keys, clock.nowS));
    assert.equal(later.replacement, undefined);
  });

  it('publish renews the time at which the region was last heard from', async () => {
    const before = await read();
    clock.nowS += 3_600;
    await inRegion(path, clock.modules, nothing);
    const after = await read();
    assert.equal(after.checkpoint.text, before.checkpoint.text);
    assert.notDeepEqual(after.note.signatures, before.note.signatures);
  });
});
