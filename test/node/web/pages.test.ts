import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type Page } from 'playwright-core';
import { openBrowser } from '../../support/browser.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { type RunningNode } from '../../support/running-node.ts';
import { temporaryFolders } from '../../support/temporary.ts';

describe('pages at the admin address', function () {
  this.timeout(60_000);
  const folder = temporaryFolders();
  let world: PeopleWorld;
  let node: RunningNode;
  let url: string;
  let secret: string;

  before(async () => {
    world = await PeopleWorld.found(folder());
    node = await world.run('--set', 'admin.listen=127.0.0.1:0', '--set', 'life.everyMinutes=0');
    url = (await node.event('listens')).admin ?? '';
    secret = readFileSync(join(world.region, 'desk.secret'), 'utf8').trim();
  });
  after(async () => {
    await node.end('SIGKILL');
  });

  const FORM = {
    subject: 'One',
    full_name: 'Person One',
    birth_date: '1990-05-17',
    symptoms: 'false',
    consent: 'true',
  };
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(form) });

  it('are the only thing that is shown without the secret, run nothing and load nothing from elsewhere', async () => {
    for (const path of ['/declare', '/holder', '/pages.css']) {
      const response = await fetch(`${url}${path}`);
      assert.equal(response.status, 200, path);
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.match(policy, /^default-src 'none'; style-src 'self'; form-action 'self'/);
      assert.doesNotMatch(policy, /unsafe|script-src/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.doesNotMatch(await response.text(), /<script|style=|https?:/);
    }
    assert.equal((await fetch(`${url}/declare/more`)).status, 401);
    assert.equal((await fetch(`${url}/declare`, { method: 'PUT' })).status, 405);
  });

  it('T26 take nothing and tell nothing without the secret, and never send it back', async () => {
    for (const wrong of ['', 'x', secret.slice(0, -1), `${secret}x`]) {
      const response = await post('/declare', { ...FORM, secret: wrong });
      assert.equal(response.status, 403);
      const text = await response.text();
      assert.match(text, /The secret is not the one of the desk of this node/);
      assert.match(text, /value="Person One"/);
      if (wrong !== '') assert.ok(!text.includes(`value="${wrong}"`));
      assert.equal((await post('/holder', { subject: 'One', secret: wrong })).status, 403);
    }
    assert.equal((await post('/holder', { subject: 'One', secret })).status, 404);
  });

  it('B69 tell what is wrong beside each field, and escape what was filled in', async () => {
    const response = await post('/declare', {
      secret,
      subject: '<script>alert(1)</script>',
      full_name: '=HYPERLINK("x")',
      birth_date: '2021-02-30',
      travel: 'nowhere',
      symptoms: 'maybe',
    });
    assert.equal(response.status, 422);
    const text = await response.text();
    for (const said of [
      /href="#consent"[^>]*>Consent is empty/,
      /id="consent-fault">Consent is empty/,
      /href="#birth_date"[^>]*>Day of birth is not a day of the calendar/,
      /href="#travel"[^>]*>Areas and days of the last weeks does not name an area/,
      /aria-invalid="true"/,
      /&lt;script&gt;/,
      /=HYPERLINK\(&quot;x&quot;\)/,
    ])
      assert.match(text, said);
    assert.doesNotMatch(text, /<script>/);
    const twice = await fetch(`${url}/declare`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'subject=One&subject=Two',
    });
    assert.equal(twice.status, 400);
    assert.equal((await fetch(`${url}/declare`, { method: 'POST', body: '{}' })).status, 400);
    assert.equal((await post('/declare', { ...FORM, address: 'x'.repeat(20_000), secret })).status, 400);
  });

  describe('in a browser without scripts', () => {
    let browser: Browser | undefined;
    let page: Page;

    before(async function () {
      browser = await openBrowser();
      if (browser === undefined) this.skip();
      const context = await browser.newContext({ javaScriptEnabled: false });
      page = await context.newPage();
    });
    after(async () => {
      await browser?.close();
    });

    it('need no sideways scroll at the width of a small phone', async () => {
      await page.setViewportSize({ width: 360, height: 640 });
      for (const path of ['/declare', '/holder']) {
        await page.goto(`${url}${path}`);
        const boxes = await page.locator('fieldset, input, select, textarea').all();
        for (const one of boxes) {
          const { x, width } = (await one.boundingBox()) ?? assert.fail();
          assert.ok(x + width <= 360, `${path}: ${x + width}`);
        }
        assert.ok(boxes.length > 1);
      }
      await page.setViewportSize({ width: 1_280, height: 720 });
    });

    it('take a declaration, and show the colour that came of it, by labels alone', async () => {
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(`${url}/declare`);
      await page.getByLabel('Reference of the person').fill('Seven');
      await page.getByLabel('Name').fill('Person Seven');
      await page.getByLabel('Day of birth').fill('1990-05-17');
      await page.getByLabel('Yes').check();
      await page.getByLabel('The person agrees').check();
      await page.getByLabel('Secret of the desk').fill(secret);
      await page.getByRole('button', { name: 'Store' }).click();
      await page.getByRole('status').getByText('The declaration of Seven is stored').waitFor();
      assert.equal(await page.getByLabel('Secret of the desk').inputValue(), '');
      const headers = {
        authorization: `Bearer ${readFileSync(join(world.region, 'admin.secret'), 'utf8').trim()}`,
        'content-type': 'application/json',
      };
      const updated = await fetch(`${url}/v1/update`, { method: 'POST', headers, body: '{}' });
      assert.match(await updated.text(), /"first":1/);
      await page.getByRole('link', { name: 'Look up' }).click();
      await page.getByLabel('Reference of the person').fill('Seven');
      await page.getByLabel('Secret of the desk').fill(secret);
      await page.getByRole('button', { name: 'Look up' }).click();
      await page.getByText('The health code of DE is YELLOW. You stay at home.').waitFor();
      await page.getByText('Why: The person declared symptoms.').waitFor();
      assert.deepEqual(complaints, []);
    });
  });

  describe('for people with documents', () => {
    it('tell nobody whose reference has a document that another declares', async () => {
      const papers = { id_type: 'passport', id_country: 'DE', id_number: 'C88888888' };
      const bearer = { ...FORM, ...papers, secret, subject: 'Bearer-4711', full_name: 'Person Bearer' };
      assert.equal((await post('/declare', bearer)).status, 200);
      const response = await post('/declare', { ...bearer, subject: 'Two', full_name: 'Person Two' });
      assert.equal(response.status, 422);
      const text = await response.text();
      assert.match(
        text,
        /href="#id_number"[^>]*>Number of the document is of a document that another reference has/,
      );
      assert.doesNotMatch(text, /4711/);
    });
  });
});
