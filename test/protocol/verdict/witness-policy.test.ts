import assert from 'node:assert/strict';
import { COSIGNATURE, encodeVerifierKey, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { type Cosigned } from '../../../protocol/verdict/knowledge.ts';
import { keyNamed } from '../../support/code-fixture.ts';
import { witnessPolicyOf } from '../../support/outside-witness.ts';
import { sha256 } from '../../support/primitives.ts';
import { seeded } from '../../support/seeded.ts';

const REGIONS = ['DE', 'FR', 'IT', 'ES', 'PL'];

describe('WitnessPolicy.count of random votes', () => {
  const line = (name: string, keyName: string, by: string) =>
    `witness ${name} ${encodeVerifierKey(
      makeVerifierKey(sha256, { name: by, algorithm: COSIGNATURE, publicKey: keyNamed(keyName).publicKey }),
    )}`;
  // The keys of half of the regions have rotated since their lines were written.
  const lines = [
    ...REGIONS.map((region, i) =>
      line(region, i % 2 ? `${region} 1` : `${region} 0`, `${region}.demo/witness`),
    ),
    line('w', 'w 0', 'w.example'),
  ];
  const policyWhere = (threshold: number) =>
    witnessPolicyOf(
      [...lines, `group g ${threshold} ${REGIONS.join(' ')} w`, 'quorum g', ''].join('\n'),
      'demo',
    );
  const policies = [1, 2, 3, 4, 5, 6].map(policyWhere);
  const vote = (region: string | undefined, keyName: string, timestampS: number): Cosigned => ({
    region,
    keyId: keyNamed(keyName).keyId,
    timestampS,
  });

  it('needs as many keys as operators, and a region that shows the keys of all others takes the vote of one at most', () => {
    const random = seeded(9);
    const upTo = (n: number) => Math.floor(random() * n);
    let taken = 0;
    for (let round = 0; round < 300; round++) {
      const honest = REGIONS.flatMap((region) =>
        [1, 2].filter(() => upTo(4) > 0).map((key) => vote(region, `${region} ${key}`, upTo(5))),
      );
      if (upTo(2) > 0) honest.push(vote(undefined, 'w 0', upTo(5)));
      const liar = REGIONS[upTo(REGIONS.length)];
      const lies = honest.filter(() => upTo(3) > 0).map((one) => ({ ...one, region: liar }));
      const [threshold, policy] = [1 + (round % 6), policies[round % 6] ?? assert.fail()];
      const before = policy.count(honest, () => true);
      const shuffled = [...honest, ...lies].sort((a, b) => a.timestampS - b.timestampS || upTo(3) - 1);
      const { witnesses, atS } = policy.count(shuffled, () => true);
      const { counted, needed } = witnesses;
      assert(
        counted >= before.witnesses.counted - 1,
        `round ${round}: ${counted} of ${before.witnesses.counted}`,
      );
      const since = (atSince: number) =>
        new Set(shuffled.flatMap(({ keyId, timestampS }) => (timestampS >= atSince ? [keyId] : []))).size;
      assert(counted <= since(0));
      assert.equal(atS !== undefined, counted >= needed);
      if (atS !== undefined) assert(since(atS) >= threshold && needed === threshold);
      if (counted < before.witnesses.counted) taken++;
    }
    assert(taken > 0, 'no lie took a vote');
  });
});
