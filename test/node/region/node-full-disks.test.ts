import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isNodeError } from '../../../node/node-error.ts';
import { foundRegion } from '../../../node/region/found.ts';
import { type Region } from '../../../node/region/region.ts';
import { systemClock } from '../../../node/system-clock.ts';
import { assertCodesHeld, assertHeld, assertPlacedOnce, assertSound } from '../../support/issued-check.ts';
import {
  type Acknowledged,
  acknowledgedIn,
  greenFor,
  hashOf,
  ISSUING_CHILD,
  openAlone,
  realModules,
} from '../../support/issuing-child.ts';
import { seeded } from '../../support/seeded.ts';
import { smallDisk } from '../../support/small-disk.ts';

/** 2 in the suite, since each waits seconds for the store to look for space; TEST_FULL_DISKS=50 by hand. */
const TRIALS = Number(process.env['TEST_FULL_DISKS'] ?? 2);
const DISK_BYTES = 64 << 20;
/** Left to the node before its disk is full. */
const FREE_BYTES_MAX = 4 << 20;
const CODES_BEFORE_MAX = 200;
/** Codes that a node has to issue once there is space again. */
const CODES_AFTER = 50;
/** Of the store, and of the second place. */
const FULL = ['STORE_FULL', 'DISK_FULL'];
const DEADLINE_MS = 60_000;

/** A node that issues in a process of its own, and what it has said so far. */
class IssuingProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #printed = '';

  constructor(path: string, prefix: string) {
    this.#child = fork(ISSUING_CHILD, [path, prefix], {
      execArgv: process.execArgv,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.setEncoding('latin1').on('data', (text: string) => (this.#printed += text));
  }

  get acknowledged(): Acknowledged[] {
    return acknowledgedIn(this.#printed);
  }

  /** Codes of refusals. */
  get refusals(): Set<string> {
    return new Set([...this.#printed.matchAll(/^refused (\w+)$/gm)].map(([, code = '']) => code));
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!condition()) {
      assert.equal(this.#child.exitCode, null, `the node ended before ${what}: ${this.#printed.slice(-500)}`);
      assert.ok(
        Date.now() < deadline,
        `${what}: not so after ${DEADLINE_MS} ms, ${[...this.refusals].join()}`,
      );
      await systemClock.wait(5);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

describe('RegionNode on LevelDB F3: full disk', () => {
  const disk = smallDisk(DISK_BYTES);

  /** Opens while there is no space: starts and has all it acknowledged, or says what to do. */
  async function assertReadsOrSaysWhy(path: string, acknowledged: Acknowledged[]): Promise<boolean> {
    let region: Region;
    try {
      region = await openAlone(path);
    } catch (error) {
      assert.ok(isNodeError(error) && error.hint !== undefined, String(error));
      return false;
    }
    try {
      await region.node.whenWriting().catch(() => undefined);
      await assertCodesHeld(region.node, acknowledged);
      const { log, index, attestation } = await region.node.issue(greenFor('late'));
      acknowledged.push({ subject: 'late', log, index, hash: hashOf(attestation) });
    } catch (error) {
      if (!isNodeError(error)) throw error;
      assert.ok(error.retry && error.hint !== undefined, String(error));
    } finally {
      await region.close();
    }
    return true;
  }

  it(`${TRIALS} nodes whose disk fills up while they issue: nothing acknowledged is lost, and they go on once there is space`, async function () {
    this.timeout(60_000 + TRIALS * 60_000);
    const random = seeded(3);
    const count = { acknowledged: 0, read: 0, closed: 0 };
    for (let trial = 0; trial < TRIALS; trial++) {
      const path = join(disk().path, `trial${trial}`);
      const names = { region: 'DE', network: 'test', name: 'DE', roots: 1, threshold: 1 };
      await foundRegion(path, names, await realModules());
      const process = new IssuingProcess(path, `t${trial}`);
      let acknowledged: Acknowledged[];
      try {
        const before = random() * CODES_BEFORE_MAX;
        await process.until('it issues', () => process.acknowledged.length > before);
        disk().fillUpTo(random() * FREE_BYTES_MAX);
        await process.until('the disk is full', () => FULL.some((code) => process.refusals.has(code)));
        // Every other one is killed where it stands.
        if (trial % 2 === 0) {
          const full = process.acknowledged.length;
          disk().makeSpace();
          await process.until('it goes on', () => process.acknowledged.length > full + CODES_AFTER);
        }
      } finally {
        await process.kill();
        acknowledged = process.acknowledged;
      }
      if (trial % 2 === 1) {
        count[(await assertReadsOrSaysWhy(path, acknowledged)) ? 'read' : 'closed']++;
        disk().makeSpace();
      }
      await assertHeld(path, acknowledged);
      await assertSound(path, true);
      assertPlacedOnce(acknowledged);
      count.acknowledged += acknowledged.length;
      rmSync(path, { recursive: true });
    }
    if (TRIALS > 2) console.log(`      ${JSON.stringify(count)}, 0 lost`);
  });
});
