import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cli } from '../../../cli/cli.ts';
import { type Desk } from '../../../cli/desk/desk.ts';
import { withDesk } from '../../../cli/desk/with-desk.ts';
import { CliError } from '../../../cli/exit.ts';
import { IssuingRun, type OtherCode } from '../../../cli/people/issuing-run.ts';
import { type Person } from '../../../cli/people/person.ts';
import { regionModules } from '../../../cli/region.ts';
import { processSurroundings } from '../../../cli/surroundings.ts';
import { logIdAt } from '../../../node/issuing/issuer.ts';
import { foundRegion } from '../../../node/region/found.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PEOPLE: readonly Person[] = Array.from({ length: 10 }, (_, i) => ({
  subject: `P-${i}`,
  colour: 'green',
}));
const BATCH = 3;
const SUBJECT = { region: 'DE', network: 'demo', input: 'ab'.repeat(32), rows: PEOPLE.length };
const NO_PROGRESS = { sha256, onHashed: () => undefined, onSigned: () => undefined };

/** Where a command dies: what it has asked the region for by then is done, or is not. */
type Death = 'before issue' | 'after issue' | 'before closeHandovers' | 'after closeHandovers';
const DEATHS: readonly Death[] = [
  'before issue',
  'after issue',
  'before closeHandovers',
  'after closeHandovers',
];

class Died extends Error {}

describe('IssuingRun', function () {
  this.timeout(120_000);
  const folder = temporaryFolders();
  const surroundings = { ...processSurroundings(), writeOut: () => undefined, writeErr: () => undefined };
  const cli = new Cli({ json: true }, surroundings);
  let region: string;
  beforeEach(async () => {
    region = join(folder(), 'DE');
    const options = { region: 'DE', network: 'demo', name: 'DE', roots: 1, threshold: 1 };
    await foundRegion(region, options, await regionModules(cli));
  });
  const onDesk = <T>(use: (desk: Desk) => Promise<T>) => withDesk(cli, region, use, { silent: true });

  /** One command: goes on with the run until it is over, or until it dies at the n-th call. */
  async function command(
    out: string,
    dies?: { readonly at: Death; readonly call: number },
  ): Promise<readonly OtherCode[]> {
    return onDesk(async (desk) => {
      let calls = 0;
      const [when, what] = dies?.at.split(' ') ?? [];
      const mortal = new Proxy(desk, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          if (name !== what) return value.bind(target) as unknown;
          return async (...args: unknown[]): Promise<unknown> => {
            const isDue = ++calls === dies?.call;
            if (isDue && when === 'before') throw new Died();
            const result: unknown = await Reflect.apply(value, target, args);
            if (isDue) throw new Died();
            return result;
          };
        },
      });
      const run = await IssuingRun.open(out, 'csv', SUBJECT, BATCH);
      for (let at = run.done; at < PEOPLE.length; at += BATCH)
        await run.issue(PEOPLE.slice(at, at + BATCH), mortal, NO_PROGRESS);
      await run.finish(mortal);
      return run.others;
    });
  }

  function rowsOf(out: string): readonly (readonly string[])[] {
    return readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
  }

  /** Everybody has one code, in the order of the file, and that is the one which the registry gives them. */
  async function expectOnce(out: string): Promise<void> {
    const rows = rowsOf(out);
    assert.deepEqual(
      rows.map(([subject]) => subject),
      PEOPLE.map(({ subject }) => subject),
    );
    assert.ok(!existsSync(`${out}.part`) && !existsSync(`${out}.run`));
    const held = await onDesk(async (desk) => {
      const codes = new Map<string, string>();
      for await (const one of desk.held({}))
        if ('code' in one) codes.set(`${one.subject} ${one.index}`, one.code);
      assert.equal(await desk.size(logIdAt(surroundings.nowS())), PEOPLE.length);
      assert.deepEqual(await desk.openHandovers(), []);
      return codes;
    });
    assert.equal(held.size, PEOPLE.length);
    for (const [subject, , index, code] of rows) assert.equal(held.get(`${subject} ${index}`), code);
  }

  for (const at of DEATHS) {
    it(`F1: dies ${at} in each batch, and goes on: everybody gets one code`, async () => {
      const out = join(region, '../codes.csv');
      for (let call = 1; call <= 2; call++) await assert.rejects(command(out, { at, call }), Died);
      await command(out);
      await expectOnce(out);
    });
  }

  it('F1: takes no code for its own that somebody got meanwhile and that is not as ordered, and tells them', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'before issue', call: 2 }), Died);
    const meanwhile: readonly Person[] = [
      { subject: 'P-3', colour: 'red' },
      { subject: 'P-4', colour: 'green', days: 1 },
      { subject: 'P-5', colour: 'green', device: 'ab'.repeat(32) },
      { subject: 'elsewhere', colour: 'red' },
    ];
    const got = await onDesk((desk) => desk.issue(meanwhile, NO_PROGRESS));
    const others = await command(out);
    const colours = ['red', 'green', 'green'] as const;
    assert.deepEqual(
      others.toSorted((a, b) => (a.subject < b.subject ? -1 : 1)),
      colours.map((colour, i) => {
        const { subject = '', log = '', index = -1 } = got[i] ?? {};
        return { subject, log, index, colour, rule: 'manual' };
      }),
    );
    const rows = rowsOf(out);
    assert.equal(rows.length, PEOPLE.length);
    for (const [, , , code = ''] of rows) {
      const { status, holderKey, attestation } = parseCode(sha256, code);
      assert.deepEqual([status.colour, holderKey], ['green', undefined]);
      assert.ok(status.expiresAtS > attestation.hour * 3_600 + 6 * 86_400);
    }
  });

  it('F1: keeps what it had issued where somebody got another code after that', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'after issue', call: 2 }), Died);
    await onDesk((desk) => desk.issue([{ subject: 'P-3', colour: 'red' }], NO_PROGRESS));
    assert.deepEqual(await command(out), []);
    assert.ok(
      await onDesk(async (desk) => (await desk.size(logIdAt(surroundings.nowS()))) === PEOPLE.length + 1),
    );
  });

  it('F1: what was written after the last word of the journal counts for nothing', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'after issue', call: 2 }), Died);
    appendFileSync(`${out}.part`, 'P-3,2026-11,3,HALF A');
    await command(out);
    await expectOnce(out);
  });

  it('F1: dies between giving the file its name and saying so: the next command finds all done', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'before closeHandovers', call: 4 }), Died);
    const journal = readFileSync(`${out}.run`);
    await command(out);
    writeFileSync(`${out}.run`, journal);
    await command(out);
    await expectOnce(out);
  });

  it('refuses to go on with other people, with a journal that is none, and with a part that is too short', async () => {
    const out = join(region, '../codes.csv');
    const codeOf = (subject = SUBJECT) =>
      IssuingRun.open(out, 'csv', subject, BATCH).then(
        () => 'none',
        (error: unknown) => (error instanceof CliError ? error.code : String(error)),
      );
    await assert.rejects(command(out, { at: 'before issue', call: 2 }), Died);
    assert.equal(await codeOf(), 'none');
    for (const other of [{ input: 'cd'.repeat(32) }, { region: 'FR' }, { network: 'test' }, { rows: 11 }])
      assert.equal(await codeOf({ ...SUBJECT, ...other }), 'RUN_DIFFERS');
    const journal = readFileSync(`${out}.run`);
    truncateSync(`${out}.part`, 10);
    assert.equal(await codeOf(), 'RUN_INVALID');
    for (const bad of [
      '',
      '{',
      '{}',
      journal.toString().replace('"form":1', '"form":2'),
      'x'.repeat(70_000),
    ]) {
      writeFileSync(`${out}.run`, bad);
      assert.notEqual(await codeOf(), 'none');
    }
  });
});
