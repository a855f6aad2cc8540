import assert from 'node:assert/strict';
import { ownLines } from '../../../cli/commands/status.ts';
import { type LifeSeen } from '../../../cli/desk/node-status.ts';
import { checkRules, checkUpdates } from '../../../cli/doctor/rule-checks.ts';
import { examineRunning } from '../../../cli/doctor/examine.ts';
import { type Finding } from '../../../cli/doctor/finding.ts';
import { type ReadablePatient } from '../../../cli/doctor/patient.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';
import { profileBases, profileText } from '../../../node/rules/profiles.ts';
import { type LoggedRules, type Recognition, type TrustState } from '../../../protocol/trust/trust-state.ts';
import { runningOn, wellPatient } from '../../support/patient-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const DAY_S = 86_400;
const OBJECTIONS = { open: 0, upheld: 0, overdue: 0 };

function profile(name: string): LoggedRules & { readonly untilS: number } {
  const { file = assert.fail() } = readRuleFile(profileText(name) ?? '', profileBases);
  const { id, version, fromS, data, untilS } = file.ruleSet;
  return { id, version, fromS, data, untilS } as unknown as LoggedRules & { readonly untilS: number };
}

describe('the checks of rules and updates', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  const [baseline, local] = [profile('baseline'), profile('local')];
  let well: ReadablePatient;
  before(async () => {
    well = await wellPatient(folder());
  });

  const told = (findings: readonly Finding[]) => findings.map(({ level, text }) => `${level} ${text}`);

  /** How the region is so many days before its rules end. */
  function rulesAt(
    daysLeft: number,
    rules: readonly LoggedRules[],
    { named, recognised }: { readonly named?: string; readonly recognised?: string } = {},
  ): readonly Finding[] {
    const recognitions =
      recognised === undefined
        ? []
        : [{ region: 'FR', standing: 'in force', rules: recognised } as unknown as Recognition];
    const state = {
      rules: (id: string) => rules.find((one) => one.id === id),
      allRules: () => rules,
      recognitions: () => recognitions,
    } as unknown as TrustState;
    const nowS = Number(rules[0]?.data['until']) - daysLeft * DAY_S;
    const life = { ...well.config.life, rules: named };
    return checkRules({ ...well, state, nowS, config: { ...well.config, life } });
  }

  it('tell days before rules end by which people are judged, and afterwards', () => {
    const judged = 'the rules baseline, by which people who declared are judged,';
    assert.match(told(rulesAt(30, [baseline])).join(), new RegExp(`^ok ${judged} for 30 days`));
    assert.match(told(rulesAt(29, [baseline])).join(), new RegExp(`^warn ${judged} end in 29 days`));
    assert.match(told(rulesAt(6, [baseline])).join(), new RegExp(`^must ${judged} end in 6 days`));
    const [over] = rulesAt(0, [baseline]);
    assert.match(told([over ?? assert.fail()]).join(), new RegExp(`^must ${judged} ended`));
    assert.match(over?.fix ?? '', /entente rules activate .*until/);
  });

  it('hold others to be grave only where a recognition names them', () => {
    const day = [1, [local]] as const;
    assert.match(told(rulesAt(...day)).join(), /^warn the rules local end in 1 days/);
    assert.match(
      told(rulesAt(...day, { recognised: 'local' })).join(),
      /^must the rules local, by which codes of FR are judged, end in 1 days/,
    );
    assert.match(told(rulesAt(0, [local])).join(), /^note the rules local ended/);
    assert.match(told(rulesAt(0, [local], { recognised: 'local' })).join(), /^must/);
  });

  it('leave rules that are over alone where the settings name others', () => {
    assert.match(told(rulesAt(0, [baseline], { named: 'de' })).join(), /^note the rules baseline ended/);
  });

  function updatesOf(life: LifeSeen | undefined): readonly Finding[] {
    return checkUpdates({ ...well, life });
  }

  it('say nothing of a region without rules and people, and else when all colours were updated', () => {
    assert.deepEqual(updatesOf(undefined), []);
    const never = { lastAtS: 0, hasDeclared: false };
    assert.deepEqual(updatesOf({ objections: OBJECTIONS, updates: never }), []);
    const updates = { lastAtS: well.nowS, hasDeclared: true };
    assert.match(told(updatesOf({ objections: OBJECTIONS, updates })).join(), /^ok .* last updated/);
    const first = { objections: OBJECTIONS, updates: { lastAtS: 0, hasDeclared: true } };
    assert.match(told(updatesOf(first)).join(), /^note .* never updated/);
  });

  const TROUBLE = {
    code: 'REFUSED',
    message: '2 sets of rules',
    hint: 'Say which: life.rules',
    retry: false,
  };

  it('say why colours are not updated, what to do, and in status too', async () => {
    const updates = { lastAtS: well.nowS - 60, hasDeclared: true, trouble: TROUBLE };
    const life = { objections: OBJECTIONS, updates };
    const [found = assert.fail()] = updatesOf(life);
    assert.match(
      told([found]).join(),
      /^must .* not updated, and they last were .*2 sets of rules \[REFUSED\]/,
    );
    assert.equal(found.fix, TROUBLE.hint);
    const running = runningOn({ ...well, life }, { life });
    assert.ok((await examineRunning(running)).some(({ text }) => text === found.text));
    assert.match(ownLines(running.running ?? assert.fail()).join('\n'), /NOT UPDATED since: 2 sets of rules/);
  });

  it('only warn while nobody has declared, and of what may pass by itself', () => {
    const lastAtS = well.nowS;
    const nobody = { lastAtS, hasDeclared: false, trouble: TROUBLE };
    assert.match(told(updatesOf({ objections: OBJECTIONS, updates: nobody })).join(), /^warn/);
    const retried = { lastAtS, hasDeclared: true, trouble: { ...TROUBLE, retry: true, atS: lastAtS } };
    assert.match(
      told(updatesOf({ objections: OBJECTIONS, updates: retried })).join(),
      /^warn .*the update of 20/,
    );
  });

  it('name rows of people that cannot be read, and in status too', () => {
    const updates = { lastAtS: well.nowS, hasDeclared: true, damaged: ['life/person/00ff'] };
    const life = { objections: OBJECTIONS, updates };
    assert.match(told(updatesOf(life)).join(), /must what is kept of 1 person .*life\/person\/00ff/);
    const { running = assert.fail() } = runningOn({ ...well, life }, { life });
    assert.match(ownLines(running).join('\n'), /DAMAGED .*life\/person\/00ff/);
  });

  it('name rows of lists that cannot be read, and in status too', () => {
    const row = 'list/control/00000001/by/00ff';
    const updates = { lastAtS: well.nowS, hasDeclared: true, unreadRows: [row] };
    const life = { objections: OBJECTIONS, updates };
    const [found] = updatesOf(life);
    assert.match(told([found ?? assert.fail()])[0] ?? '', /^must 1 row of lists in force .*list\/control/);
    assert.match(found?.fix ?? '', /^entente lists import /);
    const { running = assert.fail() } = runningOn({ ...well, life }, { life });
    assert.match(ownLines(running).join('\n'), /DAMAGED .*import these lists again: list\/control/);
  });

  it('warn of lists that the rules ask for and that are missing or old, and in status too', () => {
    const asOfS = well.nowS - 3 * DAY_S;
    const lists = [
      { list: 'control', facts: ['control.level', 'control.since'], isOld: true, asOfS },
      { list: 'contacts', facts: ['contact.close'], isOld: false },
      { list: 'tests', facts: ['test.positive'], isOld: false, asOfS: well.nowS },
    ];
    const updates = { lastAtS: well.nowS, hasDeclared: true, lists };
    const life = { objections: OBJECTIONS, updates };
    const [old, missing, ...others] = updatesOf(life);
    assert.match(told([old ?? assert.fail()])[0] ?? '', /^warn The list of control in force is 3 d.* old/);
    assert.match(told([missing ?? assert.fail()])[0] ?? '', /^warn No list of contacts is in force/);
    assert.match(missing?.fix ?? '', /entente lists import .* contacts FILE/);
    assert.match(told(others).join(), /^ok [^,]*$/);
    const { running = assert.fail() } = runningOn({ ...well, life }, { life });
    assert.match(
      ownLines(running).join('\n'),
      /LISTS .*that of control.*is old[^]*that of contacts.*missing/,
    );
    const nobody = { objections: OBJECTIONS, updates: { ...updates, hasDeclared: false } };
    assert.match(told(updatesOf(nobody)).join(), /^ok [^,]*$/);
  });

  it('tell of people of whose codes the newest update could not read', () => {
    const updates = { lastAtS: well.nowS, hasDeclared: true, unread: 2 };
    const told = updatesOf({ objections: OBJECTIONS, updates });
    assert.match(told[0]?.text ?? '', /^what the registry has of the codes of 2 persons cannot be read/);
    assert.deepEqual([told[0]?.level, told.length], ['must', 2]);
  });

  it('raise how many people are in doubt, and how to find out who', () => {
    const updates = { lastAtS: well.nowS, hasDeclared: true };
    const lastUpdate = { atS: well.nowS, figures: { unchanged: 3, ambiguous: 2 } };
    const doubtful = updatesOf({ objections: OBJECTIONS, updates, lastUpdate });
    assert.match(told(doubtful).join(), /warn 2 persons may stand on a list/);
    assert.match(doubtful.at(-1)?.fix ?? '', /--dry-run --report/);
  });
});
