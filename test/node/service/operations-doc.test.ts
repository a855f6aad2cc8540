/** What docs/operations.md lists, held against the code: settings, figures, the ladder of load, commands. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS, variableOf } from '../../../node/config/settings.ts';
import { type NodeStatus } from '../../../node/core/node-status.ts';
import { Admission, SHED_AT } from '../../../node/http/admission.ts';
import { Metrics } from '../../../node/http/metrics.ts';
import { type NetworkStatus } from '../../../node/network/isolation/isolated-network.ts';
import { NODE_ERROR_CODES } from '../../../node/node-error.ts';
import { FAULT_CODES } from '../../../protocol/fault.ts';
import { projectRoot } from '../../support/project.ts';

const text = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8');

/** From a heading to the next of its depth. */
function chapter(title: string): string {
  return text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

describe('docs/operations.md', () => {
  it('lists every setting with its default and what it means', () => {
    const rows = SETTINGS.map(({ at, fallback, description }) => {
      const shown = fallback === undefined ? '' : ` \`${JSON.stringify(fallback)}\``;
      return `| \`${at.join('.')}\` |${shown} | ${description} |`;
    });
    const table = chapter('Configuration').split('|---|---|---|\n')[1]?.trim().split('\n');
    assert.deepEqual(table, rows);
    assert.ok(SETTINGS.some((setting) => text.includes(`\`${variableOf(setting)}\``)));
  });

  it('lists every figure that is not one of the process', () => {
    const metrics = new Metrics({
      status: () => ({}) as NodeStatus,
      admission: new Admission({ inFlightMax: 1, delayMsMax: 1 }),
      entrance: { unread: 0, overShare: 0 },
      refused: () => 0,
      givenUp: () => 0,
      home: () => undefined,
      network: () => ({}) as NetworkStatus,
    });
    const names = metrics.registry.getMetricsAsArray().map(({ name }) => name);
    const listed = [...chapter('Monitoring').matchAll(/`(entente_[a-z_]+)(?:\{[a-z,]+\})?`/g)];
    assert.deepEqual(
      [...new Set(listed.map(([, name]) => name))].filter((name) => !name?.endsWith('_')).toSorted(),
      names.filter((name) => !/^entente_(process|nodejs)_/.test(name)).toSorted(),
    );
  });

  it('gives the shares from which work is turned away', () => {
    const ladder = [...text.matchAll(/^\| ([\d.]+|never) \| (.*) \|$/gm)].map(([, share]) => share);
    const shares = new Set(
      Object.values(SHED_AT).map((share) => (share === Infinity ? 'never' : `${share}`)),
    );
    assert.deepEqual(ladder, [...shares]);
  });

  it('names only commands and codes that there are', () => {
    const commands = readdirSync(join(projectRoot, 'cli/commands')).map((file) => file.replace('.ts', ''));
    for (const [, command = ''] of text.matchAll(/(?:^|`)entente ([a-z]+)/gm))
      assert.ok(commands.includes(command), command);
    const codes = new Set<string>([
      ...NODE_ERROR_CODES,
      ...FAULT_CODES,
      'OVERLOADED',
      'ISSUER_SILENT',
      'FORKED',
    ]);
    for (const [, code = ''] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g))
      assert.ok(
        codes.has(code) || /^(SIGTERM|SIGHUP|URL|REGION_DIR|ENTENTE_.*)$/.test(code) || code === 'DE',
        code,
      );
  });
});
