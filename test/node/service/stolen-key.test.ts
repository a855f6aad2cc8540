import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyNamesIn, openKeyFile } from '../../../node/region/key-file.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { type FixtureKey, HOUR_S, issueCode } from '../../support/code-fixture.ts';
import { eventually, Federation, lineOf } from '../../support/federation.ts';
import { realModules } from '../../support/issuing-child.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const [A, B, C, D] = ['DE', 'FR', 'IT', 'AT'] as const;
const CODES = 1_000;
/** Genuine codes that no node is asked about before the mirror is gone. */
const UNSEEN = 20;
const PER_REQUEST = 100;
/** From the order to withdraw the key, until every node refuses what a thief has signed: all of it from then on, as counting it shows, however long that takes. */
const REFUSED_MS_MAX = 10_000;
/** From the answer to an order to withdraw a recognition, until a gate that asks then is told. */
const WITHDRAWN_MS_MAX = 1_000;
const passes = ({ outcome }: Verdict) => outcome === 'pass';

describe('Done when 2: a region that joins, and a key that is stolen, with nodes as processes', function () {
  this.timeout(300_000);
  const folder = temporaryFolders();
  let world: Federation;
  const path = (...names: readonly string[]) => world.cli.path(...names);

  before(async () => {
    world = await Federation.found(folder(), [A, B, C]);
    await world.cli.json('peer', 'add', path(A), B, '--mirror');
    await Promise.all([A, B, C].map((region) => world.start(region)));
    await Promise.all([A, B, C].map((region) => world.node(region).ready()));
  });
  after(() => world.stop());

  /** The verdicts of a node on many codes; it is asked again where it had no time. */
  async function verdicts(region: string, codes: readonly string[]): Promise<Verdict[]> {
    const all: Verdict[] = [];
    for (let at = 0; at < codes.length; at += PER_REQUEST) {
      const { status, body } = await eventually(
        () => ask(region, codes.slice(at, at + PER_REQUEST)),
        (answer) => answer.status !== 503,
        (answer) => answer.body,
      );
      assert.equal(status, 200, body);
      all.push(...(JSON.parse(body) as { verdicts: Verdict[] }).verdicts);
    }
    return all;
  }

  async function ask(region: string, codes: readonly string[]): Promise<{ status: number; body: string }> {
    const response = await fetch(`${world.node(region).url}/v1/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ codes }),
    });
    return { status: response.status, body: await response.text() };
  }

  /** How many verdicts came out in which way, by outcome and the reason that decides. */
  async function tally(
    region: string,
    codes: readonly string[],
    reasons: readonly string[],
  ): Promise<object> {
    const counts: Record<string, number> = {};
    for (const { outcome, reasons: given } of await verdicts(region, codes)) {
      const why = given.map(({ code }) => code).find((code) => reasons.includes(code)) ?? '';
      counts[`${outcome} ${why}`.trimEnd()] = (counts[`${outcome} ${why}`.trimEnd()] ?? 0) + 1;
    }
    return counts;
  }

  it('T5, T19 a region that joins by invitation and is recognised by one passes there alone, and nowhere once that is withdrawn', async () => {
    await world.foundStranger(D);
    const { p2p: [address = ''] = [] } = await (await world.start(D)).event('listens');
    const { fingerprint } = await world.cli.json<{ fingerprint: string }>('recognise', path(A), path(D));
    const invite = ['--invite', '--fingerprint', fingerprint];
    for (const region of [A, B, C])
      await world.cli.json(
        ...['peer', 'add', path(region), D, '--address', address, ...(region === A ? [] : invite)],
      );
    // Whom a node follows by invitation it takes up at its next start.
    for (const region of [B, C]) {
      await world.node(region).end();
      await world.start(region);
    }
    for (const region of [B, C, D]) await world.node(region).ready();
    const code = await world.issue(D, 'Person 1');
    await world.verdictOnce(A, code, passes);
    for (const region of [B, C])
      await world.verdictOnce(region, code, (verdict) => /^stop .*NOT_RECOGNISED/.test(lineOf(verdict)));
    const fromMs = performance.now();
    await world.cli.json('withdraw', path(A), D);
    const orderedMs = performance.now();
    assert.match(lineOf(await world.verdict(A, code)), /^stop .*RECOGNITION_WITHDRAWN/);
    const [orderMs, toldMs] = [orderedMs - fromMs, performance.now() - orderedMs].map(Math.round);
    console.log(`        withdrawn in ${orderMs} ms, and said at the gate ${toldMs} ms later`);
    assert.ok((toldMs ?? Infinity) <= WITHDRAWN_MS_MAX, `${toldMs} ms after the order was done`);
    await world.node(D).end();
  });

  it('T3 of a stolen key what was forged dies at every node within 10 s, and what is genuine lives on at every node by proof from a mirror', async () => {
    const people = Array.from({ length: 2 * CODES + UNSEEN }, (_, i) => `Person ${i},green\n`).join('');
    writeFileSync(path('people.csv'), `subject,colour\n${people}`);
    await world.cli.json('issue', path(B), path('people.csv'), '--out', path('codes.csv'));
    const rows = readFileSync(path('codes.csv'), 'utf8').trimEnd().split('\n');
    const given = rows.flatMap((row) => /ENT1:[^",]*/.exec(row)?.[0] ?? []);
    // In the order of the log, which is not that of the file: a node keeps the proof of each leaf that it is asked about, by forged codes too.
    const indexOf = (text: string) => parseCode(sha256, text).attestation.index;
    const texts = given.toSorted((one, other) => indexOf(one) - indexOf(other));
    assert.equal(texts.length, 2 * CODES + UNSEEN);
    // None of these stands where the thief dates back.
    const [genuine, unseen] = [texts.slice(CODES, 2 * CODES), texts.slice(2 * CODES)];
    assert.deepEqual(await tally(B, genuine, []), { pass: CODES });

    const key = await stolenKey();
    const log = new Date(1_000 * world.cli.nowS).toISOString().slice(0, 7);
    const forge = (index: number, issuedAtS: number) =>
      issueCode({ region: B, key, log, index, issuedAtS, salting: 'thief' }).text;
    const { nowS } = world.cli;
    const monthS = Date.UTC(Number(log.slice(0, 4)), Number(log.slice(5)) - 1) / 1_000;
    const later = Array.from({ length: CODES }, (_, i) => forge(texts.length + i, nowS));
    const backdated = Array.from({ length: CODES }, (_, i) => forge(i, Math.max(monthS, nowS - HOUR_S)));
    // Before anybody knows, the forger's codes are as good as any.
    await world.verdictOnce(C, later[0] ?? '', passes);

    await eventually(
      () => mirrored(log),
      (size) => size === texts.length,
    );
    const fromMs = performance.now();
    const { err, exit } = await world.cli.run(
      ...['key', 'compromise', path(B), '--key', key.keyId, '--cut-off', `${log}=now`],
    );
    assert.equal(exit, 0, err);
    assert.match(err, /^To be given up: the attest key [^]*the first 2,020 of 2,020 entries stay good/);
    const isStopped = ({ outcome }: Verdict) => outcome === 'stop';
    const untilMs = await Promise.all(
      [A, B, C].map(async (region) => {
        for (const [text = ''] of [later, backdated]) await world.verdictOnce(region, text, isStopped);
        return performance.now() - fromMs;
      }),
    );
    for (const region of [A, B, C]) {
      assert.deepEqual(await tally(region, later, ['BEYOND_CUT_OFF']), { 'stop BEYOND_CUT_OFF': CODES });
      assert.deepEqual(await tally(region, backdated, ['LEAF_MISMATCH']), { 'stop LEAF_MISMATCH': CODES });
    }
    const allMs = performance.now() - fromMs;
    console.log(
      `        refused after ${untilMs.map(Math.round).join(', ')} ms; ${6 * CODES} verdicts on it were out after ${Math.round(allMs)} ms`,
    );
    assert.ok(Math.max(...untilMs) <= REFUSED_MS_MAX, `refused after ${untilMs.join(', ')} ms`);

    const isProven = { 'pass PROVEN_IN_LOG': CODES };
    assert.deepEqual(await tally(B, genuine, ['PROVEN_IN_LOG']), isProven);
    await world.node(B).end('SIGKILL');
    for (const region of [A, C])
      assert.deepEqual(await tally(region, genuine, ['PROVEN_IN_LOG']), isProven, region);
    await world.node(A).end('SIGKILL');
    assert.deepEqual(await tally(C, unseen, ['PROOF_NEEDED']), { 'undetermined PROOF_NEEDED': UNSEEN });
    assert.deepEqual(await tally(C, later, ['BEYOND_CUT_OFF']), { 'stop BEYOND_CUT_OFF': CODES });
    await world.start(A);
    await world.node(A).ready();
    for (const text of unseen) await world.verdictOnce(C, text, passes);
  });

  /** The attest key of B that signs now, as who has its directory for a moment copies it. */
  async function stolenKey(): Promise<FixtureKey> {
    const folder = join(path(B), 'keys');
    const modules = await realModules();
    const { keys } = await world.cli.json<{ keys: readonly { keyId: string; role: string; now: string }[] }>(
      'key',
      'list',
      path(B),
    );
    const inForce = keys.find(({ role, now }) => role === 'attest' && now === 'in force')?.keyId;
    const name = (await keyNamesIn(folder)).find(({ keyId }) => keyId === inForce) ?? assert.fail();
    const signer = await openKeyFile(folder, { region: B, network: 'demo', ...name }, modules);
    return { keyId: name.keyId, publicKey: signer.publicKey, sign: (message) => signer.sign(message) };
  }

  /** Entries of B's log that its mirror holds. */
  async function mirrored(log: string): Promise<number> {
    const response = await fetch(`${world.node(A).url}/${B}.demo/attest/${log}/checkpoint`);
    return response.ok ? Number((await response.text()).split('\n')[1]) : 0;
  }
});
