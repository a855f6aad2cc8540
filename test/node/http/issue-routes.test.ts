import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { signConfirmation, signProposal } from '../../../node/abuse/override-signing.ts';
import { type AdminProblem } from '../../../node/http/admin-client.ts';
import { type Ordered } from '../../../node/issuing/forgotten-marks.ts';
import { NodeError } from '../../../node/node-error.ts';
import { parseTrailLine } from '../../../node/operators/trail-line.ts';
import { systemRandom } from '../../../node/system-random.ts';
import { type Place } from '../../../node/registry/place-cipher.ts';
import { AdminWorld, refusedWith } from '../../support/admin-fixture.ts';
import { ANNA, BERT } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { problemIn } from '../../support/http-fixture.ts';
import { DAY_S } from '../../support/region-fixture.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

describe('issueRoutes', () => {
  const folder = temporaryFolders();
  let admin: AdminWorld;

  before(async () => {
    admin = await AdminWorld.start(folder());
  });
  after(() => admin.stop());

  /** Two operators turn somebody red. */
  async function confirmed(subject: string): Promise<void> {
    const { overrides } = admin.world.node('DE');
    const names = { region: 'DE', network: 'test' };
    const signing = { sha256, random: systemRandom(), nowS: () => admin.world.nowS };
    const operators = { find: (name: string) => (name === 'anna' ? ANNA : BERT).operator };
    const order = { reason: 'outbreak', colour: 'red', days: 3, subjects: [subject] } as const;
    const seen = await overrides.propose(signProposal(names, order, ANNA, signing), ANNA, operators);
    const signed = signConfirmation(names, seen, BERT, signing);
    await overrides.confirm(seen.id, signed, BERT, operators);
  }

  function isRevoked({ log, index }: Place): boolean {
    return admin.world.node('DE').keeper('DE')?.state?.revoked(log)?.has(index) === true;
  }

  const today = () => admin.today;
  const byRules = () => admin.byRules();

  /** Forgets somebody between the judging of the next order and its issuing. */
  function forgetMeanwhile(subject: string): void {
    const node = admin.world.node('DE');
    const issue = node.issue.bind(node);
    node.issue = async (request) => {
      node.issue = issue;
      await node.forget({ subject, lettingPass: true });
      return issue(request);
    };
  }

  /** Lines for lines. */
  async function batch(
    path: string,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>[]> {
    const answer = async () => {
      const response = await fetch(admin.url + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${admin.secret}`,
          'content-type': 'application/jsonl',
          ...headers,
        },
        body,
      });
      assert.equal(response.status, 200);
      return response.text();
    };
    const text = await admin.world.run(answer());
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  describe('POST /v1/issue', () => {
    it('issues a code that passes', async () => {
      const { code, log, index, expiresAtS } = await admin.issue(admin.orderOf('p1'));
      assert.ok(log.startsWith('20') && index >= 0 && expiresAtS > admin.world.nowS);
      await admin.world.pass(1);
      assert.match(await admin.world.outcome('FR', code), /^pass/);
    });

    it('opens the device and the document that were ordered', async () => {
      const { code } = await admin.issue(
        admin.orderOf('p2', { holderKey: '11'.repeat(32), document: { country: 'DE', number: 'C01X00T47' } }),
      );
      assert.match(await admin.world.outcome('DE', code), /^pass/);
    });

    it('the same key gives the same code, at the same time and later, and takes no other order', async () => {
      // Made once: the clock of the world goes on, and another expiry would be another order.
      const order = admin.orderOf('p3');
      const [first, second] = await Promise.all([
        admin.issue(order, 'order-3'),
        admin.issue(order, 'order-3'),
      ]);
      assert.deepEqual(first, second);
      assert.deepEqual(await admin.issue(order, 'order-3'), first);
      assert.notDeepEqual(await admin.issue(order, 'order-3b'), first);
      await assert.rejects(admin.issue(admin.orderOf('p4'), 'order-3'), refusedWith(409, 'ORDER_DIFFERS'));
    });

    it('the same key gives the same code also when it would be refused by now', async () => {
      const order = admin.orderOf('p5', { status: { colour: 'green', expiresAtS: admin.world.nowS + 30 } });
      const first = await admin.issue(order, 'order-5');
      await admin.world.pass(60);
      assert.deepEqual(await admin.issue(order, 'order-5'), first);
      await assert.rejects(admin.issue(order, 'order-5b'), refusedWith(422, 'INPUT_INVALID'));
    });

    it('T25 issues nothing to who was forgotten since it was ordered first, by whatever key', async () => {
      const now = async () => (await admin.ask({ method: 'GET', path: '/v1/issue/ordered' })) as Ordered;
      const ordered = await now();
      await admin.issue(admin.orderOf('p7'));
      await admin.world.run(admin.world.node('DE').forget({ subject: 'p7', lettingPass: true }));
      for (const key of [undefined, 'order-7'])
        await assert.rejects(
          admin.issue(admin.orderOf('p7', { ordered }), key),
          refusedWith(409, 'FORGOTTEN'),
        );
      await admin.issue(admin.orderOf('p7', { ordered: await now() }), 'order-7b');
    });

    it('T25 issues nothing to who is forgotten while the order is carried out', async () => {
      await admin.issue(admin.orderOf('p10'));
      forgetMeanwhile('p10');
      await assert.rejects(admin.issue(admin.orderOf('p10')), refusedWith(409, 'FORGOTTEN'));
      assert.deepEqual(await admin.world.node('DE').heldCodes.ofSubject('p10'), []);
    });

    it('refuses and revokes a code that is looser than one that two operators gave meanwhile', async () => {
      await admin.world.run(confirmed('p6'));
      await assert.rejects(admin.issue(admin.orderOf('p6')), refusedWith(409, 'REFUSED'));
      const held = await admin.world.node('DE').heldCodes.ofSubject('p6');
      assert.deepEqual(
        held.map((one) => [one.fields.status.colour, isRevoked(one)]),
        [
          ['red', false],
          ['green', true],
        ],
      );
    });

    it('by rules binds a code to no other document than that of the person', async () => {
      const order = (await byRules())('p15');
      const identity = { document: { type: 'passport', country: 'DE', number: 'C77777777' } } as const;
      const other = { ...order, identity, document: { country: 'DE', number: 'C01X00T47' } };
      await assert.rejects(admin.issue(other), (error) => {
        assert.ok(refusedWith(409, 'REFUSED')(error));
        assert.match((error as AdminProblem).message, /another document than that of the person/);
        return true;
      });
      const resident = { type: 'resident', country: 'CN', number: '110105194912310021' } as const;
      for (const told of [
        { document: resident },
        { name: 'PERSON 1' },
        { name: 'PERSON 1', birthDate: 'FAKE' },
      ])
        await assert.rejects(admin.issue({ ...order, identity: told }), refusedWith(422, 'INPUT_INVALID'));
      const own = await admin.issue({ ...other, document: { country: 'DE', number: 'c77-777-777' } });
      assert.match(await admin.world.outcome('DE', own.code), /^pass/);
    });

    it('by rules worse news revoke at once what passes, and nobody gets a looser code beside them', async () => {
      const order = await byRules();
      const green = await admin.issue(order('p8'));
      const worse = order('p8', { 'contact.close': today() });
      const red = await admin.issue(worse, 'order-8');
      assert.deepEqual([isRevoked(green), isRevoked(red)], [true, false]);
      const { sizes } = admin.world.node('DE');
      const [, size = 0] = Object.entries(sizes).find(([origin]) => origin.endsWith(red.log)) ?? [];
      assert.ok(size > 32 + green.index, 'among 31 others');
      await assert.rejects(admin.issue(order('p8')), (error) => {
        assert.ok(refusedWith(409, 'REFUSED')(error));
        assert.match((error as AdminProblem).message, /a stricter code of the person still runs/);
        return true;
      });
      assert.deepEqual(await admin.issue(worse, 'order-8'), red);
      const stream = [order('p9'), order('p9', { 'contact.close': today() }), order('p9')];
      const answers = await batch('/v1/issue/batch', stream.map((one) => JSON.stringify(one)).join('\n'));
      assert.deepEqual(
        answers.map(({ problem }) => (problem as { code?: string } | undefined)?.code),
        [undefined, undefined, 'REFUSED'],
      );
      const held = await admin.world.node('DE').heldCodes.ofSubject('p9');
      const standing = held.map((one) => `${one.fields.status.colour} ${isRevoked(one)}`);
      assert.deepEqual(standing.toSorted(), ['green true', 'red false']);
      // Who is forgotten while an order of theirs waits for another one gets nothing by either.
      const twice = [order('p11'), order('p11')].map((one) => JSON.stringify(one)).join('\n');
      for (const headers of [{}, { 'idempotency-key': 'stream-11' }]) {
        await admin.issue(order('p11'));
        forgetMeanwhile('p11');
        for (const { problem } of await batch('/v1/issue/batch', twice, headers))
          assert.equal((problem as { code?: string } | undefined)?.code, 'FORGOTTEN');
      }
    });

    it('by rules the same key revokes what its order could not, once the stricter code was there, and nothing that came since', async () => {
      const order = await byRules();
      const node = admin.world.node('DE');
      const [issue, revoke] = [node.issue.bind(node), node.revoke.bind(node)];
      const green = () => issue({ subject: 'p12', fields: { status: order('p12').status } });
      const looser: Place[] = [];
      node.issue = async (request) => {
        node.issue = issue;
        looser.push(await green());
        return issue(request);
      };
      const worse = order('p12', { 'contact.close': today() });
      node.revoke = () => Promise.reject(new NodeError('REVOCATIONS_EXCEEDED', 'none is left'));
      await assert.rejects(admin.issue(worse, 'order-12'), refusedWith(429, 'REVOCATIONS_EXCEEDED'));
      node.revoke = revoke;
      looser.push(await admin.world.run(green()));
      const red = await admin.issue(worse, 'order-12');
      assert.deepEqual([...looser, red].map(isRevoked), [true, false, false]);
    });

    const refused: readonly [what: string, order: () => object, at: string][] = [
      ['no subject', () => admin.orderOf(''), '/subject'],
      ['a subject of 65 bytes', () => admin.orderOf('x'.repeat(65)), '/subject'],
      ['half a character', () => admin.orderOf('\ud800'), '/subject'],
      [
        'an unknown colour',
        () => admin.orderOf('p', { status: { colour: 'blue', expiresAtS: admin.world.nowS + 9 } }),
        '/status/colour',
      ],
      [
        'a measure without an end',
        () =>
          admin.orderOf('p', {
            status: { colour: 'red', measure: 'isolate', expiresAtS: admin.world.nowS + 9 },
          }),
        '/status',
      ],
      [
        'green with a measure',
        () =>
          admin.orderOf('p', {
            status: {
              colour: 'green',
              measure: 'home',
              untilS: admin.world.nowS + 9,
              expiresAtS: admin.world.nowS + 9,
            },
          }),
        '/status',
      ],
      [
        'an end without a measure',
        () =>
          admin.orderOf('p', { status: { colour: 'green', untilS: 9, expiresAtS: admin.world.nowS + 9 } }),
        '/status',
      ],
      [
        'a code that has expired',
        () => admin.orderOf('p', { status: { colour: 'green', expiresAtS: admin.world.nowS } }),
        '/status/expiresAtS',
      ],
      [
        'a code of 31 days and an hour',
        () => admin.orderOf('p', { status: { colour: 'green', expiresAtS: admin.world.nowS + 31 * DAY_S } }),
        '/status/expiresAtS',
      ],
      [
        '2^53 seconds (B65)',
        () => admin.orderOf('p', { status: { colour: 'green', expiresAtS: 2 ** 53 } }),
        '/status/expiresAtS',
      ],
      ['a device key of 31 bytes', () => admin.orderOf('p', { holderKey: '11'.repeat(31) }), '/holderKey'],
      ['a member that is not known', () => admin.orderOf('p', { admin: true }), '/'],
    ];
    for (const [what, order, at] of refused) {
      it(`refuses ${what}`, async () => {
        await assert.rejects(admin.issue(order()), (error) => {
          assert.ok(refusedWith(422, 'INPUT_INVALID')(error));
          const { errors = [] } = (error as AdminProblem).problem;
          assert.ok(
            errors.some((one) => one.at === at),
            JSON.stringify(errors),
          );
          return true;
        });
      });
    }

    it('B64: refuses an order whose subject stands there twice', async () => {
      const body = JSON.stringify(admin.orderOf('p')).replace('{', '{"subject":"q",');
      const headers = { authorization: `Bearer ${admin.secret}`, 'content-type': 'application/json' };
      await problemIn(
        await fetch(`${admin.url}/v1/issue`, { method: 'POST', headers, body }),
        400,
        'BODY_MALFORMED',
      );
    });
  });

  describe('POST /v1/issue/batch', () => {
    it('answers a line for each line, in order, the bad ones too', async () => {
      const good = (subject: string) => JSON.stringify(admin.orderOf(subject));
      const body = [good('b1'), 'nonsense', '', good('b2'), `"${'x'.repeat(20_000)}"`, good('')].join('\n');
      const answers = await batch('/v1/issue/batch', body);
      assert.deepEqual(
        answers.map(({ line, problem }) => [line, (problem as { code?: string } | undefined)?.code]),
        [
          [1, undefined],
          [2, 'BODY_MALFORMED'],
          [4, undefined],
          [5, 'BODY_TOO_LARGE'],
          [6, 'INPUT_INVALID'],
        ],
      );
      assert.match(await admin.world.outcome('DE', String(answers[0]?.['code'])), /^pass/);
    });

    it('by rules papers are those of one reference alone, of however many in whatever requests at the same time', async () => {
      const order = await byRules();
      const identity = { document: { type: 'passport', country: 'DE', number: 'C01X00T55' } } as const;
      const streamOf = (prefix: string) =>
        ['1', '2', '3'].map((n) => JSON.stringify({ ...order(`${prefix}${n}`), identity })).join('\n');
      const answers = await Promise.all(
        ['d', 'e'].map((prefix) => batch('/v1/issue/batch', streamOf(prefix))),
      );
      const problems = answers
        .flat()
        .map(({ problem }) => problem as { code: string; detail: string } | undefined);
      assert.equal(problems.length, 6);
      const refused = problems.filter((problem) => problem !== undefined);
      assert.equal(refused.length, 5);
      for (const { code, detail } of refused) {
        assert.equal(code, 'REFUSED');
        assert.match(detail, /the papers are not those of this reference/);
      }
    });

    it('the same stream under the same key gives the same codes', async () => {
      const body = ['c1', 'c2', 'c3'].map((subject) => JSON.stringify(admin.orderOf(subject))).join('\n');
      const first = await batch('/v1/issue/batch', body, { 'idempotency-key': 'stream-1' });
      assert.deepEqual(await batch('/v1/issue/batch', body, { 'idempotency-key': 'stream-1' }), first);
      assert.equal(new Set(first.map(({ index }) => index)).size, 3);
      // Whoever has the first already leaves its line empty.
      const rest = body.replace(/^.*/, '');
      assert.deepEqual(
        await batch('/v1/issue/batch', rest, { 'idempotency-key': 'stream-1' }),
        first.slice(1),
      );
    });
  });

  it('a stream that is reset is carried out, and the trail says how many of it were done and how many not', async () => {
    const node = admin.world.node('DE');
    const issue = node.issue.bind(node);
    let go: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (go = resolve));
    let inHand = 0;
    node.issue = async (request) => {
      inHand++;
      await gone;
      return issue(request);
    };
    const rows = Array.from({ length: 40 }, (_, i) => JSON.stringify(admin.orderOf(`reset-${i}`)));
    const headers = { authorization: `Bearer ${admin.secret}` };
    const sending = request(`${admin.url}/v1/issue/batch`, { method: 'POST', headers });
    // Of which nothing is to be heard but that it is gone.
    sending.on('error', () => undefined).on('response', (response) => response.on('error', () => undefined));
    sending.write(`${rows.join('\n')}\nnonsense\n{"subject":`);
    await until(() => inHand === rows.length, 'all are in hand');
    sending.socket?.resetAndDestroy();
    await until(() => sending.destroyed, 'the connection is gone');
    node.issue = issue;
    go();
    const ends = () =>
      readFileSync(admin.files.trailFile, 'utf8')
        .trimEnd()
        .split('\n')
        .map(parseTrailLine)
        .filter((line) => line?.action === 'issue/batch' && line.failed !== undefined);
    await admin.world.run(until(() => ends().length > 0, 'the trail says how it ended'));
    const { ended, failed } = ends()[0] ?? {};
    assert.deepEqual(ended, { n: failed?.n, done: rows.length, failed: 1 });
    const issued = await Promise.all(rows.map((_, i) => node.heldCodes.ofSubject(`reset-${i}`)));
    assert.ok(issued.every((codes) => codes.length === 1));
  });

  describe('POST /v1/bridge/batch', () => {
    it('bridges no code for which two operators gave a stricter colour, and logs nothing', async () => {
      const { text, log, index } = await admin.world.issue('FR');
      await admin.world.pass(1);
      const bridged = async () => (await batch('/v1/bridge/batch', JSON.stringify({ code: text })))[0];
      const subject = `FR/${log}/${index}`;
      assert.equal((await bridged())?.['subject'], subject);
      await admin.world.run(confirmed(subject));
      const { heldCodes } = admin.world.node('DE');
      const { code, detail } = ((await bridged())?.['problem'] ?? {}) as Record<string, unknown>;
      assert.deepEqual([code, /stricter/.test(String(detail))], ['REFUSED', true], String(detail));
      const held = await heldCodes.ofSubject(subject);
      assert.deepEqual(
        held.map((one) => [one.fields.status.colour, isRevoked(one)]),
        [
          ['green', true],
          ['red', false],
        ],
      );
    });

    it('T25 bridges nothing for who is forgotten while the order is carried out', async () => {
      const { text, log, index } = await admin.world.issue('FR', 'p3');
      await admin.world.pass(1);
      const subject = `FR/${log}/${index}`;
      const bridged = async () => (await batch('/v1/bridge/batch', JSON.stringify({ code: text })))[0];
      assert.equal((await bridged())?.['subject'], subject);
      forgetMeanwhile(subject);
      assert.equal(((await bridged())?.['problem'] as { code?: string } | undefined)?.code, 'FORGOTTEN');
      assert.deepEqual(await admin.world.node('DE').heldCodes.ofSubject(subject), []);
    });

    it('refuses and revokes one for which they gave it while it was being issued', async () => {
      const { text, log, index } = await admin.world.issue('FR', 'p2');
      await admin.world.pass(1);
      const subject = `FR/${log}/${index}`;
      const node = admin.world.node('DE');
      const issue = node.issue.bind(node);
      node.issue = async (request) => {
        node.issue = issue;
        await confirmed(subject);
        return issue(request);
      };
      const [answer] = await batch('/v1/bridge/batch', JSON.stringify({ code: text }));
      assert.equal((answer?.['problem'] as { code?: string } | undefined)?.code, 'REFUSED');
      const held = await node.heldCodes.ofSubject(subject);
      assert.deepEqual(
        held.map((one) => [one.fields.status.colour, isRevoked(one)]),
        [
          ['red', false],
          ['green', true],
        ],
      );
    });
  });

  it('neither subjects nor codes nor the secret are in the log', () => admin.assertDiscreet());
});
