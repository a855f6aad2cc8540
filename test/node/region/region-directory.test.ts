import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isNodeError, type NodeErrorCode } from '../../../node/node-error.ts';
import { LogFiles } from '../../../node/region/log-files.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { RegionDirectory } from '../../../node/region/region-directory.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { attestationMessage } from '../../../protocol/code/attestation.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import {
  Clock,
  copyRegion,
  DAY_S,
  inRegion,
  makeRegion,
  requests,
  START_S,
} from '../../support/directories.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const isError = (code: NodeErrorCode) => (error: unknown) => isNodeError(error, code);

function sizeOf(logPath: string): number {
  return parseCheckpoint(parseNote(readFileSync(join(logPath, 'checkpoint'))).text).size;
}

describe('RegionDirectory.create', () => {
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

  it('keeps secrets readable by their owner alone and out of the public directory', async () => {
    const path = await makeRegion(folder(), 'DE', modules);
    assert.equal(statSync(join(path, 'keys')).mode & 0o777, 0o700);
    const names = readdirSync(join(path, 'keys'));
    assert.equal(names.length, 1 + 15 + 3 * 3);
    const secrets = names.map((name) => {
      assert.equal(statSync(join(path, 'keys', name)).mode & 0o777, 0o600);
      return (JSON.parse(readFileSync(join(path, 'keys', name), 'utf8')) as { secretKey: string }).secretKey;
    });
    for (const name of readdirSync(join(path, 'public'), { recursive: true }) as string[]) {
      const file = join(path, 'public', name);
      if (!statSync(file).isFile()) continue;
      const content = readFileSync(file);
      for (const secret of secrets)
        assert.ok(!content.includes(Buffer.from(secret, 'hex')) && !content.includes(secret));
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

describe('RegionDirectory.open', () => {
  const folder = temporaryFolders();
  const { modules } = new Clock();
  let path: string;
  beforeEach(async () => {
    path = await copyRegion(folder(), 'DE');
  });

  it('B72: refuses a second writer, and one where there is no region', async () => {
    await inRegion(path, modules, async () => {
      await assert.rejects(RegionDirectory.open(path, modules), isError('DIRECTORY_LOCKED'));
    });
    await inRegion(path, modules, () => Promise.resolve());
    await assert.rejects(RegionDirectory.open(join(path, 'public'), modules), isError('DIRECTORY_MISSING'));
  });

  it("B72: refuses another region's logs under this config, and gives the lock back", async () => {
    const config = join(path, 'config.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"DE"', '"FR"'));
    await assert.rejects(RegionDirectory.open(path, modules), (error) =>
      isProtocolError(error, 'ORIGIN_INVALID'),
    );
    assert.deepEqual(
      readdirSync(path).filter((name) => name.startsWith('lock')),
      [],
    );
  });

  it('F4: refuses a trust log in which one bit of an entry, or of the checkpoint, is another', async () => {
    for (const name of ['tile/entries/000.p/6', 'checkpoint']) {
      const file = join(path, 'public/trust', name);
      const original = readFileSync(file);
      for (const at of [3, Math.floor(original.length / 2), original.length - 3]) {
        const altered = Buffer.from(original);
        altered[at] = (altered[at] ?? 0) ^ 1;
        writeFileSync(file, altered);
        await assert.rejects(RegionDirectory.open(path, modules), isProtocolError, `${name} at ${at}`);
      }
      writeFileSync(file, original);
    }
    await inRegion(path, modules, () => Promise.resolve());
  });
});

describe('RegionDirectory.issue', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let path: string;
  beforeEach(async () => {
    clock = new Clock();
    path = await copyRegion(folder(), 'CN-33');
  });
  const issue = (count: number) =>
    inRegion(path, clock.modules, (directory) => directory.issue(requests(count, clock.nowS)));

  it('gives codes in the order of the requests, whose leaves stand in the log in another order (T23)', async () => {
    const issued = await issue(300);
    assert.deepEqual(
      issued.map(({ subject }) => subject),
      requests(300, 0).map(({ subject }) => subject),
    );
    const indexes = issued.map(({ index }) => index);
    assert.deepEqual(
      indexes.toSorted((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.ok(
      indexes.filter((index, i) => index === i).length < 30,
      'indexes follow the order of the requests',
    );
    const { state } = await readPublicRegion(join(path, 'public'), {}, clock.modules);
    const files = new LogFiles(join(path, 'public/attest/2026-11'));
    const entries: Uint8Array[] = [];
    for await (const entry of files.entries(0, 300)) entries.push(entry);
    for (const { code, index, log } of issued) {
      const { attestation } = parseCode(sha256, code);
      assert.deepEqual([attestation.index, attestation.log, log], [index, '2026-11', '2026-11']);
      assert.deepEqual(attestation.bytes, entries[index]);
      const publicKey = state.key(attestation.keyId)?.publicKey ?? new Uint8Array();
      const message = attestationMessage(attestation, 'demo');
      assert.ok(clock.modules.verifySignature({ publicKey, message, signature: attestation.signature }));
    }
    assert.equal(new Set(entries.map(({ length }) => length)).size, 1, 'leaves of one length');
  });

  it('registers who holds what, privately, and makes a code again', async () => {
    const issued = [...(await issue(3)), ...(await issue(2))];
    assert.deepEqual(issued.map(({ index }) => index).toSorted(), [0, 1, 2, 3, 4]);
    await inRegion(path, clock.modules, async (directory) => {
      const codes: string[] = [];
      for await (const record of directory.records()) codes.push((await directory.codeOf(record)).code);
      assert.deepEqual(codes.toSorted(), issued.map(({ code }) => code).toSorted());
    });
    for (const name of readdirSync(join(path, 'registry/2026-11'))) {
      assert.equal(statSync(join(path, 'registry/2026-11', name)).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(join(path, 'staged')), []);
  });

  it('goes to the log of the next month, and stops where none is announced until keys are extended', async () => {
    clock.nowS = Date.UTC(2026, 10, 30, 23, 59, 59) / 1_000;
    await issue(1);
    clock.nowS++;
    assert.equal((await issue(1))[0]?.log, '2026-12');
    clock.nowS = START_S + 91 * DAY_S;
    await assert.rejects(issue(1), isError('KEY_NOT_IN_FORCE'));
    const made = await inRegion(path, clock.modules, (directory) => directory.extendKeys());
    assert.equal(made.keys, 15 + 3 * 3);
    assert.deepEqual(await inRegion(path, clock.modules, (directory) => directory.extendKeys()), {
      keys: 0,
      logs: 0,
    });
    assert.equal((await issue(1))[0]?.log, '2027-02');
  });

  it('F1: finishes a batch that broke off while it was signed, with the indexes that were staged', async () => {
    await issue(10);
    let signatures = 0;
    const failing = {
      ...clock.modules,
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
    await assert.rejects(
      inRegion(path, failing, (directory) => directory.issue(requests(400, clock.nowS))),
      /dies here/,
    );
    assert.equal(sizeOf(join(path, 'public/attest/2026-11')), 10, 'no checkpoint before the tiles');
    const staged = readFileSync(join(path, 'staged/2026-11.jsonl'), 'utf8');
    writeFileSync(join(path, 'staged/2026-11.jsonl.0123456789ab.tmp'), staged);
    await inRegion(path, clock.modules, ({ recovered }) => {
      assert.deepEqual(
        recovered.map(({ log, index, count }) => [log, index, count]),
        [['2026-11', 10, 400]],
      );
      return Promise.resolve();
    });
    assert.deepEqual(readdirSync(join(path, 'staged')), []);
    assert.equal(sizeOf(join(path, 'public/attest/2026-11')), 410);
    assert.equal(readFileSync(join(path, 'registry/2026-11/0000000000010.jsonl'), 'utf8'), staged);
    await inRegion(path, clock.modules, async (directory) => {
      assert.deepEqual(directory.recovered, []);
      let records = 0;
      for await (const record of directory.records()) {
        parseCode(sha256, (await directory.codeOf(record)).code);
        records++;
      }
      assert.equal(records, 410);
    });
  });

  it('F1: only registers a batch whose checkpoint was written before the process died', async () => {
    await issue(5);
    const checkpoint = readFileSync(join(path, 'public/attest/2026-11/checkpoint'));
    renameSync(join(path, 'registry/2026-11/0000000000000.jsonl'), join(path, 'staged/2026-11.jsonl'));
    await inRegion(path, clock.modules, () => Promise.resolve());
    assert.deepEqual(readFileSync(join(path, 'public/attest/2026-11/checkpoint')), checkpoint);
    assert.deepEqual(readdirSync(join(path, 'registry/2026-11')), ['0000000000000.jsonl']);
  });

  it('F6: signs nothing when a staged batch belongs to another size of the log, or is cut', async () => {
    await issue(5);
    const batch = readFileSync(join(path, 'registry/2026-11/0000000000000.jsonl'), 'utf8');
    for (const staged of [
      batch.replace('"index":0', '"index":7'),
      batch.slice(0, -20),
      batch.replace('"count":5', '"count":6'),
      '',
    ]) {
      writeFileSync(join(path, 'staged/2026-11.jsonl'), staged);
      await assert.rejects(
        RegionDirectory.open(path, clock.modules),
        (error) => isNodeError(error, 'DATA_INCONSISTENT') && error.fatal,
      );
    }
  });

  it('B71: names the key file that others may read, and issues nothing', async () => {
    const { state } = await readPublicRegion(join(path, 'public'), {}, clock.modules);
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
    assert.ok(!existsSync(join(path, 'public/attest')));
    assert.ok(!existsSync(join(path, 'staged')));
  });
});

describe('RegionDirectory statements', () => {
  const folder = temporaryFolders();
  let clock: Clock;
  let path: string;
  beforeEach(async () => {
    clock = new Clock();
    path = await copyRegion(folder(), 'CN-33', { roots: 3, threshold: 2 });
  });
  const read = () => readPublicRegion(join(path, 'public'), {}, clock.modules);

  it('revoke adds indexes for ever, by the trust-log key or by the root', async () => {
    await inRegion(path, clock.modules, async (directory) => {
      await directory.revoke('2026-11', [7, 3, 7], 'trust-log');
      await directory.revoke('2026-11', [70_000], 'root');
    });
    assert.deepEqual([...((await read()).state.revoked('2026-11') ?? [])], [3, 7, 70_000]);
  });

  it('a statement without effect is refused before it is written, and the next one goes in', async () => {
    const before = readFileSync(join(path, 'public/trust/checkpoint'));
    await inRegion(path, clock.modules, async (directory) => {
      const withdrawal = { kind: 'suspension', region: 'DE', version: 1 } as const;
      await assert.rejects(directory.append(withdrawal, 'trust-log'), isError('REFUSED'));
      assert.deepEqual(readFileSync(join(path, 'public/trust/checkpoint')), before);
      await directory.revoke('2026-11', [1], 'trust-log');
    });
    const { state, fold } = await read();
    assert.equal(state.revoked('2026-11')?.count, 1);
    assert.deepEqual(fold.findings, []);
  });

  it('T15: refuses to sign behind its own last statement', async () => {
    await inRegion(path, clock.modules, async (directory) => {
      await directory.revoke('2026-11', [1], 'trust-log');
      clock.nowS -= 60;
      await assert.rejects(directory.revoke('2026-11', [2], 'trust-log'), isError('REFUSED'));
    });
  });

  it('needs as many root keys as the threshold says, whichever they are', async () => {
    const roots = readdirSync(join(path, 'keys')).filter((name) => name.startsWith('root-'));
    rmSync(join(path, 'keys', roots[0] ?? ''));
    await inRegion(path, clock.modules, (directory) =>
      directory.append({ kind: 'limits', version: 1, revocationsPerHour: 2 }, 'root'),
    );
    await inRegion(path, clock.modules, async (directory) => {
      await assert.rejects(directory.revoke('2026-11', [1, 2, 3], 'trust-log'), isError('REFUSED'));
      await directory.revoke('2026-11', [1, 2], 'trust-log');
      rmSync(join(path, 'keys', roots[1] ?? ''));
      await assert.rejects(directory.revoke('2026-11', [3], 'root'), isError('KEY_FILE_MISSING'));
    });
  });

  it('appendState commits to the state, and the log goes on from there', async () => {
    await inRegion(path, clock.modules, async (directory) => {
      await directory.revoke('2026-11', [5], 'trust-log');
      assert.equal(await directory.appendState(), 7);
      await directory.revoke('2026-11', [6], 'trust-log');
    });
    const { fold } = await read();
    assert.equal(fold.newestBase()?.index, 7);
    assert.deepEqual(fold.findings, []);
  });

  it('compromise gives up a key and puts another in its place in the same breath', async () => {
    const [old] = (await read()).state.keysWithRole('checkpoint').filter(({ fromS }) => fromS <= clock.nowS);
    assert.ok(old);
    const freshId = await inRegion(path, clock.modules, (directory) => directory.compromise(old, []));
    const { state, checkpoint } = await read();
    assert.equal(state.key(old.keyId)?.compromise?.cutOffs.size, 0);
    const fresh = state.key(freshId ?? '');
    assert.deepEqual([fresh?.role, fresh?.untilS], ['checkpoint', old.untilS]);
    assert.deepEqual(
      checkpoint.signers.map(({ publicKey }) => hexOf(publicKey)),
      [hexOf(fresh?.publicKey ?? new Uint8Array())],
    );
    clock.nowS = old.untilS;
    assert.equal(
      await inRegion(path, clock.modules, (directory) => directory.compromise(old, [])),
      undefined,
    );
  });

  it('renewCheckpoint signs the same tree with a newer time', async () => {
    const before = await read();
    clock.nowS += 3_600;
    await inRegion(path, clock.modules, (directory) => directory.renewCheckpoint());
    const after = await read();
    assert.equal(after.checkpoint.text, before.checkpoint.text);
    assert.notDeepEqual(after.note.signatures, before.note.signatures);
  });
});
