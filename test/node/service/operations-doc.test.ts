/** What docs/operations.md lists, held against the code: settings, figures, the ladder of load, commands. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSettings, variableOf } from '../../../node/config/settings.ts';
import { DISCLOSURE_FINDINGS } from '../../../node/audit/disclosure-audit.ts';
import { FAMILIES } from '../../../cli/doctor/examine.ts';
import { type NodeStatus, type WritingState } from '../../../node/core/node-status.ts';
import { Admission, SHED_AT } from '../../../node/http/admission.ts';
import { Metrics } from '../../../node/http/metrics.ts';
import { type NetworkStatus } from '../../../node/network/isolation/isolated-network.ts';
import { healthOf } from '../../../node/http/health.ts';
import { DIAL_TROUBLES } from '../../../node/network/host/dial-trouble.ts';
import { NODE_ERROR_CODES, type NodeErrorCode } from '../../../node/node-error.ts';
import { type StoreState } from '../../../node/store/condition.ts';
import { FAULT_CODES } from '../../../protocol/fault.ts';
import { REASONS } from '../../../protocol/verdict/reasons.ts';
import { TestCli } from '../../support/cli.ts';
import { projectRoot } from '../../support/project.ts';

const text = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8');

/** From a heading to the next of its depth. */
function chapter(title: string): string {
  return text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** What keeps a node from signing, as its status says it; the type knows all of them. */
const NOT_WRITING: Readonly<
  Record<Exclude<WritingState, 'writing' | 'checking' | 'clear' | 'stopped'>, true>
> = { alone: true, astray: true, behind: true, contradicted: true, failed: true, standby: true };

const NOT_SERVING: Readonly<Record<Exclude<StoreState, 'serving' | 'closed'>, true>> = {
  down: true,
  full: true,
  'read-only': true,
  recovering: true,
};

/** What only the command hears that gave the order, with what to do: about its own words, or once a node is stopped. */
const OF_COMMANDS: ReadonlySet<string> = new Set<NodeErrorCode>([
  'DIRECTORY_EXISTS',
  'PASSPHRASE_WEAK',
  'PASSPHRASE_WRONG',
  'DRAFT_INVALID',
  'DRAFT_INCOMPLETE',
  'KEEP_BUSY',
  'NOT_FOUND',
  'REFUSED',
  'ORDER_DIFFERS',
  'FORGOTTEN',
  'STORE_CLOSED',
  'LOG_STOPPED',
]);

describe('docs/operations.md', () => {
  const emergency = chapter('In an emergency');

  it('has a row for whatever keeps a node from signing or its store from serving', () => {
    for (const state of Object.keys(NOT_WRITING))
      assert.ok(emergency.includes(`\`does not sign: ${state}\``), state);
    for (const state of Object.keys(NOT_SERVING))
      assert.ok(emergency.includes(`\`the store is ${state}\``), state);
  });

  it('has a row for each code that a node, its status or its doctor can show', () => {
    const rows = emergency.split('\n').filter((line) => line.startsWith('| '));
    const seen = rows.map((row) => row.split(' | ')[0] ?? '').join('\n');
    for (const code of [...NODE_ERROR_CODES, 'OVERLOADED', 'FORKED'])
      assert.equal(seen.includes(`\`${code}\``), !OF_COMMANDS.has(code), code);
  });

  it('has a row for each reason of /readyz and each trouble with a peer', () => {
    const own = { region: 'DE', size: 1, witnesses: { have: 0, needed: 1 } };
    const options = { home: 'DE', knowledgeAgeSMax: 600 };
    const reasonsAt = (knowledge: readonly object[]) =>
      healthOf({ store: 'serving', writing: 'writing', knowledge } as unknown as NodeStatus, options).reasons;
    const reasons = [...reasonsAt([]), ...reasonsAt([own]), ...reasonsAt([{ ...own, ageS: 700 }])];
    assert.equal(reasons.length, 3);
    for (const reason of [...reasons, ...Object.values(DIAL_TROUBLES)])
      assert.ok(emergency.includes(`\`${reason.replace('700 s', '...')}\``), reason);
  });

  it('says of each family of the doctor what it must be heeded for', () => {
    const rows = [...chapter('The doctor').matchAll(/^\| `([a-z]+)` \| /gm)].map(([, family]) => family);
    assert.deepEqual(rows, [...FAMILIES]);
  });

  it('lists every setting with its default and what it means', () => {
    const rows = allSettings().map(({ at, fallback, description }) => {
      const shown = fallback === undefined ? '' : ` \`${JSON.stringify(fallback)}\``;
      return `| \`${at.join('.')}\` |${shown} | ${description} |`;
    });
    const table = chapter('Configuration').split('|---|---|---|\n')[1]?.trim().split('\n');
    assert.deepEqual(table, rows);
    assert.ok(allSettings().some((setting) => text.includes(`\`${variableOf(setting)}\``)));
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
      updates: () => Promise.resolve({ lastAtS: 0, hasDeclared: false }),
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

  it('names only commands and codes that there are', async () => {
    const { out } = await new TestCli(projectRoot).run('--help');
    const commands = [...out.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name);
    for (const [, command = ''] of text.matchAll(/(?:^|`)entente ([a-z]+)/gm))
      assert.ok(commands.includes(command), command);
    const codes = new Set<string>([
      ...NODE_ERROR_CODES,
      ...FAULT_CODES,
      ...Object.keys(REASONS),
      ...DISCLOSURE_FINDINGS,
      'OVERLOADED',
    ]);
    for (const [, code = ''] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g))
      assert.ok(
        codes.has(code) || /^(SIGTERM|SIGHUP|URL|REGION_DIR|ENTENTE_.*)$/.test(code) || code === 'DE',
        code,
      );
  });
});
