import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { VerdictClient, type VerdictQuestion } from '../../../node/http/verdict-client.ts';
import { codeTextOf } from '../../../node/issuing/held-codes.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { TestCli } from '../../support/cli.ts';
import { HttpWorld, problemIn } from '../../support/http-fixture.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, type TestStatement } from '../../support/region-fixture.ts';
import { RULE_DATA, ruleBody } from '../../support/rule-fixture.ts';

describe('POST /v1/verify by the rules of a place', () => {
  const cli = new TestCli('.');
  let http: HttpWorld;
  let red: string;
  let green: string;

  before(async () => {
    const world = new NodeWorld();
    await world.found('DE');
    await world.pass(15);
    const when = { '!': [{ '===': [{ var: 'place.risk' }, 'low'] }] };
    await log(world, 'test', { checks: [...RULE_DATA.checks, { id: 'risk', when, why: 'Risk.' }] });
    await log(world, 'over', { until: world.nowS - DAY_S });
    await log(world, 'broken', { format: 2 });
    const untilS = world.nowS + DAY_S;
    const held = { colour: 'red', measure: 'isolate', untilS, expiresAtS: untilS } as const;
    const status: Status = { ...held, ruleId: 'base', ruleVersion: 1 };
    const issued = await world.run(world.node('DE').issue({ subject: 'p2', fields: { status } }));
    red = codeTextOf(sha256, issued, ['status']);
    green = (await world.issue('DE')).text;
    await world.pass(12);
    http = await HttpWorld.start(world);
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  /** Logs rules of this id by the root. */
  async function log(world: NodeWorld, id: string, changes: object = {}): Promise<void> {
    const { fixture, node } = world.machine('DE');
    fixture.nowS = world.nowS;
    const { version, fromS: from, data } = ruleBody(changes, { id });
    const entry = fixture.entryOf({ kind: 'rules', id, version, from, data } as TestStatement, 'root');
    await world.run(node.submit({ entry }));
  }

  const ask = (code: string, more: object) => http.post('/v1/verify', { code, ...more });
  async function told(code: string, more: object): Promise<string[]> {
    const response = await ask(code, more);
    const { outcome, reasons } = (await response.json()) as Verdict;
    return [outcome, ...reasons.map((reason) => String(reason.details?.['rule'] ?? reason.code))];
  }

  it('goes by the rules that are named, at the kind of place and for the role', async () => {
    assert.deepEqual(await told(red, {}), ['stop', 'NO_WITNESSES', 'IDENTITY_CHECK', 'STATUS_RED']);
    const gate = await told(red, { rules: 'test' });
    assert.deepEqual(gate, ['stop', 'NO_WITNESSES', 'IDENTITY_CHECK', 'red', 'red-patient']);
    const patient = await told(red, { rules: 'test', role: 'patient' });
    assert.deepEqual(patient, ['act', 'NO_WITNESSES', 'IDENTITY_CHECK', 'red-patient']);
    assert.deepEqual(await told(green, { rules: 'test' }), ['pass', 'NO_WITNESSES', 'IDENTITY_CHECK']);
  });

  it('names the rule, its version and its words', async () => {
    const { reasons } = (await (await ask(red, { rules: 'test', role: 'patient' })).json()) as Verdict;
    assert.deepEqual(reasons.find(({ code }) => code === 'RULE_ASKS')?.details, {
      rules: 'test',
      version: 3,
      rule: 'red-patient',
      why: 'Red is led aside.',
    });
  });

  it('asks for what the rules ask of the kind of place, unless the request says it', async () => {
    const place = { kind: 'hospital' };
    assert.ok((await told(green, { rules: 'test', place })).includes('GRADE_TOO_LOW'));
    const loose = { ...place, gradeNeeded: 'static' };
    assert.ok(!(await told(green, { rules: 'test', place: loose })).includes('GRADE_TOO_LOW'));
    assert.ok(!(await told(green, { place })).includes('GRADE_TOO_LOW'), 'without rules it is a word');
  });

  it('judges all of many codes so', async () => {
    const response = await http.post('/v1/verify', { codes: [red, green], rules: 'test', role: 'patient' });
    const { verdicts } = (await response.json()) as { verdicts: Verdict[] };
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ['act', 'pass'],
    );
  });

  it('is undetermined by rules that are not in force, and never passes', async () => {
    assert.deepEqual(await told(green, { rules: 'over' }), [
      'undetermined',
      'NO_WITNESSES',
      'IDENTITY_CHECK',
      'RULES_NOT_IN_FORCE',
    ]);
  });

  for (const [what, more, at, detail] of [
    ['to judge in the name of another region', { home: 'FR', rules: 'none' }, '/home', /of DE, and judges/],
    ['a home that is no region', { home: 'fr' }, '/home', /ISO 3166/],
    ['rules that the region does not have', { rules: 'none' }, '/rules', /DE, the region of this node/],
    ['rules that cannot be read', { rules: 'broken' }, '/rules', /no rules of this id that can be used/],
    ['an id that is none', { rules: 'A B' }, '/rules', /id of rules/],
    [
      'a kind of place that the rules do not know',
      { rules: 'test', place: { kind: 'hospitl' } },
      '/place/kind',
      /know gate, hospital$/,
    ],
    [
      'a role in place of the kind, and a kind in place of the role',
      { rules: 'test', place: { kind: 'patient' }, role: 'hospital' },
      '/place/kind',
      /know gate, hospital$/,
    ],
    [
      'a colour as a kind of place',
      { rules: 'test', place: { kind: 'red' } },
      '/place/kind',
      /know gate, hospital$/,
    ],
    ['a risk as a role', { rules: 'test', role: 'low' }, '/role', /know patient$/],
    ['a role that they do not know', { rules: 'test', role: 'patiant' }, '/role', /know patient$/],
    ['a role without rules', { role: 'patient' }, '/role', /nothing without rules/],
    ['a role with spaces', { rules: 'test', role: 'a b' }, '/role', /small letters/],
  ] as const) {
    it(`B67: refuses ${what}, and says what there is`, async () => {
      const { errors } = await problemIn(await ask(green, more), 422, 'INPUT_INVALID');
      assert.deepEqual(
        errors?.map((error) => error.at),
        [at],
      );
      assert.match(errors?.[0]?.detail ?? '', detail);
    });
  }

  it('VerdictClient takes the verdict of a node that has the rules, and is refused where none has', async () => {
    const { address } = http.server;
    const question: VerdictQuestion = { rules: 'test', role: 'patient', place: { kind: 'gate' } };
    const { verdict } = await new VerdictClient({ urls: [address] }).verify(red, question);
    assert.equal(verdict.outcome, 'act');
    const asking = new VerdictClient({ urls: [address] }).verify(red, { rules: 'none' });
    await assert.rejects(
      asking,
      (error) => isNodeError(error, 'REFUSED') && /\/rules DE, /.test(error.message),
    );
    const one = new VerdictClient({ urls: ['http://127.0.0.1:1', address] }).verify(red, { rules: 'none' });
    await assert.rejects(one, (error) => isNodeError(error, 'PEER_UNREACHABLE'));
  });

  it('VerdictClient goes on from a node that is down, but not past one to which rules, place or role mean nothing', async () => {
    const { address } = http.server;
    for (const [asked, at] of [
      [{ rules: 'none' }, '/rules'],
      [{ rules: 'test', place: { kind: 'hospitl' } }, '/place/kind'],
      [{ rules: 'test', role: 'patiant' }, '/role'],
    ] as const) {
      const problem = await (await ask(red, asked)).text();
      const other = createServer((_, response) => response.writeHead(422).end(problem)).listen(
        0,
        '127.0.0.1',
      );
      await once(other, 'listening');
      const first = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      const asking = new VerdictClient({ urls: [first, address] }).verify(red, { rules: 'test' });
      await assert.rejects(
        asking,
        (error) => isNodeError(error, 'REFUSED') && error.message.includes(`${first}: ${at} `),
      );
      other.close();
    }
    const { url } = await new VerdictClient({ urls: ['http://127.0.0.1:1', address] }).verify(red, {
      rules: 'test',
    });
    assert.equal(url, address);
  });

  it('VerdictClient asks nodes of the home first, and by rules no others, whichever are down', async () => {
    const { address } = http.server;
    const down = 'http://127.0.0.1:1';
    const problem = await (await ask(red, { home: 'FR' })).text();
    let asked = 0;
    const foreign = createServer((_, response) => {
      asked++;
      response.writeHead(422).end(problem);
    }).listen(0, '127.0.0.1');
    await once(foreign, 'listening');
    const other = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
    const client = new VerdictClient({ urls: [other, down, address] });
    for (const rules of ['test', undefined, 'test']) {
      const { url } = await client.verify(red, { home: 'DE', rules });
      assert.equal(url, address);
    }
    assert.equal(asked, 1, 'a node that has said that it is of another region is asked last');
    foreign.close();
    const gate = new VerdictClient({ urls: [down, address] });
    await assert.rejects(
      gate.verify(red, { home: 'FR', rules: 'test' }),
      (error) =>
        isNodeError(error, 'PEER_UNREACHABLE') &&
        /no node of FR gave a verdict: \S+:1: .*; .*\/home this node is of DE/.test(error.message),
    );
    const answer = await gate.verify(red, { home: 'FR', anyHome: true });
    assert.deepEqual(
      [answer.url, answer.verdict.outcome, answer.judgedBy, answer.insteadOf],
      [address, 'stop', 'DE', down],
      'by the colour alone whoever is near says it, in its own name',
    );
    for (const question of [{ home: 'FR' }, { home: 'FR', rules: 'test', anyHome: true }])
      await assert.rejects(gate.verify(red, question), (error) => isNodeError(error, 'PEER_UNREACHABLE'));
    await assert.rejects(gate.verify(red, { home: 'DE', rules: 'none' }), (error) =>
      isNodeError(error, 'PEER_UNREACHABLE'),
    );
  });

  it('entente verify --node needs --home for rules and several nodes, and is undetermined where none of that answers', async () => {
    const run = (...more: readonly string[]) =>
      cli.run('verify', '--node', `http://127.0.0.1:1,${http.server.address}`, ...more, red);
    const unsaid = await run('--rules', 'test');
    assert.deepEqual([unsaid.exit, /--home whose rules count/.test(unsaid.err)], [2, true], unsaid.err);
    const own = await run('--rules', 'test', '--home', 'DE');
    assert.match(own.out, /^STOP/);
    const others = await run('--rules', 'test', '--home', 'FR');
    assert.deepEqual([others.exit, others.out], [4, '']);
    assert.match(others.err, /no node of FR gave a verdict[^]*this node is of DE/);
  });

  it('entente verify --home takes the verdict of another region only where it is told to, and says in whose name that is', async () => {
    const run = (home: string, ...more: readonly string[]) =>
      cli.run('verify', '--node', http.server.address, '--home', home, ...more, green);
    const other = await run('FR', '--json');
    assert.deepEqual([other.exit, other.out], [4, ''], other.err);
    assert.match(other.err, /PEER_UNREACHABLE[^]*--any-home/);
    const any = await run('FR', '--any-home');
    assert.deepEqual([any.exit, any.err], [0, '']);
    assert.match(any.out, /^PASS .*\n  WARNING: judged in the name of DE, not FR\n/);
    const { out } = await run('FR', '--any-home', '--json');
    const { home, judgedBy } = JSON.parse(out) as { home: string; judgedBy: string };
    assert.deepEqual([home, judgedBy], ['FR', 'DE']);
    assert.doesNotMatch((await run('DE', '--any-home')).out, /in the name/);
    assert.equal((await run('FR', '--any-home', '--rules', 'test')).exit, 2);
  });

  it('entente verify --node takes place, rules and role, and says what is mistyped', async () => {
    const run = (...more: readonly string[]) =>
      cli.run('verify', '--node', http.server.address, ...more, red);
    const patient = await run('--rules', 'test', '--role', 'patient', '--place', 'risk=high');
    assert.match(patient.out, /^ACT[^]*RULE_ASKS .*Red is led aside/);
    const hospital = await run('--rules', 'test', '--place', 'kind=hospital');
    assert.match(hospital.out, /^STOP[^]*GRADE_TOO_LOW/);
    const mistyped = await run('--rules', 'test', '--place', 'kind=hospitl');
    assert.equal(mistyped.exit, 1);
    assert.match(mistyped.err, /\/place\/kind these rules know gate, hospital .*REFUSED/);
    assert.equal((await run('--rules', 'test', '--pin', 'ab'.repeat(32))).exit, 2);
  });
});
