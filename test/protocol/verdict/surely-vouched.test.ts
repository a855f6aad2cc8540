/** The time that is over for good, by a quorum of all that the home recognises: of `protocol/verdict/ages.ts`. */
import assert from 'node:assert/strict';
import { asciiBytes, compareBytes } from '../../../protocol/bytes.ts';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { surelyVouchedAtS } from '../../../protocol/verdict/ages.ts';
import { assessKnowledge, type Cosigned, Trust } from '../../../protocol/verdict/knowledge.ts';
import { keyNamed, NETWORK } from '../../support/code-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { cosigned, recognised, stubKnowledge } from '../../support/stub-trust.ts';

const NOW_S = 1_795_000_000;
const HOME = 'DE';

describe('surelyVouchedAtS', () => {
  const OTHERS = ['FR', 'IT', 'ES', 'AT', 'PT'];
  const FAR_S = NOW_S + 90 * 86_400;
  const home = (recognitions: readonly Recognition[], cosignatures: readonly Cosigned[]) =>
    new Trust(
      {
        home: HOME,
        network: NETWORK,
        regions: [
          stubKnowledge({ region: HOME, recognitions }, cosignatures),
          ...recognitions.map(({ region }) => stubKnowledge({ region }, [])),
        ],
      },
      { sha256 },
    );
  const all = (regions: readonly string[], atS: number) => regions.map((region) => cosigned(region, atS));

  it('T18: is told by a quorum of all that are recognised directly and not withdrawn, suspended ones too', () => {
    const recognitions: Recognition[] = [
      ...['FR', 'IT'].map((region) => recognised(region)),
      ...['ES', 'AT', 'PT'].map((region) => recognised(region, { standing: 'suspended' })),
      recognised('PL', { way: 'hosted' }),
      { standing: 'withdrawn', region: 'SE', version: 2 },
    ];
    const by = (regions: readonly string[]) =>
      surelyVouchedAtS(home(recognitions, all(regions, NOW_S)), NOW_S);
    assert.equal(by(['FR', 'IT', 'ES']), undefined, 'of five four are needed');
    assert.equal(by(['FR', 'IT', 'PL', 'SE', HOME]), undefined);
    assert.equal(by(['FR', 'IT', 'ES', 'AT']), NOW_S);
    const times = OTHERS.map((region, i) => cosigned(region, NOW_S - 10 * i));
    assert.equal(surelyVouchedAtS(home(recognitions, times), NOW_S), NOW_S - 30);
  });

  it('T18: is not told by the few whose recognition lasts until the time of a clock that is months ahead', () => {
    const recognitions = OTHERS.map((region) =>
      recognised(region, { untilS: region === 'FR' ? FAR_S + 1 : NOW_S + 86_400 }),
    );
    const honest = all(['IT', 'ES', 'AT', 'PT'], NOW_S);
    const trust = home(recognitions, [...honest, cosigned('FR', FAR_S)]);
    assert.deepEqual(assessKnowledge(trust, HOME, FAR_S)?.witnesses, { counted: 1, needed: 1, of: 1 });
    assert.equal(surelyVouchedAtS(trust, FAR_S), NOW_S);
    const later = home(recognitions, all(OTHERS, FAR_S));
    assert.equal(surelyVouchedAtS(later, FAR_S), undefined, 'nor by those whose recognition is over by then');
  });

  it('takes a lapsed recognition for one that is silent: it stops nothing while there are enough others', () => {
    const lapsed = (count: number) =>
      OTHERS.map((region, i) => recognised(region, { untilS: i < count ? NOW_S - 1 : FAR_S }));
    const by = (count: number) => surelyVouchedAtS(home(lapsed(count), all(OTHERS, NOW_S)), NOW_S);
    assert.equal(by(1), NOW_S);
    assert.equal(by(2), undefined);
  });

  it('T18: is a quorum of all of 64, and of the chosen 16 of 65', () => {
    const origin = `${HOME}.${NETWORK}/trust`;
    const by = (of: number, vouching: (regions: readonly string[]) => readonly string[]) => {
      const regions = Array.from({ length: of }, (_, i) => `X${String.fromCharCode(65 + (i % 26))}-${i}`);
      const ranked = regions
        .map((region) => ({ region, rank: sha256(asciiBytes(`${origin}\n${region}`)) }))
        .sort((a, b) => compareBytes(a.rank, b.rank))
        .map(({ region }) => region);
      const recognitions = regions.map((region) => recognised(region));
      return surelyVouchedAtS(home(recognitions, all(vouching(ranked), NOW_S)), NOW_S);
    };
    assert.equal(
      by(64, (ranked) => ranked.slice(0, 42)),
      undefined,
    );
    assert.equal(
      by(64, (ranked) => ranked.slice(0, 43)),
      NOW_S,
    );
    assert.equal(
      by(65, (ranked) => ranked.slice(0, 11)),
      NOW_S,
    );
    assert.equal(
      by(65, (ranked) => ranked.slice(6)),
      undefined,
    );
  });

  it('counts a key once whatever regions name it, and nothing where nobody is recognised', () => {
    const key = keyNamed('shared witness');
    const named = (region: string) => stubKnowledge({ region, keys: [{ key, role: 'witness' }] }, []);
    const recognitions = ['FR', 'IT', 'ES'].map((region) => recognised(region));
    const shared = ['FR', 'IT'].map((region) => cosigned(region, NOW_S, 'shared witness'));
    const trustBy = (cosignatures: readonly Cosigned[]) =>
      new Trust(
        {
          home: HOME,
          network: NETWORK,
          regions: [
            stubKnowledge({ region: HOME, recognitions }, cosignatures),
            ...['FR', 'IT', 'ES'].map(named),
          ],
        },
        { sha256 },
      );
    assert.equal(surelyVouchedAtS(trustBy(shared), NOW_S), undefined);
    assert.equal(surelyVouchedAtS(trustBy([...shared, cosigned('ES', NOW_S - 5)]), NOW_S), NOW_S - 5);
    assert.equal(surelyVouchedAtS(home([], [cosigned(HOME, NOW_S)]), NOW_S), undefined);
  });
});
