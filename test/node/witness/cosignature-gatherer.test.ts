import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { WITNESS_PROTOCOL } from '../../../node/sync/messages.ts';
import { type CosignedReport } from '../../../node/witness/cosigning-report.ts';
import { encodeCheckpoint, openCheckpoint, signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { encodeSignatureLine } from '../../../protocol/log/signature-line.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { type TestKey, trustModules } from '../../support/region-fixture.ts';

const ORIGIN = `DE.${NETWORK}/attest/2026-11`;
const PEERS = ['FR', 'IT', 'BE', 'NL'];

describe('CosignatureGatherer', () => {
  let world: NodeWorld;
  /** DE has four witnesses, of which three are needed. */
  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ['DE', ...PEERS]) await world.found(region);
    for (const peer of PEERS) await world.befriend('DE', peer);
    await world.pass(15);
  });
  afterEach(() => world.stop());

  function report(): CosignedReport {
    return world.node('DE').status.cosigning.logs.find(({ origin }) => origin === ORIGIN) ?? assert.fail();
  }

  const witnessed = (size: number, seconds = 120) =>
    world.until(() => report().witnessed?.size === size, `${size} are witnessed`, seconds);

  function keyOf(region: string, { publicKey }: TestKey) {
    const name = `${region}.${NETWORK}/witness`;
    return makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey });
  }

  /** Who has vouched for the checkpoint that DE shows, and of how many entries it is. */
  function shown(): { size: number; by: string[] } {
    const { publicKey } = world.machine('DE').fixture.keys.checkpoint;
    const keys = [
      makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey }),
      ...PEERS.map((peer) => keyOf(peer, world.machine(peer).fixture.keys.witness)),
    ];
    const note = world.node('DE').cosignedNote(ORIGIN) ?? assert.fail('nothing is shown');
    const { size, cosignatures } = openCheckpoint(note, keys, trustModules.verifySignature);
    return { size, by: cosignatures.map(({ name }) => name.slice(0, 2)).sort() };
  }

  /** Answers in the place of the witnesses of these regions. */
  function instead(of: readonly string[], answer: (region: string) => Uint8Array | undefined): void {
    world.network.tamper = ({ from, to, protocol, bytes }) =>
      to === 'DE' && protocol === WITNESS_PROTOCOL && of.includes(from) ? answer(from) : bytes;
  }

  it('has what was issued witnessed, shows it on the checkpoint, asks once a minute at most, and keeps it', async () => {
    await world.issue('DE');
    await witnessed(1, 10);
    assert.deepEqual(shown(), { size: 1, by: ['BE', 'FR', 'IT', 'NL'] });
    const { ageS, by } = report().witnessed ?? assert.fail();
    assert.ok(ageS <= 10);
    assert.deepEqual([...by].sort(), ['BE', 'FR', 'IT', 'NL']);
    assert.deepEqual([report().needed, report().of], [3, 4]);

    await world.issue('DE', 'p2');
    assert.deepEqual(shownOwn(), { size: 2, by: [] }, 'lines of another size vouch for nothing');
    await world.pass(20);
    assert.equal(report().witnessed?.size, 1, 'within a minute nobody is asked again');
    await witnessed(2, 45);
    assert.deepEqual(shown(), { size: 2, by: ['BE', 'FR', 'IT', 'NL'] });

    const { asked } = world.node('DE').status.cosigning;
    await world.pass(150);
    assert.equal(world.node('DE').status.cosigning.asked, asked, 'what is witnessed is not shown again');
    const note = world.node('DE').cosignedNote(ORIGIN);
    await world.kill('DE', { inOrder: true });
    world.replace('DE');
    await world.boot('DE');
    assert.deepEqual(world.node('DE').cosignedNote(ORIGIN), note);
    await world.pass(15);
    assert.equal(world.node('DE').status.cosigning.asked, 0, 'what was kept is not gathered again');
  });

  /** As `shown`; the own note where nothing is known to vouch for it. */
  function shownOwn(): { size: number; by: string[] } {
    if (world.node('DE').cosignedNote(ORIGIN) !== undefined) return shown();
    return { size: world.node('DE').log(ORIGIN)?.head.signed?.size ?? 0, by: [] };
  }

  it('takes no line that is not a good one, by the region that was asked, for the very checkpoint', async () => {
    await world.issue('DE');
    await witnessed(1, 10);
    await world.pass(60);
    await world.issue('DE', 'p2');
    const { root } = world.node('DE').log(ORIGIN)?.head ?? assert.fail();
    const lineOf = (region: string, text: string, key: TestKey, atS = world.nowS) =>
      Buffer.from(`200\n${encodeSignatureLine(signCosignature(keyOf(region, key), text, atS, key.sign))}`);
    const right = encodeCheckpoint({ origin: ORIGIN, size: 2, root });
    const { fixture } = world.machine('BE');
    const bad: Readonly<Record<string, (region: string, key: TestKey) => Uint8Array>> = {
      FR: (region, key) =>
        lineOf(region, encodeCheckpoint({ origin: ORIGIN, size: 2, root: sha256(root) }), key),
      IT: (region) => lineOf(region, right, fixture.key('unknown')),
      BE: (region, key) => lineOf(region, encodeCheckpoint({ origin: ORIGIN, size: 1, root }), key),
      NL: () => lineOf('BE', right, fixture.keys.witness),
    };
    instead(PEERS, (region) => bad[region]?.(region, world.machine(region).fixture.keys.witness));
    await world.pass(20);
    const { unverified } = world.node('DE').status.cosigning;
    assert.equal(unverified, 4);
    assert.deepEqual(
      Object.values(report().unwilling),
      Array(4).fill({ why: 'unverified', size: undefined }),
    );
    assert.deepEqual(shown(), { size: 2, by: [] });
    assert.deepEqual(report().shown, { size: 2, by: [] });
    assert.equal(report().witnessed?.size, 1);

    instead(['NL'], (region) => lineOf(region, right, fixture.keys.witness, world.nowS + 1_000));
    await witnessed(2);
    assert.deepEqual(shown(), { size: 2, by: ['BE', 'FR', 'IT'] });
    assert.deepEqual(report().unwilling, { NL: { why: 'unverified', size: undefined } });
  });

  it('waits for no witness that is silent, neither in issuing nor for the others, and asks it less and less often', async () => {
    instead(['FR'], () => undefined);
    await world.issue('DE');
    await witnessed(1, 10);
    await world.until(() => report().unwilling['FR'] !== undefined, 'FR is found silent');
    assert.equal(report().unwilling['FR']?.why, 'silent');
    instead(['FR', 'IT'], () => undefined);
    for (const subject of ['p2', 'p3']) await world.issue('DE', subject);
    assert.deepEqual(shownOwn(), { size: 3, by: [] });
    await world.until(() => report().shown?.by.length === 2, 'two vouch for it', 120);
    const { asked } = world.node('DE').status.cosigning;
    await world.pass(300);
    const more = world.node('DE').status.cosigning.asked - asked;
    assert.ok(more > 0 && more <= 6, `${more} questions`);
    world.network.tamper = undefined;
    await witnessed(3, 400);
  });

  it('tells of a witness that has cosigned more than is here, and signs on if that shows nothing', async () => {
    instead(['FR'], () => Buffer.from('409\n7\n'));
    await world.issue('DE');
    await witnessed(1, 10);
    await world.until(() => report().unwilling['FR'] !== undefined, 'FR has answered', 10);
    assert.deepEqual(report().unwilling, { FR: { why: 'ahead', size: 7 } });
    const [trouble, more] = world.machine('DE').troubles;
    assert.ok(
      isNodeError(trouble, 'LOG_BEHIND') && /^FR says that it cosigned 7 entries/.test(trouble.message),
    );
    assert.equal(more, undefined);
    assert.equal(world.node('DE').status.writing, 'writing');
    await world.issue('DE', 'p2');
  });

  it('A14: signs no more once a witness shows a larger tree by the own key', async () => {
    await world.issue('DE');
    await witnessed(1, 10);
    const log = world.node('DE').log(ORIGIN) ?? assert.fail();
    const entries: Uint8Array[] = [];
    for await (const entry of log.reader.entries(0, 1)) entries.push(entry.slice());
    const copy = new ReferenceTree([...entries, ...entries, ...entries]);
    const { publicKey, sign } = world.machine('DE').fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const note = encodeNote(signCheckpoint({ origin: ORIGIN, size: 3, root: copy.root() }, key, sign));
    world.network.isolate('FR');
    const added = world.node('FR').witness.add({ oldSize: 1, path: copy.proof(1, 3), note });
    assert.ok((await world.run(added)).cosigns);
    await world.pass(60);
    await world.issue('DE', 'p2');
    world.network.rejoin('FR');
    await world.until(() => world.node('DE').status.writing === 'contradicted', 'DE stops', 90);
  });
});
