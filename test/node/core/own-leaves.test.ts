import assert from 'node:assert/strict';
import { OwnLeaves } from '../../../node/core/own-leaves.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { encodeAnswer, parseAnswer, SYNC_PROTOCOL } from '../../../node/sync/messages.ts';
import { encodeAttestation } from '../../../protocol/code/attestation-draft.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { TRUST_KEPT_S } from '../../../protocol/limits.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { ED25519, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type TrustState } from '../../../protocol/trust/trust-state.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { HOUR_S, RegionFixture, START_S, testKey, trustModules } from '../../support/region-fixture.ts';

const LOG = '2026-11';
const ORIGIN = `FR.${NETWORK}/attest/${LOG}`;
const TRUST = `FR.${NETWORK}/trust`;

describe('OwnLeaves', () => {
  const region = new RegionFixture({ region: 'FR', network: NETWORK });
  const { attest, checkpoint } = region.keys;
  const troubles: unknown[] = [];
  const state = () => region.state;
  const modules = {
    ...trustModules,
    clock: { wait: () => Promise.resolve() },
    regionOf: (peer: string) => (peer === 'p' ? 'DE' : undefined),
    onTrouble: (error: unknown) => void troubles.push(error),
  };

  function leaf(index: number, { by = attest, of = 'FR', log = LOG, network = NETWORK } = {}): Uint8Array {
    const claims = {
      region: of,
      log,
      index,
      hour: Math.floor(START_S / HOUR_S),
      commitment: sha256(Uint8Array.of(index)),
    };
    return encodeAttestation(claims, by.keyId, network, by.sign);
  }

  function flipped(bytes: Uint8Array): Uint8Array {
    const bad = bytes.slice();
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    return bad;
  }

  it('T3: takes attestations of the region for their places, and nothing else', async () => {
    const leaves = new OwnLeaves(ORIGIN, { ...modules, state });
    await leaves.vet([leaf(7), leaf(8)], 7, 'p');
    assert.deepEqual([leaves.refusal(0), troubles.length], [undefined, 0]);
    const cases: readonly (readonly [Uint8Array, FaultCode])[] = [
      [Uint8Array.of(1, 2, 3), 'ATTESTATION_MALFORMED'],
      [leaf(8), 'ATTESTATION_MALFORMED'],
      [leaf(10), 'ATTESTATION_MALFORMED'],
      [leaf(9, { of: 'DE' }), 'ATTESTATION_MALFORMED'],
      [leaf(9, { log: `${LOG}.1` }), 'ATTESTATION_MALFORMED'],
      [leaf(9, { by: testKey('nobody') }), 'KEY_INVALID'],
      [leaf(9, { by: checkpoint }), 'KEY_INVALID'],
      [leaf(9, { network: 'other' }), 'SIGNATURE_INVALID'],
      [flipped(leaf(9)), 'SIGNATURE_INVALID'],
    ];
    for (const [bad, code] of cases)
      await assert.rejects(
        leaves.vet([leaf(7), leaf(8), bad], 7, 'p'),
        (error) => isProtocolError(error, code),
        code,
      );
    assert.match(leaves.refusal(9) ?? '', /^entry 9 of FR\.test\/attest\/2026-11, as DE gives it/);
    assert.equal(leaves.refusal(10), undefined, 'once the log has an entry there');
    assert.equal(troubles.length, 1, 'it is told once');
  });

  it('takes one by a key that the state has forgotten, and by none that it cannot have forgotten', async () => {
    const hourS = HOUR_S * Math.floor(START_S / HOUR_S);
    const at = (lastAtS: number) => {
      const later = { key: () => undefined, lastAtS } as unknown as TrustState;
      return new OwnLeaves(ORIGIN, { ...modules, state: () => later }).vet([leaf(0)], 0, undefined);
    };
    await at(hourS + TRUST_KEPT_S + 1);
    await assert.rejects(at(hourS + TRUST_KEPT_S), (error) => isProtocolError(error, 'KEY_INVALID'));
    const unread = new OwnLeaves(ORIGIN, { ...modules, state: () => undefined });
    await assert.rejects(unread.vet([leaf(0)], 0, 'p'), (error) => isProtocolError(error, 'KEY_INVALID'));
  });
});

describe('a region to whose log a thief of its checkpoint key adds what is no attestation', () => {
  let world: NodeWorld;
  beforeEach(async () => {
    world = new NodeWorld({ tendMs: 20_000 });
    for (const region of ['FR', 'DE', 'BE'])
      await world.found(region, region === 'BE' ? { mirrors: ['FR'] } : {});
    await world.befriend('FR', 'DE');
    await world.befriend('FR', 'BE');
    await world.befriend('DE', 'BE');
    await world.issue('FR');
    await world.pass(40);
  });
  afterEach(() => world.stop());

  const head = (origin: string) => world.node('FR').log(origin)?.head ?? assert.fail();

  /** DE shows FR a tree of its log with these entries more, and gives them. */
  async function give(...more: readonly Uint8Array[]): Promise<void> {
    const { reader, size: from } = world.node('FR').log(ORIGIN) ?? assert.fail();
    const entries: Uint8Array[] = [];
    for await (const entry of reader.entries(0, from)) entries.push(entry.slice());
    const bad = new ReferenceTree([...entries, ...more]);
    const { publicKey, sign } = world.machine('FR').fixture.keys.checkpoint;
    const key = makeVerifierKey(sha256, { name: ORIGIN, algorithm: ED25519, publicKey });
    const checkpoint = { origin: ORIGIN, size: bad.entries.length, root: bad.root() };
    const note = encodeNote(signCheckpoint(checkpoint, key, sign));
    world.network.tamper = ({ from: peer, to, protocol, bytes }) => {
      if (peer !== 'DE' || to !== 'FR' || protocol !== SYNC_PROTOCOL) return bytes;
      const answer = parseAnswer(bytes);
      if (answer.kind === 'heads')
        return encodeAnswer({ ...answer, heads: [...answer.heads, { note, forks: 0 }] });
      if (answer.kind !== 'refused') return bytes;
      return encodeAnswer({ kind: 'range', from, entries: [...more], note, path: [] });
    };
  }

  it('T3: takes nothing of it, says who gave it, and is accused of nothing once its root has given the key up', async () => {
    const { troubles } = world.machine('FR');
    await give(Uint8Array.of(1, 2, 3));
    await world.kill('FR', { inOrder: true });
    world.replace('FR');
    await world.boot('FR', (node) => node.status.writing === 'behind');
    assert.equal(head(ORIGIN).size, 1);
    assert.match(world.node('FR').status.reason ?? '', /DE has seen 2 .*entry 1 of .* as DE gives it/);
    const told = troubles.filter((error) => isNodeError(error, 'DATA_INCONSISTENT'));
    assert.equal(told.length, 1);
    const { fixture, instead } = world.machine('FR');
    fixture.nowS = world.nowS;
    const cutOff = (origin: string) => ({ size: head(origin).size, root: head(origin).root });
    const order = [
      fixture.keysStatement([{ key: fixture.key('fresh checkpoint'), role: 'checkpoint' }]),
      fixture.compromise(fixture.keys.checkpoint, { [LOG]: cutOff(ORIGIN), trust: cutOff(TRUST) }),
    ].map((statement) => fixture.entryOf(statement));
    instead.checkpoint = fixture.key('fresh checkpoint');
    await world.run(world.node('FR').logEntries(order));
    await world.until(() => world.node('FR').status.writing === 'writing', 'FR signs');
    assert.equal(world.node('FR').status.reason, undefined);
    const { text } = await world.issue('FR', 'p2');
    await world.until(() => world.node('BE').log(ORIGIN)?.size === head(ORIGIN).size, 'BE has the log');
    await world.pass(60);
    for (const region of ['FR', 'DE', 'BE'])
      assert.deepEqual(world.node(region).status.accusations, [], region);
    assert.match(await world.outcome('BE', text), /^pass/);
  });
});
