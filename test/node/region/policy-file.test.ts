import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editConfig } from '../../../node/config/config-file.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { readPolicyFile } from '../../../node/region/policy-file.ts';
import {
  ADDRESSED_POLICY,
  OUTSIDE,
  OUTSIDE_POLICY,
  OUTSIDE_URL,
  OUTSIDE_VKEY,
} from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { copyRegion } from '../../support/region-templates.ts';
import { Clock, inRegion } from '../../support/regions.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const isInvalid = (message: RegExp) => (error: unknown) =>
  isNodeError(error, 'CONFIG_INVALID') && message.test(error.message);

describe('readPolicyFile', () => {
  const folder = temporaryFolders();
  const read = (text: string | Uint8Array) => {
    const path = join(folder(), 'witnesses.policy');
    writeFileSync(path, text);
    return readPolicyFile(path, 'test', { sha256 });
  };

  it('gives the regions and the witnesses outside that the file names', async () => {
    const policy = await read(OUTSIDE_POLICY);
    assert.deepEqual([policy.outside, policy.regions], [[OUTSIDE], []]);
    assert.ok(policy.asksFor(OUTSIDE.name) && !policy.asksFor('DE.test/witness'));
  });

  it('names the line that is wrong', async () => {
    await assert.rejects(
      read(`# ours\n${OUTSIDE_POLICY}group w any w\n`),
      isInvalid(/witnesses\.policy: line 4: /),
    );
    await assert.rejects(
      read(`witness w ${OUTSIDE_VKEY}\ngroup g any g\nquorum g\n`),
      isInvalid(/: line 2: /),
    );
    await assert.rejects(
      read(`witness w ${OUTSIDE_VKEY}\n`),
      isInvalid(/: line 2: .*expected a quorum line/),
    );
    await assert.rejects(
      read(OUTSIDE_POLICY.replaceAll('\n', '\r\n')),
      isInvalid(/: line 1: .*ends in CR LF/),
    );
  });

  it('refuses an address at which nobody can be asked, of a witness outside that it asks for', async () => {
    const { addressed } = await read(ADDRESSED_POLICY);
    assert.deepEqual(addressed, [{ key: OUTSIDE, url: OUTSIDE_URL }]);
    for (const url of ['w.example', 'file:///etc/passwd', 'https://a:b@w.example'])
      await assert.rejects(
        read(`witness w ${OUTSIDE_VKEY} ${url}\nquorum w\n`),
        isInvalid(/the address of w\.example\/witness is no http or https URL/),
      );
    assert.deepEqual((await read(`witness w ${OUTSIDE_VKEY} w.example\nquorum none\n`)).addressed, []);
  });

  it('A28: refuses a file that is absent, of 1 MiB, or a folder', async () => {
    const dir = folder();
    await assert.rejects(
      readPolicyFile(join(dir, 'none'), 'test', { sha256 }),
      isInvalid(/there is no policy/),
    );
    await assert.rejects(read(Buffer.alloc(2 ** 20, '#')), isInvalid(/1048576 bytes; at most 131072/));
    await assert.rejects(read(Buffer.of(0xff)), isInvalid(/policy/));
    mkdirSync(join(dir, 'folder'));
    await assert.rejects(
      readPolicyFile(join(dir, 'folder'), 'test', { sha256 }),
      isInvalid(/\/folder is a folder; expected/),
    );
  });
});

describe('openRegion with witness.policy', () => {
  const folder = temporaryFolders();
  const { modules } = new Clock();

  it('goes by the file, beside the config where its path is relative, and opens nothing by one that is none', async () => {
    const path = await copyRegion(folder(), 'DE');
    await editConfig(join(path, 'entente.yaml'), [{ at: ['witness', 'policy'], value: 'witnesses.policy' }]);
    writeFileSync(join(path, 'witnesses.policy'), OUTSIDE_POLICY);
    const knowledge = await inRegion(path, modules, (region) =>
      Promise.resolve(region.node.status.knowledge.map(({ witnesses }) => witnesses)),
    );
    assert.deepEqual(knowledge, [{ counted: 0, needed: 1, of: 1, by: 'policy' }]);
    writeFileSync(join(path, 'witnesses.policy'), 'quorum w\n');
    await assert.rejects(
      inRegion(path, modules, () => Promise.resolve()),
      isInvalid(/line 1: .*expected a name that is defined above/),
    );
  });
});
