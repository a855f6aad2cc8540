/** A region that tells two stories, in its trust log too, its witness, and evidence of either: all follows from names. */
import { hexOf } from '../../protocol/bytes.ts';
import { type Evidence, type EvidenceOf } from '../../protocol/evidence/evidence.ts';
import { type ForkSide } from '../../protocol/evidence/fork.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { COSIGNATURE, ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { issueCode, type IssueOptions } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { type LookupHead, signLookupHead } from '../../protocol/lookup/head.ts';
import { HOUR_S, LOG_ID, RegionFixture, START_S, type TestKey, testKey } from './region-fixture.ts';

export const NETWORK = 'test';
export const NOW_S = START_S + 6 * HOUR_S;

export const accused = new RegionFixture({ region: 'DE', network: NETWORK });
export const witness = new RegionFixture({ region: 'FR', network: NETWORK });
export const ORIGIN = attestationLogOrigin('DE', NETWORK, LOG_ID);

/** The statements of a region that name its first keys. */
export const groundOf = (region: RegionFixture): Uint8Array[] => region.entries.slice(0, 2);
export const GROUNDS = [groundOf(accused)];
export const BOTH_GROUNDS = [groundOf(accused), groundOf(witness)];

/** By region, what the reader pinned. */
export const PINS: Readonly<Record<string, Uint8Array>> = {
  DE: accused.fingerprint,
  FR: witness.fingerprint,
};

export const knowsRoot = (region: string, fingerprint: Uint8Array): boolean =>
  hexOf(fingerprint) === hexOf(PINS[region] ?? new Uint8Array());

/** The attestation of `accused` for an index, in the hour of `START_S` and so many hours later. */
export function attestation(index: number, hours = 0, changes: Partial<IssueOptions> = {}): Uint8Array {
  const key = accused.keys.attest;
  const issuedAtS = START_S + hours * HOUR_S;
  return issueCode({ region: 'DE', network: NETWORK, key, index, issuedAtS, ...changes }).attestation;
}

const series = (count: number, changes: (index: number) => Partial<IssueOptions> = () => ({})) =>
  Array.from({ length: count }, (_, i) => attestation(i, 0, changes(i)));

/** The story that most are told. */
export const story = new ReferenceTree(series(9));
/** Another one, from index 3 on. */
export const otherStory = new ReferenceTree(series(9, (i) => (i < 3 ? {} : { salting: 'other' })));

/** The trust log of a region with four more revocations. */
function trustLogWith(region: RegionFixture, revoked: readonly number[]): ReferenceTree {
  const revocations = revoked.map((index) => region.entryOf(region.revocation([index])));
  return new ReferenceTree([...region.entries.slice(0, 3), ...revocations]);
}

/** The trust log that most are shown. */
export const trustStory = trustLogWith(accused, [3, 4, 5, 6]);
/** Another one, from entry 3 on. */
export const otherTrustStory = trustLogWith(accused, [7, 8, 9, 10]);

/** The accused set up anew: with other root keys, and the same key of each role. */
export const anew = new RegionFixture({
  region: 'DE',
  network: NETWORK,
  keyOf: (name) => testKey(/ root \d+$/.test(name) ? `${name} anew` : name),
});
export const trustStoryAnew = trustLogWith(anew, [3, 4, 5, 6]);

export interface NoteOptions {
  readonly size?: number;
  readonly origin?: string;
  readonly key?: TestKey;
  /** Who cosigns, and when. */
  readonly by?: readonly { readonly region: string; readonly key: TestKey; readonly atS?: number }[];
}

export const byWitness = { region: 'FR', key: witness.keys.witness };

/** A note on the first `size` entries of a tree. */
export function noteOn(tree: ReferenceTree, options: NoteOptions = {}): Uint8Array {
  const { size = tree.entries.length, origin = ORIGIN, key = accused.keys.checkpoint, by = [] } = options;
  const { publicKey } = key;
  const own = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
  const { text, signatures } = signCheckpoint({ origin, size, root: tree.root(size) }, own, key.sign);
  const lines = by.map(({ region, key: { publicKey: cosigner, sign }, atS = NOW_S }) => {
    const name = witnessName(region, NETWORK);
    const cosigning = makeVerifierKey(sha256, { name, algorithm: COSIGNATURE, publicKey: cosigner });
    return signCosignature(cosigning, text, atS, sign);
  });
  return encodeNote({ text, signatures: [...signatures, ...lines] });
}

/** What a tree is at `at`, under a note on `options.size` of its entries. */
export function sideOf(tree: ReferenceTree, at: number, options: NoteOptions = {}): ForkSide {
  const { size = tree.entries.length } = options;
  return { note: noteOn(tree, options), root: tree.root(at), path: size === at ? [] : tree.proof(at, size) };
}

/** As `sideOf`, of the trust log of the accused, with the proof of its first entry. */
export function rootedSideOf(
  tree: ReferenceTree,
  at: number,
  options: NoteOptions = {},
): EvidenceOf<'cosignatures'>['sides'][0] {
  const { size = tree.entries.length } = options;
  return { ...sideOf(tree, at, { origin: accused.origin, ...options }), firstPath: tree.path(0, size) };
}

export function fork(changes: Partial<EvidenceOf<'fork'>> = {}): Evidence {
  const sides = [sideOf(story, 5, { size: 5 }), sideOf(otherStory, 5, { size: 5 })] as const;
  return { kind: 'fork', grounds: GROUNDS, size: 5, sides: [...sides], ...changes };
}

export function cosignatures(changes: Partial<EvidenceOf<'cosignatures'>> = {}): Evidence {
  const by = [byWitness];
  const sides = [
    rootedSideOf(trustStory, 5, { by }),
    rootedSideOf(otherTrustStory, 5, { size: 5, by }),
  ] as const;
  return {
    kind: 'cosignatures',
    grounds: BOTH_GROUNDS,
    witness: 'FR',
    size: 5,
    sides: [...sides],
    ...changes,
  };
}

export function leaf(changes: Partial<EvidenceOf<'leaf'>> = {}): Evidence {
  const index = 4;
  const log = { note: noteOn(story), leafHash: story.leaf(index), path: story.path(index) };
  const shown = attestation(index, 0, { salting: 'other' });
  return { kind: 'leaf', grounds: GROUNDS, attestation: shown, ...log, ...changes };
}

export function indexes(changes: Partial<EvidenceOf<'index'>> = {}): Evidence {
  const both = [attestation(4), attestation(4, 0, { salting: 'other' })] as const;
  return { kind: 'index', grounds: GROUNDS, attestations: [...both], ...changes };
}

/** Index 5 was issued two hours before index 4. */
export const backdated = new ReferenceTree([
  ...series(4),
  attestation(4, 3),
  attestation(5, 1),
  attestation(6, 3),
]);

export function placed(tree: ReferenceTree, index: number): EvidenceOf<'hours'>['entries'][0] {
  return { attestation: tree.entries[index] ?? new Uint8Array(), path: tree.path(index) };
}

export function hours(changes: Partial<EvidenceOf<'hours'>> = {}): Evidence {
  const entries = [placed(backdated, 4), placed(backdated, 5)] as const;
  return { kind: 'hours', grounds: GROUNDS, note: noteOn(backdated), entries: [...entries], ...changes };
}

/** Entries 2 and 3 have changed places, entry 4 is of another log, entry 5 is none. */
export const disordered = new ReferenceTree([
  ...series(2),
  attestation(3),
  attestation(2),
  attestation(4, 0, { log: `${LOG_ID}.1` }),
  new TextEncoder().encode('no attestation'),
  attestation(6),
]);

export function misplaced(index: number, changes: Partial<EvidenceOf<'entry'>> = {}): Evidence {
  const entry = disordered.entries[index] ?? new Uint8Array();
  const path = disordered.path(index);
  return { kind: 'entry', grounds: GROUNDS, note: noteOn(disordered), index, entry, path, ...changes };
}

/** The head of a table of the accused, which `root` tells from others. */
export function headOf(
  root: number,
  changes: Partial<LookupHead> = {},
  key: TestKey = accused.keys['trust-log'],
): Uint8Array {
  const head = {
    kind: 'lookup' as const,
    region: 'DE',
    network: NETWORK,
    day: Math.floor(START_S / 86_400),
    at: START_S,
    bits: 1,
    capacity: 64,
    salt: new Uint8Array(16),
    root: new Uint8Array(32).fill(root),
    ...changes,
  };
  return signLookupHead(head, key);
}

export function tables(changes: Partial<EvidenceOf<'tables'>> = {}): Evidence {
  return { kind: 'tables', grounds: GROUNDS, heads: [headOf(1), headOf(2)], ...changes };
}
