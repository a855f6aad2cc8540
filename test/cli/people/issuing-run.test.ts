import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cli } from '../../../cli/cli.ts';
import { type Desk } from '../../../cli/desk/desk.ts';
import { withDesk } from '../../../cli/desk/with-desk.ts';
import { CliError } from '../../../cli/exit.ts';
import { IssuingRun, type OtherCode } from '../../../cli/people/issuing-run.ts';
import { issueOnDesk } from '../../../cli/people/issue-in-batches.ts';
import { type Person } from '../../../cli/people/person.ts';
import { regionModules } from '../../../cli/region.ts';
import { processSurroundings } from '../../../cli/surroundings.ts';
import { foundRegion } from '../../../node/region/found.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { sha256 } from '../../support/primitives.ts';
import { servedRegion } from '../../support/served-region.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const PEOPLE: readonly Person[] = Array.from({ length: 10 }, (_, i) => ({
  subject: `P-${i}`,
  colour: 'green',
}));
const BATCH = 3;
const SUBJECT = { region: 'DE', network: 'demo', input: 'ab'.repeat(32), rows: PEOPLE.length };
const HOUR_S = 3_600;

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
  const { nowS: startedS, ...machine } = processSurroundings();
  /** Of all clocks. */
  let aheadS = 0;
  const surroundings = {
    ...machine,
    nowS: () => startedS() + aheadS,
    writeOut: () => undefined,
    writeErr: () => undefined,
  };
  const { nowS, random } = surroundings;
  const NO_PROGRESS = { sha256, random, nowS, onHashed: () => undefined, onSigned: () => undefined };
  const cli = new Cli({ json: true }, surroundings);
  let region: string;
  beforeEach(async () => {
    aheadS = 0;
    region = join(folder(), 'DE');
    const options = { region: 'DE', network: 'demo', name: 'DE', roots: 1, threshold: 1 };
    await foundRegion(region, options, await regionModules(cli));
  });
  const onDesk = <T>(use: (desk: Desk) => Promise<T>) => withDesk(cli, region, use, { silent: true });

  /** Goes on with the run until it is over. */
  async function goOn(
    desk: Desk,
    out: string,
    look: (run: IssuingRun) => void = () => undefined,
  ): Promise<readonly OtherCode[]> {
    const run = await IssuingRun.open(out, 'csv', SUBJECT, BATCH);
    for (let at = run.done; at < PEOPLE.length; at += BATCH)
      await run.issue(PEOPLE.slice(at, at + BATCH), desk, NO_PROGRESS);
    look(run);
    await run.finish(desk);
    return run.others;
  }

  /** The same desk with another way to issue. */
  function issuingBy(desk: Desk, issue: Desk['issue']): Desk {
    return new Proxy(desk, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'issue') return issue;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** One command, until it is over or dies at the n-th call. */
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
      return goOn(mortal, out);
    });
  }

  interface Noted {
    readonly sinceS: number;
    readonly order: { readonly key: string; readonly atS: number };
  }
  /** What the journal says of the batch in hand. */
  const notedAt = (out: string) =>
    (JSON.parse(readFileSync(`${out}.run`, 'utf8')) as { readonly inHand: Noted }).inHand;

  function rowsOf(out: string): readonly (readonly string[])[] {
    return readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
  }

  /** Of all attestation logs. */
  async function leavesOf(desk: Desk): Promise<number> {
    const sizes = await Promise.all([...desk.state.logs()].map(({ log }) => desk.size(log)));
    return sizes.reduce((sum, size) => sum + size, 0);
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
      assert.equal(await leavesOf(desk), PEOPLE.length);
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
    assert.equal(await onDesk(leavesOf), PEOPLE.length + 1);
  });

  it('F1: takes codes for its own that were logged hours after they had been ordered', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'before issue', call: 2 }), Died);
    aheadS = 3 * HOUR_S;
    await assert.rejects(command(out, { at: 'after issue', call: 1 }), Died);
    assert.deepEqual(await command(out), []);
    await expectOnce(out);
  });

  it('F1: goes on where a node had orders in hand when the command died: their codes are taken, and no others are made', async () => {
    const out = join(region, '../codes.csv');
    const modules = await regionModules(cli);
    await servedRegion(region, modules, async (desk, { node }) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      let hear = (): void => undefined;
      const isInHand = new Promise<void>((resolve) => (hear = resolve));
      let inHand = 0;
      const issue = node.issue.bind(node);
      node.issue = async (request) => {
        if (++inHand === BATCH) hear();
        await released;
        return issue(request);
      };
      const dying = issuingBy(desk, async (...args) => {
        void desk.issue(...args).catch(() => undefined);
        await isInHand;
        throw new Died();
      });
      await assert.rejects(goOn(dying, out), Died);
      aheadS = 3 * HOUR_S;
      const next = issuingBy(desk, (...args) => {
        // Only what is in the logs by now is found there.
        release();
        return desk.issue(...args);
      });
      assert.deepEqual(await goOn(next, out), []);
    });
    await expectOnce(out);
  });

  it('F1: of two commands for one file that overlap, the second issues nothing and leaves the codes of the first', async () => {
    const out = join(region, '../codes.csv');
    const file = join(region, '../people.csv');
    writeFileSync(
      file,
      ['subject,colour', ...PEOPLE.map(({ subject }) => `${subject},green`), ''].join('\n'),
    );
    const long = { file, encoding: 'utf-8' as const, out, rows: PEOPLE.length, sha256: SUBJECT.input };
    const modules = await regionModules(cli);
    let codes = '';
    await servedRegion(region, modules, async (desk) => {
      let hear = (): void => undefined;
      const isInHand = new Promise<void>((resolve) => (hear = resolve));
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      const slow = issuingBy(desk, async (...args) => {
        hear();
        await released;
        return desk.issue(...args);
      });
      const first = issueOnDesk(cli, region, long, { ...modules, desk: slow });
      await isInHand;
      assert.ok(await IssuingRun.isBegun(out));
      const second = issueOnDesk(cli, region, long, { ...modules, desk });
      release();
      await first;
      codes = readFileSync(out, 'utf8');
      await assert.rejects(
        second,
        (error) => error instanceof CliError && /exists already/.test(error.message),
      );
    });
    assert.equal(readFileSync(out, 'utf8'), codes);
    await expectOnce(out);
  });

  /** A node issues the first batch, the command dies, and somebody of it is forgotten. */
  async function forgottenMeanwhile(out: string, then: (desk: Desk) => Promise<void>): Promise<void> {
    await servedRegion(region, await regionModules(cli), async (desk, { node }) => {
      const dying = issuingBy(desk, async (...args) => {
        await desk.issue(...args);
        throw new Died();
      });
      await assert.rejects(goOn(dying, out), Died);
      await node.forget({ subject: 'P-1', lettingPass: true });
      await then(desk);
    });
  }

  /** P-1 alone has nothing. */
  async function expectForgotten(out: string): Promise<void> {
    const others = PEOPLE.flatMap(({ subject }) => (subject === 'P-1' ? [] : [subject]));
    assert.deepEqual(
      rowsOf(out).map(([subject]) => subject),
      others,
    );
    await onDesk(async (desk) => {
      for await (const held of desk.held({})) assert.ok('givenUp' in held || held.subject !== 'P-1');
      assert.equal(await leavesOf(desk), PEOPLE.length);
    });
  }

  const ROW_2 = { count: 1, rows: [2] };

  it('F1: T25 leaves out who was forgotten after a node had issued to them, says which row, and goes on', async () => {
    const out = join(region, '../codes.csv');
    await forgottenMeanwhile(out, async (desk) => {
      await goOn(desk, out, ({ forgotten }) => assert.deepEqual(forgotten, ROW_2));
      await desk.publish();
    });
    await expectForgotten(out);
  });

  it('F1: T25 leaves out who was forgotten, also where no node runs any more', async () => {
    const out = join(region, '../codes.csv');
    await forgottenMeanwhile(out, () => Promise.resolve());
    await onDesk((desk) => goOn(desk, out, ({ forgotten }) => assert.deepEqual(forgotten, ROW_2)));
    await expectForgotten(out);
  });

  it('F1: T25 leaves out who was forgotten, also where the batch is ordered anew', async () => {
    const out = join(region, '../codes.csv');
    await forgottenMeanwhile(out, async (desk) => {
      const { order } = notedAt(out);
      aheadS = 3 * 24 * HOUR_S;
      const looking = issuingBy(desk, (people, progress, again) => {
        if (again?.has.size === 2) assert.notEqual(again.key, order.key);
        return desk.issue(people, progress, again);
      });
      await goOn(looking, out, ({ forgotten }) => assert.deepEqual(forgotten, ROW_2));
      await desk.publish();
    });
    await expectForgotten(out);
  });

  it('F1: T25 leaves out who was forgotten before their batch was ordered first, whichever way the clock goes meanwhile', async () => {
    const out = join(region, '../codes.csv');
    await servedRegion(region, await regionModules(cli), async (desk, { node }) => {
      await desk.issue([{ subject: 'P-7', colour: 'green' }], NO_PROGRESS);
      let batches = 0;
      const looking = issuingBy(desk, async (...args) => {
        if (++batches === 2) {
          aheadS = -3 * HOUR_S;
          await node.forget({ subject: 'P-7', lettingPass: true });
          aheadS = HOUR_S;
        }
        return desk.issue(...args);
      });
      await goOn(looking, out, ({ forgotten }) => assert.deepEqual(forgotten, { count: 1, rows: [8] }));
      assert.deepEqual(await node.heldCodes.ofSubject('P-7'), []);
    });
  });

  it('F1: T25 orders nothing more a week after the run was begun, since it is not known for ever who was forgotten', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'before issue', call: 2 }), Died);
    aheadS = 7 * 24 * HOUR_S + HOUR_S;
    await assert.rejects(command(out), (error) => error instanceof CliError && error.code === 'RUN_OLD');
    aheadS = 6 * 24 * HOUR_S;
    await command(out);
    await expectOnce(out);
  });

  it('F1: a node that is started meanwhile issues to those of the batch who have no code yet', async () => {
    const out = join(region, '../codes.csv');
    await assert.rejects(command(out, { at: 'before issue', call: 3 }), Died);
    await onDesk(async (desk) => {
      await desk.issue(PEOPLE.slice(7, 8), NO_PROGRESS);
      await desk.closeHandovers(await desk.openHandovers());
    });
    await servedRegion(region, await regionModules(cli), (desk) => goOn(desk, out));
    await expectOnce(out);
  });

  it('F1: orders a batch again as it was, and anew once no node need remember that', async () => {
    const out = join(region, '../codes.csv');
    const orderedAt = async (hours: number) => {
      aheadS = hours * HOUR_S;
      await assert.rejects(command(out, { at: 'before issue', call: 1 }), Died);
      return notedAt(out);
    };
    const first = await orderedAt(0);
    assert.match(first.order.key, /^[0-9a-f]{32}$/);
    assert.deepEqual(await orderedAt(19), first);
    const anew = await orderedAt(21);
    assert.notEqual(anew.order.key, first.order.key);
    assert.deepEqual([anew.sinceS, anew.order.atS > first.order.atS], [first.sinceS, true]);
    await command(out);
    await expectOnce(out);
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
