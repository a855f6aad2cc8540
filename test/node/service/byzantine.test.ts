import assert from 'node:assert/strict';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { type WitnessedReport } from '../../../node/http/admin-schemas.ts';
import { type ConductReport } from '../../../node/network/conduct.ts';
import { ByzantineNode } from '../../support/byzantine-node.ts';
import { eventually, Federation, lineOf } from '../../support/federation.ts';
import { logKey } from '../../support/keys.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const [LIAR, A, B, C] = ['FR', 'DE', 'IT', 'ES'] as const;
const TRUST = `${LIAR}.demo/trust`;
const VICTIM = `${B}.demo/trust`;
/** Two periods of 10 s in which nodes tell what they know, and as much again for a machine that has other work. */
const TWO_ROUNDS_MS = 40_000;

/** Far more than a node looks at of one peer at once. */
const FLOOD = 2_000;

interface Peers {
  readonly conduct: readonly ConductReport[];
}

interface Status {
  readonly writing: string;
  readonly forked: readonly string[];
  readonly disowned: readonly string[];
  readonly sizes: Readonly<Record<string, number>>;
}

const passes = ({ outcome }: Verdict): boolean => outcome === 'pass';

describe('A region whose node lies, among nodes as processes', function () {
  this.timeout(240_000);
  const folder = temporaryFolders();
  let world: Federation;
  let liar: ByzantineNode;
  let code: string;
  /** Of the liar's log, each two entries longer than the true one. */
  let one: ReferenceTree;
  let other: ReferenceTree;

  before(async () => {
    world = await Federation.found(folder(), [LIAR, A, B, C]);
    // No node runs yet that could be asked.
    code = await world.issue(LIAR, 'Person 1', '--without-peers');
    for (const region of [A, B, C]) await world.cli.run('witness', world.cli.path(region));
    liar = await ByzantineNode.start(
      world.cli.path(LIAR),
      [A, B, C].map((region) => world.cli.path(region)),
    );
    [one, other] = [storyFrom(1_000_001), storyFrom(1_000_003)];
    await Promise.all([A, B, C].map((region) => world.start(region)));
    await Promise.all([A, B, C].map((region) => world.node(region).ready()));
    await eventually(
      () => Promise.resolve(liar.peers),
      (peers) => peers.length === 3,
      String,
    );
    for (const region of [A, B]) await world.verdictOnce(region, code, passes);
  });
  after(async () => {
    await liar?.stop();
    await world?.stop();
  });

  /** That revokes two codes, from this index on. */
  function storyFrom(index: number): ReferenceTree {
    const at = Math.floor(Date.now() / 1_000);
    const log = new Date().toISOString().slice(0, 7);
    const { forger } = liar;
    const last = [index, index + 1].map((revoked) => {
      const set = encodeIndexSet(Float64Array.of(revoked));
      return forger.grown({ kind: 'revocation', at, log, effective: at, set }).entries.at(-1);
    });
    return new ReferenceTree([...forger.true.entries, ...(last as Uint8Array[])]);
  }

  const statusOf = async (region: string) =>
    (await world.admin(region).ask({ method: 'GET', path: '/v1/status' })) as Status;
  const forkedAt = async (region: string, deadlineMs = TWO_ROUNDS_MS) =>
    eventually(
      () => statusOf(region),
      ({ forked }) => forked.includes(TRUST),
      ({ forked, sizes }) => JSON.stringify([region, forked, sizes]),
      deadlineMs,
    );

  it('A3 A16 A27 T5 T9 T10 T11: frames nobody, takes nothing back and runs no count ahead', async () => {
    const { forger } = liar;
    const genuine = (await world.get(A, `/${VICTIM}/checkpoint`)).slice();
    const { size } = { size: Number(genuine.toString().split('\n')[1]) };
    const own = forger.noteOn(forger.true);
    const other = new ReferenceTree([Uint8Array.of(1)]);
    const stolen = logKey(VICTIM, 99);
    const forged = encodeNote(
      signCheckpoint({ origin: VICTIM, size, root: other.root() }, stolen.key, stolen.sign),
    );
    const { text } = parseNote(forged);
    const rootOf = (note: Uint8Array) => Buffer.from(parseNote(note).text.split('\n')[2] ?? '', 'base64');
    const side = (note: Uint8Array, root = rootOf(note)) => ({ note, root, path: [] });
    const repurposed = encodeNote({ text, signatures: parseNote(genuine).signatures });
    liar.slander = [
      { size, sides: [side(genuine), side(forged)] },
      { size, sides: [side(genuine), side(repurposed)] },
      { size, sides: [side(genuine), side(genuine, Buffer.from(other.root()))] },
      { size, sides: [side(genuine), side(genuine)] },
      { size: 1, sides: [side(genuine), side(own)] },
    ];
    liar.tellForks(...liar.slander);
    liar.tellHead(forger.noteOn(forger.true, 1));
    liar.tellHead(forger.noteOn(forger.true, 1), 5);
    const sizesBefore = (await statusOf(A)).sizes;
    // A later message is heard after the earlier ones of the same peer: what follows shows that those came to nothing.
    const asked = liar.asked.get(A) ?? 0;
    liar.tellHead(forger.noteAhead(Number.MAX_SAFE_INTEGER));
    await eventually(
      () => Promise.resolve(liar.asked.get(A) ?? 0),
      (count) => count > asked,
    );
    for (const region of [A, B, C]) {
      const { forked, sizes } = await statusOf(region);
      assert.deepEqual(forked, [], region);
      for (const [origin, before] of Object.entries(sizesBefore))
        assert.ok((sizes[origin] ?? 0) >= (region === A ? before : 0), `${region} ${origin}`);
      assert.equal((await world.verdict(region, code)).outcome, 'pass');
    }
    liar.slander = [];
  });

  it('A3 A8 A9 A16 A28 T9 T17: what is withheld, given in another order, too large, or old is told as such, a flood is dropped, and nothing of it is taken', async () => {
    const before = await statusOf(C);
    const size = before.sizes[TRUST] ?? 0;
    /** What C finds when it goes to the liar to cosign its log. */
    const findings = async () => {
      const order = { method: 'POST', path: '/v1/witness', body: { regions: [LIAR] } } as const;
      const { witnessed, faults } = (await world.admin(C).ask(order)) as WitnessedReport;
      return [witnessed.length, ...faults.map(({ code }) => code)];
    };
    liar.stories.set(C, other);
    for (const [spoiling, code] of [
      ['withhold', 'NOT_FOUND'],
      ['reorder', 'PROOF_INVALID'],
      ['oversize', 'SCHEMA_INVALID'],
    ] as const) {
      liar.spoils.set(C, spoiling);
      assert.deepEqual(await findings(), [0, code], spoiling);
    }
    liar.spoils.clear();
    liar.stale(C, size - 1);
    assert.deepEqual(await findings(), [0, 'ROLLBACK'], 'stale');
    liar.stories.delete(C);
    const dropped = async () => {
      const { conduct } = (await world.admin(C).ask({ method: 'GET', path: '/v1/peers' })) as Peers;
      const own = conduct.find(({ peer }) => peer === liar.host.status.peer);
      return own?.counts['gossip-dropped'] ?? 0;
    };
    assert.equal(await dropped(), 0);
    liar.flood(FLOOD);
    await eventually(dropped, (count) => count > 0);
    const { sizes, forked } = await statusOf(C);
    assert.deepEqual([sizes[TRUST], forked], [size, []]);
    assert.equal((await world.verdict(C, code)).outcome, 'pass');
  });

  it('A1 A2 T4: of two stories that are told apart every honest node has evidence within two rounds', async () => {
    const { forger } = liar;
    await world.node(C).end();
    liar.stories.set(A, one);
    liar.stories.set(B, other);
    liar.stories.set(C, other);
    // Everybody hears of one checkpoint, and is given another tree by whoever has it.
    liar.tellHead(forger.noteOn(one));
    for (const region of [A, B]) await forkedAt(region);
    for (const region of [A, B]) {
      const verdict = await world.verdictOnce(region, code, ({ outcome }) => outcome === 'undetermined');
      assert.match(lineOf(verdict), /\b(FORKED|QUARANTINED)\b/);
    }
  });

  it('A17 T18: whoever knew the liar alone has evidence as soon as an honest node is there, also after restarts', async () => {
    await Promise.all([A, B].map((region) => world.node(region).end()));
    await world.start(C);
    const story = liar.stories.get(C)?.entries.length ?? 0;
    await eventually(
      () => statusOf(C),
      ({ sizes }) => sizes[TRUST] === story,
      ({ sizes }) => JSON.stringify(sizes),
    );
    assert.deepEqual((await statusOf(C)).forked, []);
    await Promise.all([A, B].map((region) => world.start(region)));
    for (const region of [A, B, C]) {
      const { forked } = await forkedAt(region);
      assert.deepEqual(forked, [TRUST], region);
    }
  });

  it('what each holds, asked while it runs, convinces every other offline', async () => {
    await liar.stop();
    const exported = new Map<string, readonly string[]>();
    for (const holder of [A, B, C]) {
      const to = world.cli.path(`evidence of ${holder}`);
      const order = ['evidence', 'export', world.cli.path(holder), '--to', to];
      const { files } = await world.cli.json<{ files: string[] }>(...order);
      exported.set(holder, files);
    }
    await Promise.all([A, B, C].map((region) => world.node(region).end()));
    for (const [holder, reader] of [
      [A, B],
      [B, C],
      [C, A],
    ] as const) {
      const files = exported.get(holder) ?? [];
      assert.ok(files.length > 0, holder);
      const { exit, out, err } = await world.cli.run(
        'evidence',
        'verify',
        ...files,
        '--region',
        world.cli.path(reader),
      );
      assert.equal(exit, 0, out + err);
      assert.match(out, new RegExp(`proven: ${LIAR} signed two trees`));
    }
  });

  it('A4 A18 T3: once the root names a branch all honest nodes hold that, verdicts come back, and the evidence stays', async () => {
    await Promise.all([LIAR, A, B, C].map((region) => world.start(region)));
    const writing = async () => (await statusOf(LIAR)).writing;
    await eventually(writing, (state) => state === 'contradicted', String, 2 * TWO_ROUNDS_MS);
    const named = ['--key', liar.forger.checkpointKeyId, '--cut-off', 'trust=now'];
    await world.cli.json('key', 'compromise', world.cli.path(LIAR), ...named);
    await eventually(writing, (state) => state === 'writing', String, 2 * TWO_ROUNDS_MS);
    for (const region of [A, B, C]) {
      const size = (await statusOf(LIAR)).sizes[TRUST] ?? 0;
      await eventually(
        () => statusOf(region),
        ({ sizes }) => (sizes[TRUST] ?? 0) >= size,
        ({ sizes }) => JSON.stringify([region, size, sizes]),
        2 * TWO_ROUNDS_MS,
      );
      // By the next comparison of 30 s at the latest, and the round that tells of the cosignatures.
      await world.verdictOnce(region, code, passes, 2 * TWO_ROUNDS_MS);
      const { forked, disowned } = await statusOf(region);
      assert.deepEqual([forked, disowned], [[], [TRUST]], `${region} keeps the proof`);
    }
  });
});
