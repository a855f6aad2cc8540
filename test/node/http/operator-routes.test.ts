import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { RunningOverrides } from '../../../cli/desk/override-desk.ts';
import { AdminClient, AdminProblem } from '../../../node/http/admin-client.ts';
import { opensslBackEnd } from '../../../node/crypto/openssl.ts';
import { declarationsExample } from '../../../node/life/declaration.ts';
import { exampleFile } from '../../../node/lists/kinds.ts';
import { makeOperatorKey } from '../../../node/operators/operator-key.ts';
import { type Needed, type Scope, SCOPES } from '../../../node/operators/scopes.ts';
import { parseTrailLine } from '../../../node/operators/trail-line.ts';
import { systemRandom as openRandom } from '../../../node/system-random.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { AdminWorld, refusedWith } from '../../support/admin-fixture.ts';
import { csvOf, fileOf } from '../../support/lookup-fixture.ts';
import { DAY_S } from '../../support/region-fixture.ts';
import { problemIn } from '../../support/http-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const systemRandom = openRandom();

describe('Operators at the admin address', () => {
  const folder = temporaryFolders();
  let admin: AdminWorld;

  before(async () => {
    admin = await AdminWorld.start(folder());
    for (const subject of ['o1', 'o2', 'o3']) await admin.issue(admin.orderOf(subject));
  });
  after(() => admin.stop());

  /** What each route needs. Whoever adds one decides it here too. */
  const NEEDS: Readonly<Record<string, Needed>> = {
    'post /v1/issue': 'issue',
    'get /v1/issue/ordered': 'read',
    'post /v1/issue/batch': 'issue',
    'post /v1/bridge/batch': 'issue',
    'post /v1/lists/import': 'issue',
    'post /v1/joinings/confirm-invited': 'trust',
    'post /v1/joinings/confirm-joined': 'trust',
    'post /v1/joinings/drop': 'trust',
    'post /v1/joinings/invite': 'trust',
    'post /v1/joinings/join': 'trust',
    'post /v1/lists/find': 'issue',
    'post /v1/lookup/numbers': 'issue',
    'get /v1/lookup': 'read',
    'get /v1/verifiers': 'read',
    'post /v1/verifiers': 'trust',
    'post /v1/verifiers/remove': 'trust',
    'post /v1/declarations': 'issue',
    'post /v1/declarations/import': 'issue',
    'post /v1/declarations/find': 'issue',
    'post /v1/update': 'issue',
    'post /v1/notices': 'issue',
    'post /v1/notices/told': 'issue',
    'post /v1/holder': 'issue',
    'get /v1/objections': 'issue',
    'post /v1/objections': 'issue',
    'post /v1/objections/decide': 'issue',
    'post /v1/codes': 'issue',
    'post /v1/override/propose': 'issue',
    'post /v1/override/confirm': 'issue',
    'post /v1/override/show': 'issue',
    'get /v1/override': 'read',
    'post /v1/disclosures': 'audit',
    'post /v1/revoke': 'revoke',
    'post /v1/foreign-revocations': 'revoke',
    'post /v1/forget': 'revoke',
    'post /v1/entries': 'trust',
    'post /v1/evidence': 'trust',
    'get /v1/evidence': 'read',
    'post /v1/suspend': 'trust',
    'post /v1/state': 'trust',
    'post /v1/promote': 'trust',
    'post /v1/force': 'trust',
    'post /v1/stop': 'trust',
    'post /v1/reload': 'trust',
    'post /v1/witness': 'trust',
    'get /v1/status': 'read',
    'get /v1/receipt': 'read',
    'get /v1/peers': 'read',
    'get /v1/joinings': 'read',
    'get /v1/keys': 'read',
    'get /v1/lists': 'read',
    'get /v1/operators': 'read',
    'post /v1/publish': 'publish',
    'post /v1/operators': 'operators',
    'post /v1/operators/remove': 'operators',
  };
  const needed = Object.entries(NEEDS);

  /** An operator with these scopes, who asks. */
  async function named(name: string, scopes: readonly Scope[]): Promise<AdminClient> {
    const modules = { ...opensslBackEnd, random: systemRandom };
    const operator = await makeOperatorKey(join(folder(), 'key'), { region: 'DE', name }, modules);
    const body = { name, publicKey: hexOf(operator.publicKey), scopes };
    await admin.ask({ method: 'POST', path: '/v1/operators', body });
    const listen = admin.host;
    return new AdminClient({ listen, secretFile: 'none', operator, nowS: () => admin.world.nowS });
  }

  const askAs = (who: AdminClient, route: string) => {
    const [method = '', path = ''] = route.split(' ');
    const request = { method: method.toUpperCase() as 'GET' | 'POST', path };
    // Which answers by lines, of which there are none here.
    if (route === 'get /v1/evidence')
      return admin.world.run(who.lines(request, [], { type: 'application/json' }).next());
    return admin.world.run(who.ask(request.method === 'GET' ? request : { ...request, body: {} }));
  };

  it('every route says what it needs, and there is no other', async () => {
    const headers = { authorization: `Bearer ${admin.secret}` };
    const response = await fetch(`${admin.url}/openapi.json`, { headers });
    const { paths } = (await response.json()) as {
      paths: Record<string, Record<string, { 'x-needs'?: Needed }>>;
    };
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => [`${method} ${path}`, route['x-needs']]),
    );
    assert.deepEqual(Object.fromEntries(described), NEEDS);
  });

  it('every route refuses an operator with all scopes but the one that it needs, and takes one with it', async () => {
    for (const scope of SCOPES) {
      const others = await named(
        `no-${scope}`,
        SCOPES.filter((one) => one !== scope),
      );
      const itself = await named(`only-${scope}`, [scope]);
      for (const [route] of needed.filter(([, needs]) => needs === scope)) {
        // How the node is may be seen by each of them.
        if (scope === 'read') await askAs(others, route);
        else await assert.rejects(askAs(others, route), refusedWith(403, 'SCOPE_MISSING'), route);
        // Without a good body most are refused later, for that.
        const answer = await askAs(itself, route).catch((error: unknown) => error);
        const { status = 200 } = answer instanceof AdminProblem ? answer.problem : {};
        assert.ok(status !== 401 && status !== 403, `${route}: ${status}`);
      }
      for (const [route, needs] of needed)
        if (needs === 'operators')
          await assert.rejects(askAs(others, route), refusedWith(403, 'SCOPE_MISSING'));
    }
  });

  it('once there are operators the secret looks on and names them, and does nothing else', async () => {
    for (const [route, needs] of needed) {
      if (needs === 'read' || needs === 'operators' || needs === 'publish') continue;
      await assert.rejects(askAs(admin.client, route), refusedWith(403, 'SCOPE_MISSING'), route);
    }
    await admin.ask({ method: 'GET', path: '/v1/status' });
  });

  it('what was asked stands in the trail, with who asked, and nothing of people', async () => {
    const who = await named('carla', ['issue', 'revoke']);
    const body = admin.orderOf('Person Secret');
    await assert.rejects(
      admin.world.run(who.ask({ method: 'POST', path: '/v1/issue', body })),
      /two operators/,
    );
    await assert.rejects(
      admin.world.run(who.ask({ method: 'POST', path: '/v1/revoke', body: { subject: 'Person Nobody' } })),
    );
    const text = readFileSync(admin.files.trailFile, 'utf8');
    assert.doesNotMatch(text, /Person|green/);
    const [issued, , revoking, failed] = text.trimEnd().split('\n').slice(-4).map(parseTrailLine);
    assert.deepEqual([issued?.who, issued?.action, issued?.failed], ['carla', 'issue', undefined]);
    assert.deepEqual([revoking?.who, revoking?.action], ['carla', 'revoke']);
    assert.deepEqual(failed?.failed, { n: revoking?.n, code: 'PATH_UNKNOWN' });
  });

  const newest = (count: number) =>
    readFileSync(admin.files.trailFile, 'utf8').trimEnd().split('\n').slice(-count).map(parseTrailLine);

  it('the trail says whom and how many before it is done: an operator with key and scopes, codes by their number', async () => {
    const who = await named('dora', ['issue', 'revoke']);
    const [naming] = newest(1);
    assert.match(naming?.about ?? '', /^dora [0-9a-f]{16} issue,revoke$/);
    const log = '2026-11';
    const body = { log, indexes: [0, 1] };
    await admin.world.run(who.ask({ method: 'POST', path: '/v1/revoke', body }));
    const [revoking] = newest(1);
    assert.deepEqual([revoking?.action, revoking?.count, revoking?.about], ['revoke', 2, log]);
    await admin.ask({ method: 'POST', path: '/v1/operators/remove', body: { name: 'dora' } });
    assert.equal(newest(1)[0]?.about, naming?.about);
  });

  it('the trail says which leaves were opened, and for whom', async () => {
    const who = await named('gustav', ['audit']);
    const auditor = await identityToRecipient(await generateX25519Identity());
    const body = { log: '2026-11', from: 1, until: 3, auditor };
    const answer = await admin.world.run(who.ask({ method: 'POST', path: '/v1/disclosures', body }));
    assert.equal((answer as { opened: number }).opened, 2);
    const [disclosing] = newest(1);
    assert.deepEqual(
      [disclosing?.who, disclosing?.action, disclosing?.count, disclosing?.about],
      ['gustav', 'disclosures', 2, `2026-11 from 1 for ${auditor}`],
    );
  });

  it('an override is proposed and confirmed by what operators sign with their own keys, and not without', async () => {
    const deskOf = async (name: string) => {
      const client = await named(name, ['issue']);
      const modules = { client, sha256, random: systemRandom, nowS: () => admin.world.nowS };
      const desk = new RunningOverrides({ region: 'DE', network: 'test', signer: client.operator }, modules);
      return { desk, client };
    };
    const [nora, otto] = [await deskOf('nora'), await deskOf('otto')];
    const order = { reason: 'outbreak', colour: 'red', days: 1, subjects: ['o1'] } as const;
    for (const [path, body] of [
      ['propose', order],
      ['confirm', { id: '0'.repeat(32) }],
    ] as const) {
      const asked = nora.client.ask({ method: 'POST', path: `/v1/override/${path}`, body });
      await assert.rejects(admin.world.run(asked), refusedWith(422, 'INPUT_INVALID'));
    }
    const { id, proposalDigest } = await admin.world.run(nora.desk.propose(order));
    const confirm = ({ desk }: typeof nora, digest = proposalDigest) =>
      admin.world.run(desk.confirm(id, digest));
    await assert.rejects(confirm(nora), /who proposed it cannot confirm it/);
    await assert.rejects(confirm(otto, '0'.repeat(64)), /not what was shown/);
    assert.equal((await admin.world.run(otto.desk.show(id))).state, 'proposed');
    assert.deepEqual(await confirm(otto), { issued: 1 });
    const shown = await admin.world.run(otto.desk.show(id));
    assert.deepEqual([shown.state, shown.proposed.name, shown.confirmed?.name], ['done', 'nora', 'otto']);
    const nobody = { client: admin.client, sha256, random: systemRandom, nowS: () => admin.world.nowS };
    const desk = new RunningOverrides({ region: 'DE', network: 'test', signer: undefined }, nobody);
    await assert.rejects(desk.propose(order), /only a named operator/);
  });

  it('one who may revoke and issue turns nobody on told facts by forgetting them first', async () => {
    const order = await admin.byRules();
    const who = await named('hugo', ['issue', 'revoke']);
    const asks = (path: string, body: object) => admin.world.run(who.ask({ method: 'POST', path, body }));
    const red = (subject: string) => order(subject, { 'contact.close': admin.today });
    await asks('/v1/issue', order('o8'));
    const isTold = (error: unknown) => {
      assert.match((error as Error).message, /^only what is told with the order gives a colour/);
      return refusedWith(409, 'REFUSED')(error);
    };
    await assert.rejects(asks('/v1/issue', red('o8')), isTold);
    await asks('/v1/revoke', { subject: 'o8' });
    await assert.rejects(asks('/v1/issue', red('o8')), isTold);
    await asks('/v1/forget', { subject: 'o8' });
    assert.deepEqual(await admin.world.node('DE').heldCodes.ofSubject('o8'), []);
    await assert.rejects(asks('/v1/issue', red('o8')), isTold);
    // Of whom nothing was ever known it is believed.
    await asks('/v1/issue', red('o9'));
  });

  it('the trail says how an answer by lines has ended', async () => {
    const who = await named('emil', ['issue']);
    const orders = [admin.orderOf('Person 00103'), { subject: 'Person 00104' }];
    const request = { method: 'POST', path: '/v1/issue/batch' } as const;
    const body = orders.map((one) => `${JSON.stringify(one)}\n`);
    const taken = async () => {
      let count = 0;
      for await (const line of who.lines(request, body)) if (line !== undefined) count++;
      return count;
    };
    assert.equal(await admin.world.run(taken()), 2);
    const [begun, ended] = newest(2);
    assert.deepEqual([begun?.action, begun?.ended], ['issue/batch', undefined]);
    assert.deepEqual(ended?.ended, { n: begun?.n, done: 0, failed: 2 });
  });

  /** Sends a file, whose end the trail tells by then. */
  async function sent(who: AdminClient, path: string, text: string): Promise<unknown> {
    const { n = -1 } = newest(1)[0] ?? {};
    const answer = await admin.world.run(who.sendFile({ method: 'POST', path }, fileOf(text)));
    await until(() => newest(1)[0]?.ended?.n === n + 1, 'the trail tells the end');
    return answer;
  }

  it('one operator who turns 1,317 numbers red is told of, and the trail says how many, and by which list', async () => {
    const who = await named('frida', ['issue']);
    const untilS = admin.world.nowS + 7 * DAY_S;
    const listOf = (colour: string, count: number) =>
      csvOf(
        Array.from({ length: count }, (_, i) => `N-${i}`),
        colour,
        untilS,
      );
    const take = async (csv: string) =>
      (await sent(who, '/v1/lookup/numbers', csv)) as { outcome: string; list: { digest: string } };
    const alarms = () =>
      admin.world
        .node('DE')
        .status.bulk.alarms.filter(({ kind }) => kind.startsWith('numbers'))
        .map(({ kind, count, limit }) => [kind, count, limit]);
    await take(listOf('green', 1_317));
    assert.deepEqual(alarms(), []);
    const { list } = await take(listOf('red', 1_317));
    assert.deepEqual(alarms(), [['numbersStricter', 1_317, 1_000]]);
    const [begun, ended] = newest(2);
    assert.deepEqual([begun?.who, begun?.action, begun?.ended], ['frida', 'lookup/numbers', undefined]);
    const figures = { changed: 1_317, stricter: 1_317 };
    assert.deepEqual(ended?.ended, { n: begun?.n, done: 1_317, failed: 0, figures, digest: list.digest });
    await take(listOf('green', 1_317));
    assert.deepEqual(alarms()[0], ['numbersLooser', 1_317, 1_000]);
    assert.deepEqual(newest(1)[0]?.ended?.figures, { changed: 1_317, looser: 1_317 });
    // The same list once more turns nobody.
    assert.equal((await take(listOf('green', 1_317))).outcome, 'unchanged');
    assert.deepEqual([newest(1)[0]?.ended?.done, newest(1)[0]?.ended?.figures], [0, undefined]);
    assert.equal(alarms().length, 2);
  });

  it('the trail says of a file how much of it was taken, and which file it was', async () => {
    const who = await named('karl', ['issue']);
    const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
    const asOf = `source=office&asOfS=${admin.world.nowS}`;
    // Before the clock of this world.
    const before = (example: string) => example.replaceAll('2026-11-', '2026-10-');
    const areas = before(exampleFile('areas'));
    await sent(who, `/v1/lists/import?kind=areas&${asOf}`, areas);
    const listed = newest(1)[0]?.ended;
    const [version] = await admin.world.node('DE').lists.versions('areas');
    const karl = { name: 'karl', keyId: newest(1)[0]?.key };
    assert.deepEqual(version?.operator, karl);
    assert.deepEqual(
      [listed?.done, listed?.failed, listed?.digest],
      [areas.trim().split('\n').length - 1, 0, digestOf(areas)],
    );
    assert.equal(listed?.figures?.['entries'], listed?.done);
    const declared = before(declarationsExample());
    await sent(who, '/v1/declarations/import?source=office', declared);
    const taken = newest(1)[0]?.ended;
    assert.deepEqual([taken?.done, taken?.figures], [2, { added: 2 }]);
    assert.equal(taken?.digest, digestOf(declared));
    const bringerOf = async (subject: string) =>
      (await admin.world.node('DE').life.holder(subject, false)).operator;
    assert.deepEqual(await bringerOf('P-00001'), karl);
    const secret = readFileSync(admin.files.deskSecretFile, 'utf8').trim();
    const form = {
      subject: 'of-form',
      full_name: 'Person Form',
      birth_date: '1990-05-17',
      symptoms: 'false',
    };
    const body = new URLSearchParams({ ...form, consent: 'true', secret });
    const stored = await admin.world.run(fetch(`${admin.url}/declare`, { method: 'POST', body }));
    assert.equal(stored.status, 200);
    assert.deepEqual(await bringerOf('of-form'), { name: 'desk' });
    await sent(who, '/v1/declarations/import?source=office', declared);
    assert.deepEqual(newest(1)[0]?.ended?.figures, { unchanged: 2 });
    await sent(who, '/v1/declarations/import?source=office', 'subject\n');
    const refused = newest(1)[0]?.ended;
    assert.deepEqual([refused?.done, refused?.figures, refused?.digest], [0, undefined, undefined]);
    assert.ok((refused?.failed ?? 0) > 0);
  });

  it('the secret of the desk is good for the pages alone, and the secret of the node is not', async () => {
    const desk = readFileSync(admin.files.deskSecretFile, 'utf8').trim();
    const response = await fetch(`${admin.url}/v1/status`, { headers: { authorization: `Bearer ${desk}` } });
    await problemIn(response, 401, 'UNAUTHORISED');
    const look = (given: string) =>
      admin.world.run(
        fetch(`${admin.url}/holder`, {
          method: 'POST',
          body: new URLSearchParams({ subject: 'x', secret: given }),
        }),
      );
    assert.equal((await look(admin.secret)).status, 403);
    assert.equal((await look(desk)).status, 404);
    const last = readFileSync(admin.files.trailFile, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    assert.deepEqual([parseTrailLine(last)?.who, parseTrailLine(last)?.action], ['desk', 'holder']);
    const { count, about, failed } = parseTrailLine(last) ?? {};
    assert.deepEqual([count, about, failed?.code], [1, 'page /holder', 'NOT_FOUND']);
  });

  it('neither subjects nor codes nor the secret are in the log', () => admin.assertDiscreet());
});
