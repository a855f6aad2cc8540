/**
 * Makes `test/vectors/quorum.json`: how many witnesses are needed, and what their cosignatures say of a region.
 * Deterministic. Every case says itself how many count and how old the knowledge is; the test holds the library against that.
 * Run from the project root: `npx tsx test/vectors/generate/quorum.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Recognition } from '../../../protocol/trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge } from '../../../protocol/verdict/knowledge.ts';
import { COSIGNATURE, ED25519, encodeVerifierKey, makeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { keyNamed } from '../../support/code-fixture.ts';
import { knowledgeVector } from '../../support/knowledge-vectors.ts';
import { sha256 } from '../../support/primitives.ts';
import { projectRoot } from '../../support/project.ts';
import { type StubKey } from '../../support/stub-state.ts';
import { cosigned, recognised, stubKnowledge } from '../../support/stub-trust.ts';
import { HOME, ISSUER, NOW_S } from '../../support/verdict-fixture.ts';
import { type AssessmentVector, type NeededVector } from '../../support/verdict-vectors.ts';

export const QUORUM_VECTOR_FILE = join(projectRoot, 'test/vectors/quorum.json');

const ABOUT = [
  'SPEC.md 9, in the network demo. needed: q for w witnesses.',
  'assessments: what the cosignatures on the checkpoint of issuer, whose trust log has the origin <issuer>.demo/trust, say at now to a verifier of home who is handed regions (as in verdict.json).',
  'policy is a tlog-policy that this verifier goes by (9.1); without it by the table. Cosignatures with null for a region are by keys of witnesses that are none.',
  'ownBefore of a region are [key id, timestamp] by its own witness keys on earlier checkpoints that were held. witnesses is [counted, needed, w]; age and silence are the knowledge age and issuer silence, null where there is none; keyFit, given where there is an age, is whether a key that may signed the checkpoint.',
];

interface Case {
  /** Seconds before now, by region, of a cosignature on the issuer's checkpoint by the region's witness key. */
  readonly ages?: Readonly<Record<string, number>>;
  readonly more?: readonly Cosigned[];
  readonly others?: readonly string[];
  readonly recognitions?: readonly Recognition[];
  /** Keys besides the usual ones, by region. */
  readonly keys?: Readonly<Record<string, readonly StubKey[]>>;
  readonly knowledge?: Readonly<Record<string, Partial<RegionKnowledge>>>;
  readonly without?: readonly string[];
  readonly issuer?: string;
  /** Lines of a tlog-policy. */
  readonly policy?: readonly string[];
  readonly witnesses: AssessmentVector['witnesses'];
  readonly age?: number;
  readonly silence?: number;
  readonly keyFit?: boolean;
}

const OTHER_LOG = encodeVerifierKey(
  makeVerifierKey(sha256, { name: 'log.example', algorithm: ED25519, publicKey: keyNamed('a log').publicKey }),
);
const THREE = ['FR', 'IT', 'ES'];
const witness = (name: string, changes: Partial<StubKey> = {}): StubKey => ({
  key: keyNamed(name),
  role: 'witness',
  ...changes,
});
const checkpointKey = (changes: Partial<StubKey>) => ({
  keys: { [ISSUER]: [{ key: keyNamed('other checkpoint'), role: 'checkpoint' as const, ...changes }] },
  knowledge: { [ISSUER]: { logKeyIds: [keyNamed('other checkpoint').keyId] } },
});
const stolen = { version: 1, cutOffs: new Map() };
const by = (name: string, ageS: number, key: Partial<StubKey>): Case => ({
  others: ['FR'],
  more: [cosigned('FR', NOW_S - ageS, name)],
  keys: { FR: [witness(name, key)] },
  witnesses: [0, 1, 2],
});
const ownBefore = (region: string, ...agesS: readonly number[]) => ({
  [region]: { ownBefore: agesS.map((ageS) => cosigned(region, NOW_S - ageS)) },
});
const many = Array.from({ length: 64 }, (_, place) => `X${String.fromCharCode(65 + (place >> 4))}-${100 + place}`);

const CASES: Readonly<Record<string, Case>> = {
  'the third newest of four': { others: THREE, ages: { DE: 10, FR: 40, IT: 20, ES: 30 }, witnesses: [4, 3, 4], age: 30 },
  'one too few of four': { others: THREE, ages: { DE: 0, FR: 0 }, witnesses: [2, 3, 4] },
  'just enough of four': { others: THREE, ages: { DE: 0, FR: 7, ES: 3 }, witnesses: [3, 3, 4], age: 7 },
  'the second newest of three': { others: ['FR', 'IT'], ages: { DE: 1, FR: 2, IT: 3 }, witnesses: [3, 2, 3], age: 2 },
  'the newest of two': { others: ['FR'], ages: { DE: 9, FR: 8 }, witnesses: [2, 1, 2], age: 8 },
  'nobody vouches': { witnesses: [0, 1, 1] },
  'the issuer alone vouches': { ages: { [ISSUER]: 4 }, witnesses: [0, 1, 1], silence: 4 },
  'the issuer vouched for an earlier checkpoint alone': { ages: { DE: 0 }, knowledge: ownBefore(ISSUER, 50), witnesses: [1, 1, 1], age: 0, silence: 50 },
  'the issuer vouched for this checkpoint later than for an earlier one': { ages: { DE: 0, [ISSUER]: 4 }, knowledge: ownBefore(ISSUER, 50), witnesses: [1, 1, 1], age: 0, silence: 4 },
  'the issuer vouched for an earlier checkpoint later than for this one': { ages: { DE: 0, [ISSUER]: 50 }, knowledge: ownBefore(ISSUER, 4), witnesses: [1, 1, 1], age: 0, silence: 4 },
  'the newest of what the issuer said of earlier checkpoints': { ages: { DE: 0 }, knowledge: ownBefore(ISSUER, 90, 20, 50), witnesses: [1, 1, 1], age: 0, silence: 20 },
  'the issuer 121 s ahead on an earlier checkpoint is silent': { ages: { DE: 0 }, knowledge: ownBefore(ISSUER, -121), witnesses: [1, 1, 1], age: 0 },
  'a compromised key of the issuer on an earlier checkpoint': { ages: { DE: 0 }, keys: { [ISSUER]: [witness('stolen', { compromise: stolen })] }, knowledge: { [ISSUER]: { ownBefore: [cosigned(ISSUER, NOW_S, 'stolen')] } }, witnesses: [1, 1, 1], age: 0 },
  'a key of the issuer beyond its window on an earlier checkpoint': { ages: { DE: 0 }, keys: { [ISSUER]: [witness('late', { untilS: NOW_S })] }, knowledge: { [ISSUER]: { ownBefore: [cosigned(ISSUER, NOW_S, 'late')] } }, witnesses: [1, 1, 1], age: 0 },
  'an earlier checkpoint does not vouch for this one where q = 0': { issuer: HOME, recognitions: [], knowledge: ownBefore(HOME, 11), witnesses: [0, 0, 0], silence: 11 },
  'nobody but the home could vouch for it': { issuer: HOME, recognitions: [], ages: { DE: 11 }, witnesses: [0, 0, 0], age: 11, silence: 11 },
  'q = 0 and the region gave no time': { issuer: HOME, recognitions: [], witnesses: [0, 0, 0] },
  'the newest of one region': { others: ['FR'], ages: { FR: 90 }, more: [cosigned('FR', NOW_S - 20), cosigned('FR', NOW_S - 50)], witnesses: [1, 1, 2], age: 20 },
  'two keys of one region': { others: THREE, ages: { FR: 9, DE: 9 }, more: [cosigned('FR', NOW_S, 'second')], keys: { FR: [witness('second')] }, witnesses: [2, 3, 4] },
  'one key that two regions name': { others: THREE, ages: { DE: 0 }, more: [cosigned('FR', NOW_S - 90, 'shared'), cosigned('IT', NOW_S - 40, 'shared')], keys: { FR: [witness('shared')], IT: [witness('shared')] }, witnesses: [2, 3, 4] },
  'the newest time of a key that two regions name': { others: THREE, ages: { DE: 0, ES: 10 }, more: [cosigned('FR', NOW_S - 90, 'shared'), cosigned('IT', NOW_S - 40, 'shared')], keys: { FR: [witness('shared')], IT: [witness('shared')] }, witnesses: [3, 3, 4], age: 40 },
  '120 s ahead': { ages: { DE: -120 }, witnesses: [1, 1, 1], age: 0 },
  '121 s ahead': { ages: { DE: -121 }, witnesses: [0, 1, 1] },
  'one 121 s ahead leaves the older one of the same region': { ages: { DE: -121 }, more: [cosigned('DE', NOW_S - 5)], witnesses: [1, 1, 1], age: 5 },
  'the issuer 121 s ahead is silent': { ages: { DE: 0, [ISSUER]: -121 }, witnesses: [1, 1, 1], age: 0 },
  'the issuer 120 s ahead has silence 0': { ages: { DE: 0, [ISSUER]: -120 }, witnesses: [1, 1, 1], age: 0, silence: 0 },
  'a region that nobody recognises': { ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a key of another role': { more: [cosigned('DE', NOW_S, 'DE checkpoint')], witnesses: [0, 1, 1] },
  'a key of another region': { others: ['FR'], more: [{ ...cosigned('FR', NOW_S), region: 'DE' }], witnesses: [0, 1, 2] },
  'a compromised key': by('stolen', 0, { compromise: stolen }),
  'a key a second before its window': by('early', 1, { fromS: NOW_S }),
  'a key at the first second of its window': { ...by('early', 0, { fromS: NOW_S }), witnesses: [1, 1, 2], age: 0 },
  'a key at the last second of its window': { ...by('late', 1, { untilS: NOW_S }), witnesses: [1, 1, 2], age: 1 },
  'a key at the end of its window': by('late', 0, { untilS: NOW_S }),
  'a region of which nothing is held counts in w': { others: THREE, without: ['IT'], ages: { DE: 0, FR: 0, IT: 0 }, witnesses: [2, 3, 4] },
  'a region held under another root counts in w': { others: THREE, recognitions: ['FR', 'ES', ISSUER].map((one) => recognised(one)).concat(recognised('IT', { fingerprint: new Uint8Array(32) })), ages: { DE: 0, FR: 0, IT: 0 }, witnesses: [2, 3, 4] },
  'a suspended region vouches': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { standing: 'suspended' })], ages: { FR: 6 }, witnesses: [1, 1, 2], age: 6 },
  'a withdrawn region does not': { others: ['FR'], recognitions: [recognised(ISSUER), { standing: 'withdrawn', region: 'FR', version: 2 }], ages: { FR: 6 }, witnesses: [0, 1, 1] },
  'a forked region and a quarantined one vouch': { others: THREE, knowledge: { FR: { standing: 'forked' }, IT: { standing: 'quarantined' } }, ages: { FR: 1, IT: 2, ES: 3 }, witnesses: [3, 3, 4], age: 3 },
  'a recognition that ends now': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { untilS: NOW_S })], ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a recognition in its last second': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { untilS: NOW_S + 1 })], ages: { FR: 0 }, witnesses: [1, 1, 2], age: 0 },
  'a recognition that begins now': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { fromS: NOW_S })], ages: { FR: 0 }, witnesses: [1, 1, 2], age: 0 },
  'a recognition that begins in a second': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { fromS: NOW_S + 1 })], ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a region that is hosted': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { way: 'hosted' })], ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a region behind a bridge': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { way: 'bridge', via: 'IT' })], ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a region behind an adapter': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { way: 'adapter' })], ages: { FR: 0 }, witnesses: [0, 1, 1] },
  'a hosted issuer is witnessed like any other': { recognitions: [recognised(ISSUER, { way: 'hosted' })], ages: { DE: 2 }, witnesses: [1, 1, 1], age: 2 },
  'a checkpoint key whose window ends at the knowledge time': { ...checkpointKey({ untilS: NOW_S - 5 }), ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5, keyFit: false },
  'a checkpoint key a second longer': { ...checkpointKey({ untilS: NOW_S - 4 }), ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5 },
  'a checkpoint key that begins at the knowledge time': { ...checkpointKey({ fromS: NOW_S - 5 }), ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5 },
  'a checkpoint key that begins a second later': { ...checkpointKey({ fromS: NOW_S - 4 }), ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5, keyFit: false },
  'a compromised checkpoint key': { ...checkpointKey({ compromise: stolen }), ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5, keyFit: false },
  '64 witnesses are all asked': { others: many.slice(1), without: many, ages: { DE: 0 }, witnesses: [1, 43, 64] },
  'of 65 witnesses 16 are': { others: many, without: many, ages: {}, witnesses: [0, 11, 16] },
};

/** A line for a witness whose key is named `<keyName> witness` here. */
const line = (name: string, keyName: string, by = keyName) =>
  `witness ${name} ${encodeVerifierKey(makeVerifierKey(sha256, { name: by, algorithm: COSIGNATURE, publicKey: keyNamed(`${keyName} witness`).publicKey }))}`;
const regional = (region: string, keyName = region) => line(region, keyName, `${region}.demo/witness`);
const outside = (keyName: string, ageS: number): Cosigned => ({ ...cosigned(keyName, NOW_S - ageS), region: undefined });
const TWO_OF = [regional('DE'), regional('FR'), line('w', 'w.example'), 'group g 2 DE FR w', 'quorum g'];
const THREE_ROTATED = [...['DE', 'FR', 'IT'].map((region) => regional(region, `${region} older`)), 'group g 2 DE FR IT', 'quorum g'];
const [LOWER = '', HIGHER = ''] = ['one of two', 'the other'].sort((a, b) => (keyNamed(a).keyId < keyNamed(b).keyId ? -1 : 1));
const SHARED = { keys: { FR: [witness('w.example witness')] } };

/** By the verifier's own policy, SPEC.md 9.1. */
const POLICY_CASES: Readonly<Record<string, Case>> = {
  'policy: a witness outside and a region': { others: ['FR'], policy: TWO_OF, ages: { FR: 30 }, more: [outside('w.example', 9)], witnesses: [2, 2, 3], age: 30 },
  'policy: those that are newer go first': { others: ['FR'], policy: TWO_OF, ages: { DE: 4, FR: 30 }, more: [outside('w.example', 9)], witnesses: [3, 2, 3], age: 9 },
  'policy: one too few, though the table has its quorum': { others: ['FR'], policy: TWO_OF, ages: { FR: 0 }, witnesses: [1, 2, 3] },
  'policy: regions that it does not name count for nothing': { others: THREE, policy: TWO_OF, ages: { IT: 0, ES: 0, FR: 0 }, witnesses: [1, 2, 3] },
  'policy: the wrong group': { others: ['FR'], policy: [regional('DE'), regional('FR'), line('w', 'w.example'), 'group r any DE FR', 'group g all r w', 'quorum g'], ages: { DE: 1, FR: 1 }, witnesses: [2, 3, 3] },
  'policy: groups of groups': { others: ['FR'], policy: [regional('DE'), regional('FR'), line('w', 'w.example'), 'group r any DE FR', 'group g all r w', 'quorum g'], ages: { DE: 50, FR: 8 }, more: [outside('w.example', 9)], witnesses: [3, 2, 3], age: 9 },
  'policy: a witness outside that nothing asks for': { policy: [regional('DE'), line('w', 'w.example'), 'quorum DE'], more: [outside('w.example', 0)], witnesses: [0, 1, 1] },
  'policy: a key outside that it does not name': { policy: TWO_OF, others: ['FR'], ages: { DE: 0 }, more: [outside('v.example', 0)], witnesses: [1, 2, 3] },
  'policy: a witness outside 120 s ahead': { policy: [line('w', 'w.example'), 'quorum w'], more: [outside('w.example', -120)], witnesses: [1, 1, 1], age: 0 },
  'policy: a witness outside 121 s ahead': { policy: [line('w', 'w.example'), 'quorum w'], more: [outside('w.example', -121)], witnesses: [0, 1, 1] },
  'policy: one 121 s ahead leaves the older one of the same witness': { policy: [line('w', 'w.example'), 'quorum w'], more: [outside('w.example', -121), outside('w.example', 7)], witnesses: [1, 1, 1], age: 7 },
  'policy: a region stands for all keys that it names now': { policy: [regional('DE', 'older'), 'quorum DE'], ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5 },
  'policy: a key that it names and the region does not': { policy: [regional('DE', 'older'), 'quorum DE'], more: [cosigned('DE', NOW_S, 'older witness')], witnesses: [0, 1, 1] },
  'policy: a compromised key of a region that it names': { others: ['FR'], policy: [line('FR', 'stolen', 'FR.demo/witness'), 'quorum FR'], more: [cosigned('FR', NOW_S, 'stolen witness')], keys: { FR: [witness('stolen witness', { compromise: stolen })] }, witnesses: [0, 1, 1] },
  'policy: the word of the issuer is none': { policy: [regional(ISSUER), regional('DE'), 'group g any DE CN-33', 'quorum g'], ages: { [ISSUER]: 3 }, witnesses: [0, 1, 1], silence: 3 },
  'policy: all, of whom one is the issuer': { policy: [regional(ISSUER), regional('DE'), 'group g all DE CN-33', 'quorum g'], ages: { [ISSUER]: 3, DE: 0 }, witnesses: [1, 2, 1], silence: 3 },
  'policy: a region of another network is a witness outside': { policy: [line('w', 'w.example', 'FR.other/witness'), 'quorum w'], more: [outside('w.example', 6)], witnesses: [1, 1, 1], age: 6 },
  'policy: a region that the home does not recognise cannot vouch': { policy: [regional('FR'), 'quorum FR'], ages: { FR: 0 }, witnesses: [0, 1, 0] },
  'policy: a withdrawn region cannot vouch': { others: ['FR'], recognitions: [recognised(ISSUER), { standing: 'withdrawn', region: 'FR', version: 2 }], policy: [regional('FR'), 'quorum FR'], ages: { FR: 0 }, witnesses: [0, 1, 0] },
  'policy: a hosted region cannot vouch': { others: ['FR'], recognitions: [recognised(ISSUER), recognised('FR', { way: 'hosted' })], policy: [regional('FR'), 'quorum FR'], ages: { FR: 0 }, witnesses: [0, 1, 0] },
  'policy: a suspended region vouches, and one whose recognition is over': { others: ['FR', 'IT'], recognitions: [recognised(ISSUER), recognised('FR', { standing: 'suspended' }), recognised('IT', { untilS: NOW_S })], policy: [regional('FR'), regional('IT'), 'group g all FR IT', 'quorum g'], ages: { FR: 6, IT: 2 }, witnesses: [2, 2, 2], age: 6 },
  'policy: a key of a witness outside that a region names too': { ...SHARED, others: ['FR'], policy: TWO_OF, more: [cosigned('FR', NOW_S, 'w.example witness'), outside('w.example', 0)], witnesses: [1, 2, 3] },
  'policy: an older key of a region whose newer one is that of a witness outside': { ...SHARED, others: ['FR'], policy: TWO_OF, ages: { FR: 40 }, more: [cosigned('FR', NOW_S, 'w.example witness'), outside('w.example', 0)], witnesses: [2, 2, 3], age: 40 },
  'policy: a key that two regions name counts for the first': { others: ['FR', 'IT'], keys: { FR: [witness('shared')], IT: [witness('shared')] }, policy: [regional('IT'), regional('FR'), 'group g all FR IT', 'quorum g'], more: [cosigned('FR', NOW_S, 'shared'), cosigned('IT', NOW_S, 'shared')], witnesses: [1, 2, 2] },
  'policy: a region that names the keys of two others takes the vote of one': { others: ['FR', 'IT'], keys: { DE: [witness('FR witness'), witness('IT witness')] }, policy: THREE_ROTATED, ages: { FR: 4, IT: 6 }, more: [cosigned('DE', NOW_S - 4, 'FR witness'), cosigned('DE', NOW_S - 6, 'IT witness')], witnesses: [2, 2, 3], age: 6 },
  'policy: the newest vote of a region is by a key that counts for another, its older one is none': { others: ['FR', 'IT'], keys: { FR: [witness('shared')], IT: [witness('shared')] }, policy: [regional('IT'), regional('FR'), 'group g all FR IT', 'quorum g'], ages: { FR: 9 }, more: [cosigned('FR', NOW_S, 'shared'), cosigned('IT', NOW_S, 'shared')], witnesses: [1, 2, 2] },
  'policy: of equal times the lowest key id': { others: ['FR', 'IT'], keys: { FR: [witness(LOWER), witness(HIGHER)], IT: [witness(LOWER)] }, policy: [regional('FR'), regional('IT'), 'group g all FR IT', 'quorum g'], more: [cosigned('FR', NOW_S, HIGHER), cosigned('FR', NOW_S, LOWER), cosigned('IT', NOW_S, LOWER)], witnesses: [1, 2, 2] },
  'policy: two keys of one operator': { others: ['FR'], policy: [line('a', 'old', 'w.example'), line('b', 'new', 'w.example'), regional('FR'), 'group w any a b', 'group g all w FR', 'quorum g'], ages: { FR: 7 }, more: [outside('old', 90), outside('new', 3)], witnesses: [2, 2, 2], age: 7 },
  'policy: none asks nobody': { policy: ['quorum none'], ages: { [ISSUER]: 4 }, witnesses: [0, 0, 0], age: 4, silence: 4 },
  'policy: none, and the region gave no time': { policy: ['quorum none'], ages: { DE: 4 }, witnesses: [0, 0, 0] },
  'policy: a log that is none of this network changes nothing': { policy: [`log ${OTHER_LOG}`, regional('DE'), 'quorum DE'], ages: { DE: 5 }, witnesses: [1, 1, 1], age: 5 },
};

function assessmentVector([name, given]: [string, Case]): AssessmentVector {
  const { ages = {}, more = [], others = [], keys = {}, knowledge = {}, without = [], issuer = ISSUER } = given;
  const recognitions = given.recognitions ?? [ISSUER, ...others].map((region) => recognised(region));
  const cosignatures = [...Object.entries(ages).map(([region, ageS]) => cosigned(region, NOW_S - ageS)), ...more];
  const regions = [HOME, ISSUER, ...others].filter((region) => !without.includes(region));
  const { witnesses, age = null, silence = null, keyFit = true } = given;
  return {
    name,
    home: HOME,
    issuer,
    ...(given.policy !== undefined && { policy: `${given.policy.join('\n')}\n` }),
    regions: regions.map((region) =>
      knowledgeVector(
        stubKnowledge(
          { region, keys: keys[region] ?? [], recognitions: region === HOME ? recognitions : [] },
          region === issuer ? cosignatures : [],
          knowledge[region],
        ),
      ),
    ),
    now: NOW_S,
    witnesses,
    age,
    silence,
    ...(age !== null && { keyFit }),
  };
}

/** q for w from 0 to 16, written down and not computed. */
const NEEDED = [0, 1, 1, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 11];

/** One line a case, always the same. */
export function quorumVectorText(): string {
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = [
    `"about": ${JSON.stringify(ABOUT)}`,
    `"needed": ${list(NEEDED.map((needed, w): NeededVector => ({ w, needed })))}`,
    `"assessments": ${list(Object.entries({ ...CASES, ...POLICY_CASES }).map(assessmentVector))}`,
  ];
  return `{\n  ${parts.join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(QUORUM_VECTOR_FILE, quorumVectorText());
