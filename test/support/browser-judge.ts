/** The page's side of the browser test: bundled with the protocol and run where only a browser is. */
import {
  ANY_PLACE,
  applySnapshot,
  noblePrimitives,
  verify,
  admitPublicKey,
  type SignatureCheck,
  type SnapshotReader,
} from '../../protocol/index.ts';
import { admittingOnce, replaySnapshots, type SnapshotVectors } from './snapshot-vectors.ts';
import { type QuorumVectors, replayQuorum, replayVerdicts, type VerdictVectors } from './verdict-vectors.ts';

export interface BrowserCase {
  readonly text: string;
  readonly atS: number;
}

export interface BrowserFederation {
  readonly snapshot: Uint8Array;
  readonly reader: SnapshotReader;
  readonly atS: number;
}

export interface BrowserVectors {
  readonly quorum: QuorumVectors;
  readonly verdict: VerdictVectors;
  readonly snapshot: SnapshotVectors;
}

/** What the page offers to the test. Verdicts are JSON texts, so that both sides compare the same bytes. */
export const judgeInBrowser = {
  verdicts({ snapshot, reader, atS }: BrowserFederation, cases: readonly BrowserCase[]): string[] {
    const modules = { ...noblePrimitives, admitPublicKey };
    const { trust } = applySnapshot(modules, snapshot, reader, undefined, atS).holdings;
    const context = { place: ANY_PLACE, mode: 'offline' } as const;
    return cases.map(({ text, atS: nowS }) =>
      JSON.stringify(verify(noblePrimitives, text, trust, context, nowS)),
    );
  },

  signatures(checks: readonly SignatureCheck[]): boolean[] {
    return checks.map((check) => noblePrimitives.verifySignature(check));
  },

  /** The vectors as the page finds them. */
  vectors({ quorum, verdict, snapshot }: BrowserVectors): BrowserVectors {
    return {
      quorum: replayQuorum(noblePrimitives.sha256, quorum),
      verdict: replayVerdicts(noblePrimitives, verdict),
      snapshot: replaySnapshots(admittingOnce({ ...noblePrimitives, admitPublicKey }), snapshot),
    };
  },
};
