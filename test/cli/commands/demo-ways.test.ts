import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { outcomeOf, spawnCli } from '../../support/cli.ts';
import { lineOf } from '../../support/federation.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('entente demo --ways', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();

  it('tells the three ways with nodes as processes, each verdict as it has to be, and leaves nothing running', async () => {
    const dir = join(folder(), 'demo');
    const { exit, out, err } = await outcomeOf(spawnCli(['demo', '--ways', '--dir', dir, '--json']));
    assert.equal(exit, 0, err);
    const { steps } = JSON.parse(out) as {
      readonly steps: readonly { readonly step: string; readonly verdict?: Verdict }[];
    };
    const said = steps.flatMap(({ step, verdict }) =>
      verdict === undefined ? [] : [`${step.slice(0, 5)} ${lineOf(verdict)}`],
    );
    const expected = [
      /^Way 1 pass /,
      /^Way 1 stop FOREIGN_KEY_UNKNOWN/,
      /^Way 1 pass /,
      /^Way 1 stop .*STATUS_RED/,
      /^Way 1 stop .*NUMBER_UNKNOWN/,
      /^Way 1 undetermined .*NUMBER_NOT_ENROLLED/,
      /^Way 2 undetermined .*WAY_UNSUPPORTED/,
      /^Way 2 pass .*BRIDGED/,
      /^Way 2 stop .*ORIGINAL_REVOKED/,
      /^Way 3 pass /,
      /^LU mo pass .*PROVEN_IN_LOG/,
      /^LU mo pass /,
    ];
    assert.equal(said.length, expected.length, said.join('\n'));
    expected.forEach((line, i) => assert.match(said[i] ?? '', line));
    for (const region of readdirSync(dir))
      assert.equal(existsSync(join(dir, region, 'admin.sock')), false, `a node of ${region} still runs`);
  });

  it('takes its directory away with --clean, also when it is stopped halfway', async () => {
    const dir = join(folder(), 'demo');
    const child = spawnCli(['demo', '--ways', '--clean', '--dir', dir]);
    const ended = outcomeOf(child);
    const told = new Promise<void>((resolve) => {
      let text = '';
      child.stdout?.on('data', (part: Buffer) => {
        text += part.toString();
        if (text.includes('They run their nodes')) resolve();
      });
    });
    await Promise.race([told, ended]);
    child.kill('SIGTERM');
    const { exit } = await ended;
    assert.equal(exit, 1);
    assert.equal(existsSync(dir), false);
  });
});
