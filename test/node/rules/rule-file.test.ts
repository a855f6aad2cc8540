import assert from 'node:assert/strict';
import { profileBases, profileText } from '../../../node/rules/profiles.ts';
import { readRuleFile } from '../../../node/rules/rule-file.ts';

const baseline = profileText('baseline') ?? '';
const overlay = `id: de
version: 1
base: { id: baseline, version: 1 }
title: Rules of DE
region: DE
from: 2026-01-01
until: 2027-01-01
zone: Europe/Berlin
facts:
  work.day: day
issuing:
  - id: work
    when: { var: facts.work.day }
    colour: yellow
    measure: home
    since: work.day
    days: 2
    why: Work abroad.
`;
const faultsOf = (text: string) =>
  readRuleFile(text, profileBases).faults.map(({ line, path }) =>
    path === '' ? `${line}` : `${line} ${path}`,
  );
/** The line, from 1, in which this stands. */
const lineOf = (text: string, what: string) => text.split('\n').findIndex((line) => line.includes(what)) + 1;

describe('readRuleFile', () => {
  it('reads YAML, the same as JSON, and an overlay over a profile', () => {
    const { file, faults } = readRuleFile(overlay, profileBases);
    assert.deepEqual(faults, []);
    const json = readRuleFile(JSON.stringify(file?.source), profileBases).file;
    assert.deepEqual(json?.ruleSet, file?.ruleSet);
    assert.equal(file?.ruleSet.issuing.at(-1)?.id, 'work');
    assert.equal(file?.ruleSet.data.offsets.length, 3);
  });

  for (const [name, from, to, path] of [
    ['a value', 'days: 2', 'days: 31', 'issuing.work.days'],
    ['a condition', 'facts.work.day }', 'facts.work.days }', 'issuing.work.when.var'],
    ['an unknown member', 'why: Work', 'wy: Work', 'issuing.work.wy'],
    ['a fact', 'work.day: day', 'work.day: date', 'facts.work.day'],
    ['a day', '2027-01-01', '2027-13-01', 'until'],
    ['a zone', 'Europe/Berlin', 'Europe/Bonn', 'zone'],
    ['a profile', 'id: baseline, version: 1', 'id: baseline, version: 9', 'base'],
    ['a profile without a version', 'id: baseline, version: 1', 'id: baseline', 'base'],
  ] as const) {
    it(`tells the line and the rule of ${name} that is wrong`, () => {
      assert.ok(overlay.includes(from));
      const text = overlay.replace(from, to);
      assert.ok(faultsOf(text).includes(`${lineOf(text, to)} ${path}`), faultsOf(text).join('; '));
    });
  }

  for (const [name, from, to, told] of [
    [
      'a fact',
      'facts.work.day }',
      'facts.work.dya }',
      /rules do not know: facts\.work\.dya; did you mean facts\.work\.day\?/,
    ],
    [
      'a fact that is like none',
      'facts.work.day }',
      'facts.xyzzyxyzzyxyzzy }',
      /do not know: facts\.xyzzyxyzzyxyzzy$/,
    ],
    [
      'an operator',
      '{ var: facts.work.day }',
      "{ '==': [{ var: facts.work.day }, 1] }",
      /CertLogic does not know: ==; did you mean ===\?/,
    ],
    [
      'a beginning',
      'since: work.day',
      'since: work.dy',
      /names no fact of these rules: work\.dy; did you mean work\.day\?/,
    ],
  ] as const) {
    it(`names ${name} that is not known, and what was meant`, () => {
      const { faults } = readRuleFile(overlay.replace(from, to), profileBases);
      assert.match(faults.map(({ reason }) => reason).join(), told);
    });
  }

  it('tells a condition that is too costly from one that has no value', () => {
    const numbers = (count: number) => `[${Array.from({ length: count }, () => 1).join(', ')}]`;
    const inner = `{ reduce: [${numbers(100)}, { '+': [{ '+': [{ var: accumulator }, { var: current }] }, { '+': [{ var: current }, 1] }] }, 0] }`;
    const costly = Array.from({ length: 35 }, () => inner).join(', ');
    const text = overlay.replace('{ var: facts.work.day }', `{ and: [${costly}] }`);
    const [fault] = readRuleFile(text, profileBases).faults;
    assert.match(fault?.reason ?? '', /more steps than a condition may/);
  });

  it('tells lines of examples, and of what an overlay drops', () => {
    const text = `${overlay}drop:\n  issuing:\n    - nothing\nexamples:\n  - { name: x, at: never, facts: {}, expect: { colour: red } }\n`;
    assert.deepEqual(faultsOf(text), ['21 drop.issuing.0', '23 examples.0.at']);
  });

  it('a fault in what comes of base and overlay together has no line of the other file', () => {
    // A rule of the base uses this fact.
    assert.deepEqual(
      faultsOf(`${overlay}drop:\n  facts: [control.since]\n`).map((fault) => fault.split(' ')[0]),
      ['undefined', 'undefined'],
    );
  });

  for (const [name, text] of [
    ['an empty file', ''],
    ['only a comment', '# nothing\n'],
    ['a list', '- a\n'],
    ['text', 'rules'],
    ['a base that is a text', 'base: baseline\n'],
    ['an anchor', overlay.replace('title:', 'title: &a')],
    ['a name twice', `${overlay}title: again\n`],
    ['a name twice, once in quotes', `${overlay}roles: { 1: x, '1': y }\n`],
    ['a map as a name', `${overlay}? { a: 1 }\n: 2\n`],
    ['a list as a name', `${overlay}roles: { [a, b]: x }\n`],
    ['no name', `${overlay}: x\n`],
    ['two documents', `${overlay}---\na: 1\n`],
    ['a tag', overlay.replace('DE\nfrom', '!!js/function DE\nfrom')],
    ['__proto__', `${overlay}__proto__: { title: x }\n`],
    ['an open bracket', `${overlay}x: [\n`],
    ['brackets without end', `id: ${'['.repeat(100_000)}`],
  ] as const) {
    it(`B69: refuses ${name}`, () => {
      const { file, faults } = readRuleFile(text, profileBases);
      assert.equal(file, undefined);
      assert.ok(faults.length > 0);
    });
  }

  it('refuses maps nested by indentation beyond what a parser bears', () => {
    const text = Array.from({ length: 3_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    assert.ok(readRuleFile(text, profileBases).faults.length > 0);
    assert.ok(readRuleFile(baseline.replace('id: baseline', text), profileBases).faults.length > 0);
  });

  it('refuses rules by which red passes a gate at some hours', () => {
    const when = `{ and: [{ '===': [{ var: status.colour }, red] }, { '<': [{ var: hour }, 1] }] }`;
    const [fault, ...others] = readRuleFile(
      `${overlay}acceptance:\n  - { id: red, when: ${when}, outcome: stop, why: x }\n`,
      profileBases,
    ).faults;
    assert.deepEqual([fault?.line, fault?.path, others], [overlay.split('\n').length, 'acceptance', []]);
    assert.match(fault?.reason ?? '', /lets red pass at a gate where hour is 1$/);
  });

  it('B69: a map or list has at most 1,024 members, and all of them are looked at before', () => {
    const tooMany = Array.from({ length: 1_025 }, (_, i) => `r${i}`);
    for (const many of [`{ ${tooMany.join(': x, ')}: x }`, `[${tooMany.join(', ')}]`]) {
      const { faults } = readRuleFile(`${overlay}roles: ${many}\n`, profileBases);
      assert.deepEqual(
        faults.map(({ line, reason }) => [line, /more than 1024 members/.test(reason)]),
        [[overlay.split('\n').length, true]],
      );
    }
    const examples = tooMany.slice(1).map(() => '  - x\n');
    const { faults } = readRuleFile(`${overlay}examples:\n${examples.join('')}`, profileBases);
    assert.ok(faults.length > 1_000 && faults.every(({ path }) => path.startsWith('examples.')));
  });
});
