import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../../../node/node-error.ts';
import { type Signer } from '../../../node/ports.ts';
import { readPublicRegion } from '../../../node/region/public-region.ts';
import { Publisher } from '../../../node/region/publisher.ts';
import { type Region } from '../../../node/region/region.ts';
import { givingUp } from '../../../node/region/statements.ts';
import { encodeCheckpoint, parseCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote, signNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { sha256 } from '../../support/primitives.ts';
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

const isBehind = (error: unknown) => isNodeError(error, 'LOG_BEHIND');

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
      await assert.rejects(new Publisher(publicPath, clock.modules).log(tree, note, region.state), isBehind);
    });
  });

  describe('where more is published than the store holds', () => {
    const ATTEST = 'attest/2026-11';
    /** By which checkpoints were signed, and are by now. */
    type Keys = Readonly<Record<'old' | 'fresh' | 'strange', Signer>>;

    /** Publishes a larger tree of a log, signed so, with tiles of it. */
    function publishLarger(log: string, signers: readonly Signer[]): void {
      const { text } = parseNote(readFileSync(join(publicPath, log, 'checkpoint')));
      const { origin, size } = parseCheckpoint(text);
      const larger = encodeCheckpoint({ origin, size: size + 300, root: new Uint8Array(32).fill(7) });
      const signatures = signers.map((signer) => {
        const { publicKey } = signer;
        const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
        return signNote(key, larger, (bytes) => signer.sign(bytes));
      });
      writeFileSync(join(publicPath, log, 'checkpoint'), encodeNote({ text: larger, signatures }));
      for (const kind of ['0', 'entries']) {
        writeFileSync(join(publicPath, log, 'tile', kind, '000'), 'of another tree');
        mkdirSync(join(publicPath, log, 'tile', kind, '001.p'));
        writeFileSync(join(publicPath, log, 'tile', kind, '001.p', '44'), 'of another tree');
      }
    }

    /** Its root gives up the key by which it signs checkpoints; then something is done, and all is published. */
    function afterGivingUp(work: (keys: Keys, region: Region) => unknown): Promise<void> {
      return inRegion(path, clock.modules, async (region) => {
        const old = region.keys.checkpoint(clock.nowS);
        const key = region.state.key(old.keyId);
        assert.ok(key);
        const { statements } = await givingUp(key, [], region.keys, clock.nowS);
        await region.append(statements, 'root');
        const strange = clock.modules.signerOf(new Uint8Array(32).fill(9));
        await work({ old, fresh: region.keys.checkpoint(clock.nowS), strange }, region);
      });
    }

    it('T9: replaces what keys alone have signed that the root gave up, so that nothing of it is left', async () => {
      await issue(3);
      await afterGivingUp(({ old }) => {
        for (const log of ['trust', ATTEST]) publishLarger(log, [old]);
      });
      const whole = join(folder(), 'export');
      await exportTo(whole);
      assert.deepEqual(contentOf(publicPath), contentOf(whole));
      await issue(1);
    });

    const refused: Readonly<Record<string, readonly (keyof Keys)[]>> = {
      'a key that goes on': ['fresh'],
      'such a key and one that was given up': ['old', 'fresh'],
      'nobody who is known': ['strange'],
    };
    for (const [who, signers] of Object.entries(refused)) {
      it(`T9: refuses where ${who} signed it, and leaves all as it lies there but the trust log, which is published first`, async () => {
        await issue(3);
        let lies = new Map<string, string>();
        let checkpoint = Buffer.alloc(0);
        await assert.rejects(
          afterGivingUp((keys) => {
            publishLarger(
              ATTEST,
              signers.map((name) => keys[name]),
            );
            lies = contentOf(join(publicPath, ATTEST));
            checkpoint = readFileSync(join(publicPath, ATTEST, 'checkpoint'));
          }),
          isBehind,
        );
        assert.deepEqual(contentOf(join(publicPath, ATTEST)), lies);
        assert.deepEqual(readFileSync(join(publicPath, ATTEST, 'checkpoint')), checkpoint);
        const { state } = await readPublicRegion(publicPath, {}, clock.modules);
        assert.ok(state.keysWithRole('checkpoint').some(({ compromise }) => compromise !== undefined));
        await assert.rejects(
          afterGivingUp((keys) =>
            publishLarger(
              'trust',
              signers.map((name) => keys[name]),
            ),
          ),
          isBehind,
        );
      });
    }

    it('T9: refuses where the root has signed more of the log, by a cut-off, than the store holds', async () => {
      await issue(3);
      await afterGivingUp(async ({ old }, region) => {
        const { state } = region;
        const tree = region.node.log(region.originOf('2026-11'));
        const note = tree?.head.signed?.note;
        assert.ok(note);
        const before = contentOf(join(publicPath, ATTEST));
        const good = readFileSync(join(publicPath, ATTEST, 'checkpoint'));
        publishLarger(ATTEST, [old]);
        const stateAt = (size: number) => {
          const cutOff = { log: '2026-11', size, root: new Uint8Array(32) };
          const compromise = { version: 1, cutOffs: new Map([[cutOff.log, cutOff]]) };
          const keys = state.keysWithRole('checkpoint').map((key) => ({ ...key, compromise }));
          return {
            keysWithRole: () => keys,
            key: (id: string) => keys.find(({ keyId }) => keyId === id),
          } as Partial<TrustState> as TrustState;
        };
        const publisher = new Publisher(publicPath, clock.modules);
        await assert.rejects(publisher.log(tree, note, stateAt(4)), isBehind);
        assert.notDeepEqual(contentOf(join(publicPath, ATTEST)), before);
        await publisher.log(tree, note, stateAt(3));
        assert.deepEqual(contentOf(join(publicPath, ATTEST)), before);
        writeFileSync(join(publicPath, ATTEST, 'checkpoint'), good);
      });
    });
  });
});
