/** Bases to start a fold from, and ones that are none: SPEC.md 8.4. */
import assert from 'node:assert/strict';
import { asciiBytes, compareBytes, concatBytes } from '../../../protocol/bytes.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { type FoldBase } from '../../../protocol/trust/boot.ts';
import { sha256 } from '../../support/primitives.ts';
import { HOUR_S, LOG_ID, RegionFixture, type TestKey } from '../../support/region-fixture.ts';

/** A base with the `state` entry that is to prove it. */
export interface BaseCase {
  readonly name: string;
  readonly base: FoldBase;
  readonly entry: Uint8Array;
  readonly fault?: FaultCode;
}

/** A region that has stated its state last, and from where a reader can start. */
function stated(fill: (region: RegionFixture) => void): { region: RegionFixture; base: FoldBase; entry: Uint8Array } {
  const region = new RegionFixture();
  fill(region);
  const entry = region.entryAt(region.commit());
  const base = region.fold.newestBase();
  assert(base);
  return { region, base, entry };
}

const small = stated(() => undefined);
const grown = stated((region) => {
  region.revoke([1, 70_000]);
  region.recognise({ region: 'FR', fingerprint: new Uint8Array(32) });
  region.add({ kind: 'rules', id: 'baseline', version: 1, from: 0, data: {} });
});

const retired = stated((region) => {
  region.add(region.retirement(region.keys.attest, region.nowS - (region.nowS % HOUR_S) + 9 * HOUR_S, 1));
  region.add(region.retirement(region.keys.attest, region.nowS - (region.nowS % HOUR_S) + HOUR_S, 2));
});

export const goodBases: readonly BaseCase[] = [
  { name: 'a root, keys, a log', base: small.base, entry: small.entry },
  { name: 'revocations in two blocks, a recognition, rules', base: grown.base, entry: grown.entry },
  { name: 'a key that was retired twice', base: retired.base, entry: retired.entry },
];

/** What a thief of the trust-log key would commit to: the state with these items instead. */
function forgedBy(key: TestKey, items: readonly Uint8Array[]): Omit<BaseCase, 'name'> {
  const tree = Frontier.empty(sha256);
  const sorted = [...items].sort(compareBytes);
  for (const item of sorted) tree.append(leafHash(sha256, concatBytes(asciiBytes('entente/state/v1\n'), item)));
  const statement = { kind: 'state', format: 1, items: sorted.length, root: tree.root() } as const;
  const entry = grown.region.entryOf(statement, [key]);
  return { base: { ...grown.base, items: sorted }, entry, fault: 'STATE_MISMATCH' };
}

function bad(name: string, change: Partial<FoldBase>, fault: FaultCode = 'STATE_MISMATCH'): BaseCase {
  return { name, base: { ...grown.base, ...change }, entry: grown.entry, fault };
}

const { items, frontier } = grown.base;
const thief = grown.region.keys['trust-log'];
const [rootItem, keysItem, ...others] = items as [Uint8Array, Uint8Array, ...Uint8Array[]];
const stranger = new RegionFixture({ region: 'FR' });
const flipped = items.map((item, i) => (i === 0 ? item.with(item.length - 1, (item.at(-1) ?? 0) ^ 1) : item));

export const badBases: readonly BaseCase[] = [
  bad('a flipped bit', { items: flipped }),
  bad('an item is missing', { items: items.slice(0, -1) }),
  bad('no items', { items: [] }),
  bad('items in another order', { items: [keysItem, rootItem, ...others] }),
  bad('an item twice', { items: [rootItem, rootItem, keysItem, ...others] }),
  bad('another block', { items: [...items, encodeCbor([2, LOG_ID, 9, encodeIndexSet(Float64Array.of(1))])].sort(compareBytes) }),
  bad('an index that an item passes', { index: 4, frontier: frontier.slice(0, 1) }),
  bad('a frontier of another size', { frontier: [...frontier, new Uint8Array(32)] }, 'PROOF_INVALID'),
  { ...bad('an entry of another kind', {}), entry: grown.region.entryOf(grown.region.revocation([5])) },
  { ...bad('the state of another time', {}), entry: small.entry },
  { ...bad('an entry that is none', {}), entry: new Uint8Array(0) },
  { name: 'forged: a recognition that the root did not sign', ...forgedBy(thief, [...items, foreignItem()]) },
  { name: 'forged: a root that is not that of index 0', ...forgedBy(thief, [...others, keysItem, encodeCbor([0, 3, grown.region.entryAt(0)])]) },
  { name: 'forged: keys before the root', ...forgedBy(thief, [keysItem, ...others]) },
  { name: 'forged: a revocation as an item', ...forgedBy(thief, [...items, encodeCbor([0, 3, grown.region.entryAt(3)])]) },
  { name: 'forged: a block that is empty', ...forgedBy(thief, [...items, encodeCbor([2, LOG_ID, 9, Uint8Array.of(0)])]) },
  { name: 'forged: an item of an unknown type', ...forgedBy(thief, [...items, encodeCbor([3, 0, 0])]) },
];

function foreignItem(): Uint8Array {
  const recognition = grown.region.recognitionOf({ region: 'ZZ', fingerprint: new Uint8Array(32) });
  return encodeCbor([0, 5, grown.region.entryOf(recognition, stranger.rootKeys)]);
}
