import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { merkleSuite } from '../../../node/conformance/merkle.ts';
import { type SuiteResult } from '../../../node/conformance/suite.ts';
import { externalVectors } from '../../support/project.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const tree = ReferenceTree.ofSize(9);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

const inclusion = {
  leafIdx: 5,
  treeSize: 9,
  root: base64(tree.root()),
  leafHash: base64(tree.leaf(5)),
  proof: tree.path(5).map(base64),
  wantErr: false,
};
const consistency = {
  size1: 5,
  size2: 9,
  root1: base64(tree.root(5)),
  root2: base64(tree.root()),
  proof: tree.proof(5).map(base64),
  wantErr: false,
};

async function runOver(files: Readonly<Record<string, string>>): Promise<SuiteResult> {
  const dir = await mkdtemp(join(tmpdir(), 'entente-conformance-'));
  try {
    await mkdir(join(dir, 'merkle', 'deep', 'folder'), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, 'merkle', name), text);
    return await merkleSuite.run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('merkleSuite', () => {
  it('reads both kinds, single or in lists, at any depth and under any name', async () => {
    const { passed, failed, reasons } = await runOver({
      'a.json': JSON.stringify(inclusion),
      'deep/b.json': JSON.stringify({ ...consistency, desc: 'good' }),
      'deep/folder/c.json': JSON.stringify([
        { ...inclusion, leafIdx: 6, wantErr: true },
        { ...consistency, proof: null, wantErr: true },
        { ...consistency, size1: 9, root1: base64(tree.root()), proof: null },
      ]),
      'README.md': 'not a vector',
    });
    assert.deepEqual(reasons, []);
    assert.deepEqual([passed, failed], [5, 0]);
  });

  for (const [name, json] of [
    ['an inclusion proof that the source calls bad and that is good', { ...inclusion, wantErr: true }],
    ['a consistency proof that the source calls bad and that is good', { ...consistency, wantErr: true }],
    ['an inclusion proof that the source calls good and that is bad', { ...inclusion, leafIdx: 4 }],
    ['a consistency proof that the source calls good and that is bad', { ...consistency, size1: 4 }],
    ['a layout that is not known', { treeSize: 9, wantErr: true }],
    ['hashes that are not base64', { ...inclusion, leafHash: '?', wantErr: true }],
    ['sizes that are not numbers', { ...inclusion, treeSize: '9', wantErr: true }],
  ] as const) {
    it(`fails ${name}`, async () => {
      const { passed, failed, reasons } = await runOver({ 'x.json': JSON.stringify(json) });
      assert.deepEqual([passed, failed, reasons.length], [0, 1, 1]);
    });
  }

  it('fails a file that is not JSON', async () => {
    assert.equal((await runOver({ 'x.json': '{' })).failed, 1);
  });

  it('passes bad proofs and skips good ones beyond 2^53-1, up to 2^64-1', async () => {
    const beyond = ['9007199254740992', '9007199254740993', '18446744073709551615'];
    const texts = beyond.flatMap((size) =>
      ['true', 'false'].map((bad) =>
        JSON.stringify({ ...consistency, wantErr: bad === 'true' }).replace('"size2":9', `"size2":${size}`),
      ),
    );
    const { passed, failed, skipped } = await runOver({ 'x.json': `[${texts.join()}]` });
    assert.deepEqual([passed, failed, skipped], [3, 0, 3]);
  });

  it('skips where the folder is absent', async () => {
    const { passed, failed, skipped } = await merkleSuite.run(join(tmpdir(), 'entente-no-such-folder'));
    assert.deepEqual([passed, failed, skipped], [0, 0, 1]);
  });

  it('A23: agrees with the vectors of others', async function () {
    const dir = externalVectors();
    if (dir === undefined) this.skip();
    const { passed, failed, reasons } = await merkleSuite.run(dir);
    assert.equal(failed, 0, reasons.join('\n'));
    assert.ok(passed > 0, reasons.join('\n'));
  });
});
