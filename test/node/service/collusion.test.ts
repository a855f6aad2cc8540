import assert from 'node:assert/strict';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { encodeNote, parseNote } from '../../../protocol/log/note.ts';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { ByzantineNode } from '../../support/byzantine-node.ts';
import { eventually, Federation } from '../../support/federation.ts';
import { logKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const LIARS = ['FR', 'AT', 'PL'] as const;
const HONEST = ['DE', 'IT', 'ES', 'BE', 'NL', 'CZ', 'DK'] as const;
const [LIAR, ...WITNESSES] = LIARS;
const [FRAMED, ...OTHERS] = HONEST;
const TRUST = `${LIAR}.demo/trust`;
/** In each of which a node tells once what it knows. */
const TWO_HEAD_PERIODS_MS = 20_000;
const MEET_MS_MAX = 180_000;
/** Between two questions to a node: seven of them have work to do. */
const LOOK_MS = 250;

interface Status {
  readonly forked: readonly string[];
  readonly accusations: readonly {
    readonly kind: string;
    readonly region: string;
    readonly origin: string;
    readonly isDisowned: boolean;
  }[];
}

const TOLD = [`${LIAR} fork`, ...WITNESSES.map((region) => `${region} cosignatures`)];

/** What a node holds against regions, each with the kind of its proof. */
function heldIn({ forked, accusations }: Status): readonly string[] {
  const forks = forked.map((origin) => `${origin.split('.')[0]} fork`);
  const others = accusations
    .filter(({ origin, isDisowned }) => origin === TRUST && !isDisowned)
    .map(({ region, kind }) => `${region} ${kind}`);
  return [...forks, ...others].sort();
}

describe('Ten nodes', () => {
  // Removed only once all have stopped.
  const folder = temporaryFolders();

  describe('of which three collude', function () {
    this.timeout(600_000);
    let world: Federation;
    let liars: ByzantineNode[];

    before(async () => {
      world = await Federation.found(folder(), [...LIARS, ...HONEST]);
      liars = await Promise.all(
        LIARS.map((region) =>
          ByzantineNode.start(
            world.cli.path(region),
            HONEST.map((honest) => world.cli.path(honest)),
          ),
        ),
      );
      // They are good witnesses of everybody, until one of them lies.
      for (const liar of liars) liar.cosignAll();
      for (const region of HONEST) await world.start(region);
      for (const region of HONEST)
        await eventually(
          () => world.peersOf(region),
          (peers) => peers.length === LIARS.length + HONEST.length - 1,
          (peers) => `${region}: ${peers.join()}`,
          MEET_MS_MAX,
        );
    });
    after(async () => {
      await Promise.all((liars ?? []).map((liar) => liar.stop()));
      await world?.stop();
    });

    const statusOf = async (region: string) =>
      (await world.admin(region).ask({ method: 'GET', path: '/v1/status' })) as Status;

    /** What is proven of nobody: another tree of an honest region, under its own note and one that its keys never signed. */
    async function slander(): Promise<readonly ForkEvidence[]> {
      const origin = `${FRAMED}.demo/trust`;
      const genuine = Uint8Array.from(await world.get(OTHERS[0], `/${origin}/checkpoint`));
      const [, entries = '', root = ''] = parseNote(genuine).text.split('\n');
      const size = Number(entries);
      const { key, sign } = logKey(origin, 99);
      const other = sha256(new Uint8Array(1));
      const forged = encodeNote(signCheckpoint({ origin, size, root: other }, key, sign));
      const truth = { note: genuine, root: Uint8Array.from(Buffer.from(root, 'base64')), path: [] };
      return [
        { size, sides: [truth, { note: forged, root: other, path: [] }] },
        { size, sides: [truth, { ...truth, root: other }] },
      ];
    }

    it('A2, A13, T4, T5: of a split view that three cosign, every honest node has the proofs within two periods of heads of the first that is told of it, and none against an honest one', async () => {
      const [liar, ...others] = liars as [ByzantineNode, ...ByzantineNode[]];
      const { forger } = liar;
      const at = Math.floor(Date.now() / 1_000);
      const log = new Date().toISOString().slice(0, 7);
      const revoking = (index: number) => {
        const set = encodeIndexSet(Float64Array.of(index));
        return forger.grown({ kind: 'revocation', at, log, effective: at, set });
      };
      const [one, other] = [revoking(1_000_001), revoking(1_000_002)];
      HONEST.forEach((region, i) => liar.stories.set(region, i % 2 === 0 ? one : other));
      // What an honest witness has said of the log before, in the place of what it says of neither tree.
      const before = parseNote(Uint8Array.from(await world.get(FRAMED, `/${TRUST}/checkpoint`)));
      const replayed = before.signatures.filter(({ name }) => name === `${FRAMED}.demo/witness`);
      assert.equal(replayed.length, 1);
      liar.dress = (note) => {
        const cosigned = liars.reduce((so, { forger: witness }) => witness.cosigned(so, at), note);
        const { text, signatures } = parseNote(cosigned);
        return encodeNote({ text, signatures: [...signatures, ...replayed] });
      };
      const framing = await slander();
      for (const colluding of others) {
        colluding.slander = framing;
        colluding.tellForks(...framing);
        colluding.tellHead(colluding.forger.noteOn(colluding.forger.true), framing.length);
      }
      // Nobody has been shown either tree before: both are on their way from here on, to whoever asks.
      const sinceMs = performance.now();
      const leftMs = () => TWO_HEAD_PERIODS_MS - (performance.now() - sinceMs);
      for (const story of [one, other]) liar.tellHead(liar.noteOn(story));
      await Promise.all(
        HONEST.map((region) =>
          eventually(
            () => statusOf(region),
            (status) => TOLD.every((told) => heldIn(status).includes(told)),
            (status) => `${region}: ${heldIn(status).join()}`,
            leftMs(),
            LOOK_MS,
          ),
        ),
      );
      for (const region of HONEST) {
        const { forked, accusations } = await statusOf(region);
        assert.deepEqual(forked, [TRUST], region);
        const accused = new Set(accusations.map((one) => one.region));
        for (const honest of HONEST) assert.ok(!accused.has(honest), `${region} accuses ${honest}`);
      }
    });

    it('what each of them holds convinces an honest region offline', async () => {
      world.cli.nowS = Math.floor(Date.now() / 1_000);
      await Promise.all(liars.map((liar) => liar.stop()));
      await Promise.all(HONEST.map((region) => world.node(region).end()));
      for (const holder of HONEST) {
        const to = world.cli.path(`evidence of ${holder}`);
        const order = ['evidence', 'export', world.cli.path(holder), '--to', to];
        const { files } = await world.cli.json<{ files: string[] }>(...order);
        const reader = world.cli.path(holder === FRAMED ? OTHERS[0] : FRAMED);
        const { exit, out, err } = await world.cli.run('evidence', 'verify', ...files, '--region', reader);
        assert.equal(exit, 0, `${holder}: ${out}${err}`);
        const proven = [...out.matchAll(/: proven: (\S+) (signed|cosigned) two trees/g)].map(
          ([, region = '', how = '']) => `${region} ${how}`,
        );
        const expected = [`${LIAR} signed`, ...WITNESSES.map((region) => `${region} cosigned`)];
        for (const one of expected) assert.ok(proven.includes(one), `${holder}: ${out}`);
        assert.ok(
          proven.every((one) => LIARS.some((liar) => one.startsWith(`${liar} `))),
          out,
        );
      }
    });
  });
});
