import assert from 'node:assert/strict';
import { type Browser, type Page } from 'playwright-core';
import { codeTextOf } from '../../../node/issuing/held-codes.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { openBrowser } from '../../support/browser.ts';
import { HttpWorld } from '../../support/http-fixture.ts';
import { NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, type TestStatement } from '../../support/region-fixture.ts';
import { ruleBody } from '../../support/rule-fixture.ts';

const HOSPITAL = '/gate?place=test%2Fhospital&risk=high';

describe('page of a gate at the public address', function () {
  this.timeout(60_000);
  let http: HttpWorld;
  let red: string;

  before(async () => {
    const world = new NodeWorld();
    await world.found('DE');
    await world.pass(15);
    const log = async (id: string, changes: object) => {
      const { fixture, node } = world.machine('DE');
      fixture.nowS = world.nowS;
      const { version, fromS: from, data } = ruleBody(changes, { id });
      const entry = fixture.entryOf({ kind: 'rules', id, version, from, data } as TestStatement, 'root');
      await world.run(node.submit({ entry }));
    };
    await log('test', { places: { hospital: { title: 'Hospital & <b>clinic</b>', grade: 'static' } } });
    await log('over', { until: world.nowS - DAY_S });
    const untilS = world.nowS + DAY_S;
    const held = { colour: 'red', measure: 'isolate', untilS, expiresAtS: untilS } as const;
    const status: Status = { ...held, ruleId: 'base', ruleVersion: 1 };
    const issued = await world.run(world.node('DE').issue({ subject: 'p2', fields: { status } }));
    red = codeTextOf(sha256, issued, ['status']);
    await world.pass(12);
    http = await HttpWorld.start(world);
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  const post = (path: string, form: Record<string, string>) =>
    fetch(http.server.address + path, { method: 'POST', body: new URLSearchParams(form) });
  async function textOf(answer: Response, status = 200): Promise<string> {
    assert.equal(answer.status, status);
    return answer.text();
  }

  it('runs nothing, loads nothing from elsewhere, and offers the rules that are in force', async () => {
    for (const path of ['/gate', HOSPITAL, '/pages.css']) {
      const response = await http.get(path);
      assert.match(
        response.headers.get('content-security-policy') ?? '',
        /^default-src 'none'; style-src 'self'/,
      );
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('set-cookie'), null);
      assert.doesNotMatch(await textOf(response), /<script|style=|https?:|<b>|over\//);
    }
    const choices = await textOf(await http.get('/gate'));
    for (const value of ['test/gate', 'test/hospital', ''])
      assert.ok(choices.includes(`<option value="${value}">`));
    assert.equal((await fetch(`${http.server.address}/gate`, { method: 'PUT' })).status, 405);
  });

  it('judges by the rules of the place that its address holds, and names the rule', async () => {
    const gate = await textOf(await post(HOSPITAL, { code: ` ${red}\n`, role: '' }));
    assert.match(
      gate,
      /<section class="verdict stop"[^]*STOP[^]*Red stops\. \(rule red of test, version 3\)/,
    );
    const patient = await textOf(await post(HOSPITAL, { code: red, role: 'patient' }));
    assert.match(
      patient,
      /"verdict act"[^]*judged as patient[^]*Red is led aside\. \(rule red-patient of test/,
    );
    assert.ok(!patient.includes(red), 'a code is not sent back');
    assert.match(patient, /action="\/gate\?place=test%2Fhospital&amp;risk=high"/);
    assert.match(patient, /<option value="">nobody in particular/, 'the next person has no role');
    const bare = await textOf(await post('/gate?place=', { code: red }));
    assert.match(bare, /"verdict stop"[^]*STOP/);
    assert.doesNotMatch(bare, /of test, version/);
  });

  it('says that an address without a risk means low, which is what it judges at', async () => {
    const page = await textOf(await http.get('/gate?place=test%2Fhospital'));
    assert.match(page, /risk low\.[^]*An address\s+without a risk means low\./);
    assert.match(page, /action="\/gate\?place=test%2Fhospital&amp;risk=low"/);
  });

  for (const [what, path, form, message] of [
    ['no place', '/gate', { code: 'x' }, /Choose the kind of place first/],
    ['a place that the rules do not know', '/gate?place=test%2Fhospitl', { code: 'x' }, /no such place/],
    ['a role in place of the kind', '/gate?place=test%2Fpatient', { code: 'x' }, /no such place/],
    ['a colour as a kind', '/gate?place=test%2Fred', { code: 'x' }, /no such place/],
    ['a kind in place of the role', HOSPITAL, { code: 'x', role: 'hospital' }, /do not know this role/],
    ['rules that are over', '/gate?place=over%2Fgate', { code: 'x' }, /no such place/],
    ['a risk that is none', '/gate?place=test%2Fgate&risk=none', { code: 'x' }, /no such place/],
    ['a role that they do not know', HOSPITAL, { code: 'x', role: 'patiant' }, /do not know this role/],
  ] as const) {
    it(`B67: gives no verdict for ${what}`, async () => {
      const text = await textOf(await post(path, form), 422);
      assert.match(text, message);
      assert.doesNotMatch(text, /class="verdict/);
    });
  }

  it('B63: refuses what is no form, and what is too long', async () => {
    assert.equal((await http.post(HOSPITAL, { code: red })).status, 400);
    assert.equal((await post(HOSPITAL, { code: 'x'.repeat(20_000) })).status, 400);
  });

  describe('in a browser', () => {
    let browser: Browser | undefined;
    let page: Page;

    before(async function () {
      browser = await openBrowser();
      if (browser === undefined) {
        console.log('      no chromium on this machine: skipped (apt-get install chromium)');
        this.skip();
      }
      page = await browser.newPage({ viewport: { width: 420, height: 820 } });
    });
    after(() => browser?.close());

    it('takes the place once, then one code after the other by keyboard alone', async () => {
      await page.goto(`${http.server.address}/gate`);
      await page.selectOption('#place', 'test/hospital');
      await page.selectOption('#risk', 'high');
      await page.click('button');
      assert.equal(new URL(page.url()).search, '?place=test%2Fhospital&risk=high');
      // As a hand scanner types: into the field that has the focus, with a line end behind it.
      await page.keyboard.type(`${red}\n`, { delay: 0 });
      await page.waitForSelector('.verdict.stop');
      assert.equal(await page.inputValue('#code'), '');
      await page.selectOption('#role', 'patient');
      await page.focus('#code');
      await page.keyboard.type(`${red}\n`, { delay: 0 });
      await page.waitForSelector('.verdict.act');
      assert.equal(await page.inputValue('#role'), '');
      assert.match(
        (await page.textContent('main')) ?? '',
        /Place: *Hospital & <b>clinic<\/b>, by the rules test/,
      );
      const shot = process.env['GATE_SHOT'];
      if (shot !== undefined) await page.screenshot({ path: shot });
      await page.goto(page.url());
      assert.equal(await page.inputValue('#code'), '', 'a bookmark leads to the same place');
    });
  });
});
