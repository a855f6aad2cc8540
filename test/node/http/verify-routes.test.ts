import assert from 'node:assert/strict';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { HttpWorld, problemIn, threeRegions } from '../../support/http-fixture.ts';

describe('POST /v1/verify', () => {
  let http: HttpWorld;
  let code: Awaited<ReturnType<HttpWorld['world']['issue']>>;

  before(async () => {
    const world = await threeRegions();
    code = await world.issue('FR');
    await world.pass(12);
    http = await HttpWorld.start(world);
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  async function verdictOn(body: unknown): Promise<Verdict> {
    const response = await http.post('/v1/verify', body);
    assert.equal(response.status, 200);
    return (await response.json()) as Verdict;
  }

  it('gives the verdict of the node, in at most 1 KB, and forbids to store it', async () => {
    const response = await http.post('/v1/verify', { code: code.text });
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('etag'), null);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const text = await response.text();
    assert.ok(text.length <= 1_024, `${text.length} bytes`);
    const expected = await http.world.verify('DE', code.text);
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(expected)));
    assert.equal(expected.outcome, 'pass');
  });

  it('judges many codes in their order, whatever they are', async () => {
    const codes = [code.text, '', 'ENT1:', 'ENT9:00', 'x'.repeat(5_000), code.text.replace('ENT1:', 'ent1:')];
    const response = await http.post('/v1/verify', { codes });
    const { verdicts } = (await response.json()) as { verdicts: Verdict[] };
    const all = verdicts.map(({ outcome, reasons }) => [
      outcome,
      reasons[0]?.code,
      reasons[0]?.details?.['fault'],
    ]);
    assert.deepEqual(all, [
      ['pass', 'IDENTITY_CHECK', undefined],
      ['stop', 'MALFORMED', 'CODE_EMPTY'],
      ['stop', 'MALFORMED', 'CODE_EMPTY'],
      ['undetermined', 'VERSION_UNKNOWN', undefined],
      ['stop', 'MALFORMED', 'TOO_LARGE'],
      ['stop', 'MALFORMED', 'CODE_UNKNOWN'],
    ]);
  });

  it('heeds what the place asks for', async () => {
    const place = { risk: 'high', kind: 'hospital', gradeNeeded: 'challenged' };
    const { outcome, reasons } = await verdictOn({ code: code.text, place });
    assert.equal(outcome, 'act');
    assert.ok(reasons.some((reason) => reason.code === 'GRADE_TOO_LOW'));
    const old = await verdictOn({ code: code.text, place: { limits: { knowledgeAgeS: 0 } } });
    assert.equal(old.outcome, 'undetermined');
  });

  it('the time is its own: nobody can ask for another', async () => {
    for (const member of ['at', 'nowS', 'mode', 'proofs', 'acceptance']) {
      const response = await http.post('/v1/verify', { code: code.text, [member]: 0 });
      await problemIn(response, 422, 'INPUT_INVALID');
    }
  });

  const refused: readonly [what: string, body: unknown, at: string][] = [
    ['neither code nor codes', {}, '/'],
    ['both', { code: '', codes: [''] }, '/'],
    ['a code that is a number', { code: 1 }, '/code'],
    ['no codes at all', { codes: [] }, '/codes'],
    ['101 codes', { codes: Array.from({ length: 101 }, () => '') }, '/codes'],
    ['a place of unknown risk', { code: '', place: { risk: 'none' } }, '/place/risk'],
    ['a kind with spaces', { code: '', place: { kind: 'a b' } }, '/place/kind'],
    [
      'a limit below zero',
      { code: '', place: { limits: { knowledgeAgeS: -1 } } },
      '/place/limits/knowledgeAgeS',
    ],
    [
      'a limit of 1e300',
      { code: '', place: { limits: { issuerSilenceS: 1e300 } } },
      '/place/limits/issuerSilenceS',
    ],
    ['a challenge of 7 bytes', { code: '', challenge: '00'.repeat(7) }, '/challenge'],
    ['a challenge of 33 bytes', { code: '', challenge: '00'.repeat(33) }, '/challenge'],
    ['a list', [], '/'],
    ['null', null, '/'],
  ];
  for (const [what, body, at] of refused) {
    it(`B67: refuses ${what} and names the member`, async () => {
      const { errors } = await problemIn(await http.post('/v1/verify', body), 422, 'INPUT_INVALID');
      assert.ok(
        errors?.some((error) => error.at === at),
        JSON.stringify(errors),
      );
    });
  }

  it('B63: refuses a body of one byte more than 64 KiB, with and without its length', async () => {
    const body = `{"code":"${'A'.repeat(65_536 - 11)}"}`;
    assert.equal(body.length, 65_536);
    assert.equal((await http.post('/v1/verify', body)).status, 200);
    await problemIn(await http.post('/v1/verify', `${body} `), 413, 'BODY_TOO_LARGE');
    const chunk = `10001\r\n${body} \r\n0\r\n\r\n`;
    const head = 'POST /v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    assert.match(await http.raw(`${head}transfer-encoding: chunked\r\n\r\n${chunk}`), /^HTTP\/1\.1 413 /);
  });

  it('B63: refuses what is nested to the end of its body', async () => {
    for (const body of ['['.repeat(65_000), `${'['.repeat(30_000)}${']'.repeat(30_000)}`]) {
      await problemIn(await http.post('/v1/verify', body), 400, 'BODY_MALFORMED');
    }
  });

  it('B64: refuses a name that stands twice, escaped or not', async () => {
    for (const body of ['{"code":"a","code":"b"}', '{"code":"a","\\u0063ode":"b"}']) {
      await problemIn(await http.post('/v1/verify', body), 400, 'BODY_MALFORMED');
    }
  });

  it('refuses other types and other encodings', async () => {
    const asText = { 'content-type': 'text/plain' };
    await problemIn(await http.post('/v1/verify', '{}', asText), 415, 'BODY_TYPE');
    const asForm = { 'content-type': 'application/jsonp' };
    await problemIn(await http.post('/v1/verify', '{}', asForm), 415, 'BODY_TYPE');
    await problemIn(await http.post('/v1/verify', '{"code":'), 400, 'BODY_MALFORMED');
    const head =
      'POST /v1/verify HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n';
    assert.match(
      await http.raw(`${head}content-length: 12\r\n\r\n{"code":"\xff"}`),
      /^HTTP\/1\.1 400 [^]*BODY_MALFORMED/,
    );
  });

  it('B66: refuses two lengths, a bad chunk and a head of 17 KiB, and goes on', async () => {
    const head = 'POST /v1/verify HTTP/1.1\r\nhost: x\r\n';
    assert.match(
      await http.raw(`${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      /^HTTP\/1\.1 400 /,
    );
    assert.match(
      await http.raw(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`),
      /^HTTP\/1\.1 400 /,
    );
    assert.match(await http.raw(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`), /^HTTP\/1\.1 400 /);
    assert.match(await http.raw(`${head}x: ${'x'.repeat(17_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal((await verdictOn({ code: code.text })).outcome, 'pass');
  });

  it('no code and no body is in the log, and none of what went wrong tells what was sent', () => {
    const logged = http.lines.join('');
    for (const trace of [code.text, code.text.slice(5, 40), 'ENT1:']) assert.ok(!logged.includes(trace));
  });
});
