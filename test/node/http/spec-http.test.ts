/** What SPEC.md 15 says of the public interface, held against the interface itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allSettings } from '../../../node/config/settings.ts';
import { CODES_BY_STATUS, problemOf, REQUEST_FAULTS } from '../../../node/http/problem.ts';
import { SINGLE_BYTES_MAX, workOf } from '../../../node/http/public-server.ts';
import { problem, verdict, verifyRequest } from '../../../node/http/schemas.ts';
import { PIECE_BYTES } from '../../../node/http/long-answers.ts';
import { WATCHING_MAX } from '../../../node/http/watching.ts';
import { HEAD_BYTES_MAX } from '../../../node/http/web-server.ts';
import { CHECKPOINTS } from '../../../node/http/witness-routes.ts';
import { ADD_CHECKPOINT_BYTES_MAX } from '../../../node/witness/add-checkpoint.ts';
import { HttpWorld, threeRegions } from '../../support/http-fixture.ts';
import { answerOf } from '../../support/joining-fixture.ts';
import { projectRoot } from '../../support/project.ts';

const section = readFileSync(join(projectRoot, 'SPEC.md'), 'utf8').split('\n## 15. ')[1] ?? '';

/** The subsection of a number. */
function part(number: number): string {
  return section.split(`\n### 15.${number} `)[1]?.split('\n### ')[0] ?? '';
}

/** The rows of the tables of a text without their heads, cell by cell. */
function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.map((line) => line.split('|').slice(1, -1));
  return cells
    .filter((_, i) => !/^\|-/.test(lines[i] ?? '') && !/^\|-/.test(lines[i + 1] ?? ''))
    .map((row) => row.map((cell) => cell.trim()));
}

/** What stands in backquotes. */
function quoted(text = ''): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, inner = '']) => inner);
}

/** The JSON documents of the examples, which may go over several lines. */
function examples(text: string): unknown[] {
  const blocks = [...text.matchAll(/\n```\n([^]*?)\n```/g)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split(/\n+(?=\{)/)).map((document): unknown => JSON.parse(document));
}

describe('SPEC.md 15', () => {
  let http: HttpWorld;

  before(async () => {
    http = await HttpWorld.start(await threeRegions());
  });
  after(async () => {
    await http.server.stop();
    await http.world.stop();
  });

  async function bodyFor(path: string): Promise<unknown> {
    if (path === '/add-checkpoint') return http.addCheckpoint('FR.test/trust');
    if (path === '/v1/joining') return answerOf('AT', (await http.joining.invite({ forS: 60 })).invitation);
    return { code: '' };
  }

  const paths = rows(part(2)).map(([method = '', path, query, type, cache, etag]) => ({
    method,
    path: quoted(path)[0] ?? '',
    query: quoted(query),
    type: quoted(type)[0],
    caches: quoted(cache),
    hasEtag: etag === 'yes',
  }));

  it('names the paths that /openapi.json describes, with their parameters, and itself', async () => {
    const { paths: described } = (await (await http.get('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
    };
    const all = Object.entries(described).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [] }]) => ({
        method: method.toUpperCase(),
        path,
        query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      })),
    );
    assert.deepEqual(
      paths.map(({ method, path, query }) => ({ method, path, query })).sort(byPath),
      [...all, { method: 'GET', path: '/openapi.json', query: [] }].sort(byPath),
    );
  });

  it('gives each path the media type, the caching and the tag of its answers', async () => {
    const size = http.world.node('DE').log('DE.test/trust')?.size ?? 0;
    const values: Record<string, string | number> = {
      since: 'FR:1',
      region: 'DE',
      index: 0,
      size,
      oldSize: 1,
      newSize: size,
      day: 20_783,
      root: 'ab'.repeat(32),
      bits: 0,
      bucket: 0,
      tile: `0/000.p/${size}`,
      origin: 'DE.test/trust',
    };
    for (const { method, path, query, type, caches, hasEtag } of paths) {
      const bare = path.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
      const search = query.map((name) => `${name}=${values[name]}`).join('&');
      const body = await bodyFor(path);
      const response = method === 'POST' ? await http.post(bare, body) : await http.get(`${bare}?${search}`);
      assert.equal(response.status, 200, `${bare}?${search}`);
      assert.equal(response.headers.get('content-type'), type, path);
      const cache = response.headers.get('cache-control') ?? '';
      assert.equal(path.includes('{tile}') ? caches[1] : caches[0], cache, path);
      assert.equal(response.headers.has('etag'), hasEtag, path);
      assert.equal(response.headers.get('access-control-allow-origin'), '*', path);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
      await response.arrayBuffer();
    }
  });

  it('names the members of a request and of a verdict', () => {
    const [asked, answered] = [part(3).split('| `outcome` |')[0] ?? '', part(3)];
    const named = (text: string) => rows(text).flatMap(([members]) => quoted(members));
    const inRequest = named(asked);
    assert.deepEqual(inRequest.toSorted(), ['challenge', 'code', 'codes', 'home', 'place', 'role', 'rules']);
    assert.deepEqual(
      named(answered).slice(inRequest.length).toSorted(),
      Object.keys(verdict.shape).toSorted(),
    );
  });

  it('its examples are what is taken and given', async () => {
    const [request, answer, another] = examples(part(3));
    assert.ok(verifyRequest(1).safeParse(request).success);
    const given = (await (await http.post('/v1/verify', request)).json()) as object;
    assert.deepEqual({ ...given, atS: 0 }, { ...(answer as object), atS: 0 });
    for (const one of [answer, another]) assert.deepEqual(verdict.strict().parse(one), one);
    const [told] = examples(part(8));
    assert.deepEqual(problem.strict().parse(told), told);
  });

  it('gives each fault its status, and knows every fault of a request that needs no secret', () => {
    const table = rows(part(8)).map(([status, codes]) => [Number(status), quoted(codes)] as const);
    for (const [status, codes] of table) {
      for (const code of codes) {
        const isListed = CODES_BY_STATUS[status]?.includes(code as never) === true;
        const isOther = code === 'INTERNAL' || code === 'SIZE_INVALID';
        assert.ok(isListed || isOther, `${status} ${code}`);
      }
    }
    assert.equal(problemOf(new TypeError('x'), 'public').status, 500);
    const codes = table.flatMap(([, ofStatus]) => ofStatus);
    for (const fault of REQUEST_FAULTS) assert.ok(codes.includes(fault) || fault === 'UNAUTHORISED', fault);
  });

  it('its limits are the defaults of the configuration and the figures of the code', () => {
    const figures = rows(part(9)).map(([what = '', value = '', setting]) => {
      const [, number = '', unit] = /^([\d,]+) ?(s|bytes)?$/.exec(value) ?? [];
      const figure = Number(number.replaceAll(',', '')) * (unit === 's' ? 1_000 : 1);
      return [quoted(setting)[0] ?? what, figure] as const;
    });
    const defaults = allSettings()
      .filter(({ at }) => at[0] === 'limits' && at[1] !== 'delayMsMax')
      .map(({ at, fallback }) => [at.join('.'), fallback] as const);
    const sharePercent = Object.fromEntries(defaults)['limits.addressSharePercent'];
    const expected = [
      ...defaults,
      ['head of a request', HEAD_BYTES_MAX] as const,
      ['checkpoints a second from one address', CHECKPOINTS.ofClientPerS] as const,
      ['checkpoints a second from all', CHECKPOINTS.ofAllPerS] as const,
      ['rest whose checkpoints may come at once', CHECKPOINTS.burstS * 1_000] as const,
      ['requests of 15.7 under way, of one address', (WATCHING_MAX * Number(sharePercent)) / 100] as const,
      ['requests of 15.7 under way, of all', WATCHING_MAX] as const,
    ];
    assert.ok(part(10).includes(`at most ${ADD_CHECKPOINT_BYTES_MAX.toLocaleString('en-US')}`));
    assert.ok(part(9).includes(`Answers of more than ${PIECE_BYTES.toLocaleString('en-US')} bytes`));
    assert.deepEqual(Object.fromEntries(figures), Object.fromEntries(expected));
    assert.ok(part(8).includes(`bodies of more than ${SINGLE_BYTES_MAX.toLocaleString('en-US')} bytes`));
    assert.equal(
      workOf({ url: '/v1/verify', headers: { 'content-length': `${SINGLE_BYTES_MAX + 1}` } }),
      'batch',
    );
  });
});

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}
