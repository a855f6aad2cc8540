import assert from 'node:assert/strict';
import { type ForkEvidence } from '../../../protocol/evidence/fork.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { ByzantineNode } from '../../support/byzantine-node.ts';
import { eventually, Federation } from '../../support/federation.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const LIARS = ['FR', 'AT', 'PL'] as const;
const HONEST = ['DE', 'IT', 'ES', 'BE', 'NL', 'CZ', 'DK'] as const;
const [LIAR] = LIARS;
const TRUST = `${LIAR}.demo/trust`;
/** Two periods of 10 s in which nodes tell what they know, and as much again for a machine that has other work. */
const TWO_PERIODS_MS = 40_000;
const MEET_MS_MAX = 180_000;

interface Status {
  readonly forked: readonly string[];
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
      for (const region of HONEST) await world.start(region);
      // Three who vouch for nobody leave a region without the seven votes of nine that it needs: what is waited for is that all have met.
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

    const forkedAt = async (region: string): Promise<readonly string[]> => {
      const status = (await world.admin(region).ask({ method: 'GET', path: '/v1/status' })) as Status;
      return status.forked;
    };

    it('A2, A13, T4, T5: of a view that one splits, with two who tell nobody, every honest node has the proof within two periods of heads', async () => {
      const [liar, ...silent] = liars as [ByzantineNode, ...ByzantineNode[]];
      const { forger } = liar;
      const at = Math.floor(Date.now() / 1_000);
      const log = new Date().toISOString().slice(0, 7);
      const revoking = (index: number) => {
        const set = encodeIndexSet(Float64Array.of(index));
        return forger.grown({ kind: 'revocation', at, log, effective: at, set });
      };
      const [one, other] = [revoking(1_000_001), revoking(1_000_002)];
      HONEST.forEach((region, i) => liar.stories.set(region, i % 2 === 0 ? one : other));
      // The others frame an honest region meanwhile, with what its keys never signed.
      const slander: ForkEvidence = { ...forger.fork(), size: 1 };
      for (const colluding of silent) {
        colluding.slander = [slander];
        colluding.tellForks(slander);
        colluding.tellHead(colluding.forger.noteOn(colluding.forger.true, 1), 1);
      }
      for (const story of [one, other]) liar.tellHead(forger.noteOn(story));
      await Promise.all(
        HONEST.map((region) =>
          eventually(
            () => forkedAt(region),
            (forked) => forked.includes(TRUST),
            (forked) => `${region}: ${forked.join()}`,
            TWO_PERIODS_MS,
          ),
        ),
      );
      for (const region of HONEST) assert.deepEqual(await forkedAt(region), [TRUST], region);
    });
  });
});
