import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { type HttpAnswer, type HttpPost } from '../../../node/ports.ts';
import { logVerifierKeys } from '../../../node/trust/log-keys.ts';
import { type TrustKeeper } from '../../../node/trust/trust-keeper.ts';
import { WitnessKeys } from '../../../node/trust/witness-keys.ts';
import { OUTSIDE_ANSWER_BYTES_MAX, submissionUrl } from '../../../node/witness/outside-question.ts';
import { OutsideWitness, type OutsideWitnessModules } from '../../../node/witness/outside-witness.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { parseNote } from '../../../protocol/log/note.ts';
import { encodeSignatureLine, type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { keeperOf, type KeeperBench, noteOf } from '../../support/keeper-fixture.ts';
import { witnessKey } from '../../support/keys.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  ADDRESSED_POLICY,
  OUTSIDE,
  OUTSIDE_URL,
  type OutsideDesk,
  outsideDesk,
  outsideLine,
  witnessPolicyOf,
} from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture, START_S, trustModules } from '../../support/region-fixture.ts';

const url = submissionUrl(OUTSIDE_URL) ?? assert.fail();

describe('OutsideWitness', () => {
  const benches: KeeperBench[] = [];
  let clock: ManualClock;
  let regions: RegionFixture[];
  let keepers: TrustKeeper[];
  let desk: OutsideDesk;
  let troubles: unknown[];

  beforeEach(async () => {
    clock = new ManualClock(START_S * 1000);
    regions = ['DE', 'FR'].map((region) => new RegionFixture({ region }));
    troubles = [];
    keepers = [];
    for (const region of regions) {
      const policy = witnessPolicyOf(ADDRESSED_POLICY, region.network);
      const keys = new WitnessKeys([region.state], sha256, policy);
      const bench = await keeperOf(region, { clock, witnessKeys: () => keys });
      benches.push(bench);
      keepers.push(bench.keeper);
    }
    desk = await outsideDesk(clock, (origin) =>
      keepers
        .flatMap((one) => (one.origin === origin ? [logVerifierKeys(sha256, one.state, origin)] : []))
        .at(0),
    );
    for (const at of [0, 1]) await grow(at, 0);
  });
  afterEach(async () => {
    await desk.stop();
    for (const { store } of benches.splice(0)) await store.stop();
  });

  /** The log as the fixture has it by now. */
  async function grow(at = 0, from = keepers[at]?.tree.size ?? 0): Promise<void> {
    const region = regions[at] ?? assert.fail();
    const entries = region.entries.slice(from);
    await keepers[at]?.apply({ from, entries, note: noteOf(region) });
  }

  function witnessOf(post: HttpPost, modules: Partial<OutsideWitnessModules> = {}): OutsideWitness {
    return new OutsideWitness(
      { key: OUTSIDE, url, region: 'DE' },
      {
        ...trustModules,
        post,
        keepers: () => keepers,
        clock,
        onTrouble: (error) => troubles.push(error),
        ...modules,
      },
    );
  }

  /** The text of the newest checkpoint of a log, and the lines of the witness outside under it. */
  function held(at = 0): { text: string; lines: NoteSignature[] } {
    const { text, signatures } = parseNote(keepers[at]?.note ?? assert.fail());
    return { text, lines: signatures.filter(({ name }) => name === OUTSIDE.name) };
  }

  const later = (seconds: number) => clock.advance(seconds * 1000);
  const answers = (body: string, more: Partial<HttpAnswer> = {}): HttpPost => {
    return () => Promise.resolve({ status: 200, type: 'text/plain', body: Buffer.from(body), ...more });
  };
  const whyOf = (witness: OutsideWitness, at = 0) => witness.report.troubles[keepers[at]?.origin ?? '']?.why;

  it('has each head cosigned once, goes on by a proof as the log grows, and has old lines renewed', async () => {
    const witness = witnessOf(desk.post);
    const before = regions[0]?.entries.length;
    await witness.round();
    assert.deepEqual(desk.asked, [`old 0 to ${before}`, `old 0 to ${regions[1]?.entries.length}`]);
    assert.deepEqual([held(0).lines.length, held(1).lines.length], [1, 1]);
    await witness.round();
    await later(60);
    await witness.round();
    assert.equal(desk.asked.length, 2, 'what is fresh is not asked for');

    regions[0]?.revoke([1]);
    await grow();
    assert.equal(held().lines.length, 0);
    await witness.round();
    assert.equal(desk.asked.at(-1), `old ${before} proven to ${regions[0]?.entries.length}`);
    assert.equal(held().lines.length, 1);
    regions[0]?.revoke([2]);
    await grow();
    await witness.round();
    assert.equal(desk.asked.length, 3, 'within a minute nothing of one log');

    const first = held(1).lines;
    await later(121);
    await witness.round();
    const { length = 0 } = regions[1]?.entries ?? [];
    assert.ok(desk.asked.includes(`old ${length} to ${length}`));
    assert.notDeepEqual(held(1).lines, first);
    assert.deepEqual(troubles, []);
    const { asked, cosigned, failed } = witness.report;
    assert.deepEqual([asked, cosigned, failed], [5, 5, 0]);
  });

  it('goes on from the size that the witness says, which an earlier process had it cosign', async () => {
    await witnessOf(desk.post).round();
    const before = regions[0]?.entries.length;
    regions[0]?.revoke([1]);
    await grow();
    desk.asked.length = 0;
    await witnessOf(desk.post).round();
    const now = regions[0]?.entries.length;
    assert.deepEqual(desk.asked, [`old 0 to ${now}`, `old ${before} proven to ${now}`]);
    assert.equal(held().lines.length, 1);
  });

  it('takes no line but that of the key in the policy, for the very checkpoint, of a time that may be', async () => {
    keepers.length = 1;
    const { text } = held();
    const thief = witnessKey(OUTSIDE.name, 78);
    const lineBy = (line: NoteSignature) => encodeSignatureLine(line);
    const bad = [
      lineBy(signCosignature(thief.key, text, START_S, thief.sign)),
      lineBy({ ...signCosignature(thief.key, text, START_S, thief.sign), keyId: OUTSIDE.keyId }),
      lineBy({ ...outsideLine(text, START_S), name: 'other.example/witness' }),
      lineBy(outsideLine(held().text.replace('\n', '\n1'), START_S)),
    ];
    for (const body of [...bad, bad.join('')]) {
      const witness = witnessOf(answers(body));
      await witness.round();
      assert.equal(whyOf(witness), 'unverified');
      assert.deepEqual(held().lines, []);
    }
    const ahead = witnessOf(answers(lineBy(outsideLine(text, START_S + 121))));
    await ahead.round();
    assert.deepEqual([whyOf(ahead), held().lines], ['untimely', []]);
    const among = witnessOf(answers([...bad, lineBy(outsideLine(text, START_S))].join('')));
    await among.round();
    assert.deepEqual([whyOf(among), held().lines], [undefined, [outsideLine(text, START_S)]]);
  });

  it('says what comes instead of an answer, and asks less and less often', async () => {
    keepers.length = 1;
    const long = 'x'.repeat(OUTSIDE_ANSWER_BYTES_MAX + 1);
    const cases: readonly (readonly [HttpPost, string])[] = [
      [answers('', { status: 307 }), 'redirect'],
      [answers(long), 'strange'],
      [answers('1\n', { status: 409 }), 'strange'],
      [answers('01\n', { status: 409, type: 'text/x.tlog.size' }), 'strange'],
      [answers('not found', { status: 404 }), 'unknown-log'],
      [answers('', { status: 422 }), 'unproven'],
      [answers('', { status: 500 }), 'strange'],
      [answers('<html>'), 'strange'],
      [() => Promise.reject(new TypeError('refused')), 'silent'],
    ];
    for (const [post, why] of cases) {
      const witness = witnessOf(post);
      await witness.round();
      assert.equal(whyOf(witness), why);
    }
    const askedAt: number[] = [];
    const witness = witnessOf((...args) => {
      askedAt.push(clock.nowMs() / 1000 - START_S);
      return answers('', { status: 404 })(...args);
    });
    for (let s = 0; s < 960; s += 20) {
      await witness.round();
      await later(20);
    }
    assert.deepEqual(askedAt, [0, 60, 180, 420, 660, 900]);
    assert.equal(witness.report.troubles[keepers[0]?.origin ?? '']?.sinceS, START_S);
  });

  it('gives up after 5 s, asks a silent one nothing else, and says since when it is silent', async () => {
    const given: AbortSignal[] = [];
    const witness = witnessOf((_url, _body, { signal }) => {
      given.push(signal);
      return new Promise(() => undefined);
    });
    const round = witness.round();
    await later(4);
    assert.deepEqual(
      given.map(({ aborted }) => aborted),
      [false],
    );
    await later(1);
    await round;
    assert.deepEqual(
      given.map(({ aborted }) => aborted),
      [true],
    );
    assert.equal(witness.report.silentSinceS, START_S + 5);
    await witness.round();
    assert.equal(given.length, 1);

    const quick = witnessOf(() => Promise.reject(new TypeError('refused')));
    await quick.round();
    assert.deepEqual([quick.report.asked, quick.report.silentSinceS], [1, START_S + 5]);
  });

  it('gives up at once when it is stopped, and holds that against nobody', async () => {
    const witness = witnessOf(() => new Promise(() => undefined));
    witness.start();
    await clock.advance(0);
    await witness.stop();
    await witness.stop();
    const { asked, failed, silentSinceS } = witness.report;
    assert.deepEqual([asked, failed, silentSinceS], [1, 0, undefined]);
  });

  it('tells of a witness that knows more of the own log, or another one, once; others may be ahead', async () => {
    const sizes = (more: number): HttpPost => {
      return (_url, request) => {
        const [, size] = Buffer.from(request).toString().split('\n\n')[1]?.split('\n') ?? [];
        const body = Buffer.from(`${Number(size) + more}\n`);
        return Promise.resolve({ status: 409, type: 'text/x.tlog.size', body });
      };
    };
    const ahead = witnessOf(sizes(1));
    for (const s of [0, 60]) {
      await ahead.round();
      await later(60 - s);
    }
    assert.deepEqual([whyOf(ahead), whyOf(ahead, 1), ahead.report.asked], ['ahead', 'ahead', 4]);
    assert.equal(troubles.length, 1);
    assert.ok(isNodeError(troubles[0], 'LOG_BEHIND'));
    // Asked from just the size that it says: its tree of that size is another one.
    const other = witnessOf(sizes(0));
    await other.round();
    assert.deepEqual([whyOf(other), troubles.length], ['unproven', 2]);
    assert.ok(isNodeError(troubles[1], 'LOG_CONTRADICTED'));
  });

  it('shows nothing that has forked, or that its own witness must not vouch for', async () => {
    const [first = assert.fail()] = keepers;
    const { region, origin, tree, latest } = first;
    const heed = () => assert.fail('nothing was asked');
    const shown = { region, origin, tree, latest, heed };
    const objection = undefined;
    const witness = witnessOf(desk.post, {
      keepers: () => [
        {
          ...shown,
          standingForks: [{} as TrustKeeper['forks'][number]],
          vetting: () => ({ isFolded: true, objection }),
        },
        { ...shown, standingForks: [], vetting: () => ({ isFolded: false }) },
      ],
    });
    await witness.round();
    assert.deepEqual(desk.asked, []);
  });
});

describe('submissionUrl', () => {
  it('takes plain http and https addresses, and no others', () => {
    assert.equal(submissionUrl('https://w.example'), 'https://w.example/add-checkpoint');
    assert.equal(submissionUrl('http://[::1]:8600/w/'), 'http://[::1]:8600/w/add-checkpoint');
    for (const bad of [
      'w.example',
      'ftp://w.example',
      'file:///etc',
      'https://a:b@w.example',
      'https://w.example?a',
      'https://w.example#a',
    ])
      assert.equal(submissionUrl(bad), undefined, bad);
  });
});
