import assert from 'node:assert/strict';
import { isNodeError } from '../../../node/node-error.ts';
import { ANY_PLACE } from '../../../protocol/verdict/verdict.ts';
import { type FixtureKey, issueCode } from '../../support/code-fixture.ts';
import { NETWORK, NodeWorld } from '../../support/node-fixture.ts';
import { testKey } from '../../support/region-fixture.ts';

const [ISSUER, COPYING, OTHER] = ['DE', 'FR', 'IT'] as const;
const ALL = [ISSUER, COPYING, OTHER] as const;

describe('LeafWatch, among nodes', () => {
  let world: NodeWorld;
  let log: string;

  beforeEach(async () => {
    world = new NodeWorld();
    for (const region of ALL) await world.found(region, region === COPYING ? { mirrors: [ISSUER] } : {});
    for (const [i, one] of ALL.entries())
      for (const other of ALL.slice(i + 1)) await world.befriend(one, other);
    ({ log } = await world.issue(ISSUER));
    for (const subject of ['p2', 'p3']) await world.issue(ISSUER, subject);
    const isCopied = () => world.node(COPYING).log(`${ISSUER}.${NETWORK}/attest/${log}`)?.size === 3;
    await world.until(isCopied, 'the log is copied');
    await world.pass(15);
  });
  afterEach(() => world.stop());

  /** A code for an index, signed by somebody past the log. */
  const forged = (index: number, key: FixtureKey = world.machine(ISSUER).fixture.keys.attest) =>
    issueCode({ region: ISSUER, network: NETWORK, key, index, issuedAtS: world.nowS, log }).text;

  /** What each says after it was shown this, several times. */
  async function shown(text: string): Promise<Readonly<Record<string, number | undefined>>> {
    for (const region of [...ALL, ...ALL]) await world.outcome(region, text);
    await world.pass(1);
    return Object.fromEntries(ALL.map((region) => [region, world.node(region).status.unlogged[ISSUER]]));
  }

  it('A10 T1: a code that a key signed past its log is an alarm once where that log is held, and tells nobody else', async () => {
    const alarm = { [ISSUER]: 1, [COPYING]: 1, [OTHER]: undefined };
    assert.deepEqual(await shown(forged(1)), alarm);
    for (const region of [ISSUER, COPYING]) {
      const told = world.machine(region).troubles.filter((one) => isNodeError(one, 'DATA_INCONSISTENT'));
      assert.equal(told.length, 1, region);
      assert.doesNotMatch(String(told[0]), /\d/, 'nothing says which code');
    }
    await world.pass(60);
    for (const region of ALL) assert.deepEqual(world.node(region).status.accusations, [], region);
  });

  it('A28: no flood of codes that no key has signed hides one that a key has', async () => {
    const key = { ...world.machine(ISSUER).fixture.keys.attest, sign: testKey('nobody').sign };
    const junk = Array.from({ length: 64 }, (_, i) =>
      issueCode({
        region: ISSUER,
        network: NETWORK,
        key,
        index: 1,
        issuedAtS: world.nowS,
        log,
        salting: `${i}`,
      }),
    );
    const texts = [...junk.map(({ text }) => text), forged(1)];
    // Of one second.
    const node = world.node(COPYING);
    const verdicts = texts.map((text) => node.verify(text, { place: ANY_PLACE, mode: 'online' }));
    await world.run(Promise.all(verdicts));
    await world.pass(1);
    assert.equal(node.status.unlogged[ISSUER], 1);
  });

  it('a code for an index that there is not yet is an alarm where it is issued; elsewhere the copy may be late', async () => {
    assert.deepEqual(await shown(forged(9)), { [ISSUER]: 1, [COPYING]: undefined, [OTHER]: undefined });
  });

  it('A27: no code of the log is one, nor what another key signed, nor what a key signed that was given up', async () => {
    const { text } = await world.issue(ISSUER, 'p4');
    const none = { [ISSUER]: undefined, [COPYING]: undefined, [OTHER]: undefined };
    assert.deepEqual(await shown(text), none);
    assert.deepEqual(await shown(forged(1, testKey('nobody'))), none);
    const { fixture } = world.machine(ISSUER);
    fixture.nowS = world.nowS;
    const entry = fixture.entryOf(fixture.compromise(fixture.keys.attest, {}));
    await world.run(world.node(ISSUER).submit({ entry }));
    const isKnown = (region: string) =>
      world.node(region).keeper(ISSUER)?.state.key(fixture.keys.attest.keyId)?.compromise !== undefined;
    await world.until(() => ALL.every(isKnown), 'all know');
    assert.deepEqual(await shown(forged(1)), none);
  });
});
