/** Parts that break a rule of SPEC.md 10, each read once as a peer's, which costs that peer alone, and once as the home's. */
import assert from 'node:assert/strict';
import { concatBytes } from '../../../protocol/bytes.ts';
import { type FaultCode } from '../../../protocol/fault.ts';
import { Frontier } from '../../../protocol/log/frontier.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { encodeNote, type Note, parseNote } from '../../../protocol/log/note.ts';
import { type NoteSignature } from '../../../protocol/log/signature-line.ts';
import { type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { sha256 } from '../../support/primitives.ts';
import { RegionFixture } from '../../support/region-fixture.ts';
import { HOME, NETWORK, NOW_S } from '../../support/snapshot-fixture.ts';
import { FOUR, type PartOptions, Reading } from './snapshot-reading.ts';

/** A log with a `state` entry at index 7 and one entry behind it, read from there. */
interface Broken {
  readonly region: RegionFixture;
  /** The part of the region as it is now. */
  readonly part: (options?: PartOptions) => SnapshotPart;
  readonly other: RegionFixture;
}

const BASED: PartOptions = { based: true };
const PEER = 'CN-33';
const SIGNATURE_LINES = 129;

type Change = (broken: Broken) => SnapshotPart;

const entries = (change: (entries: readonly Uint8Array[]) => Uint8Array[]): Change => ({ part }) => {
  const good = part(BASED);
  return { ...good, entries: change(good.entries) };
};
const items = (change: (items: readonly Uint8Array[]) => Uint8Array[]): Change => ({ part }) => {
  const good = part(BASED);
  assert(good.base);
  return { ...good, base: { ...good.base, items: change(good.base.items) } };
};
const note = (change: (note: Note) => Note): Change => ({ part }) => {
  const good = part(BASED);
  return { ...good, checkpoint: encodeNote(change(parseNote(good.checkpoint))) };
};
const vouched = (options: (broken: Broken) => PartOptions): Change => (broken) => broken.part({ ...BASED, ...options(broken) });

function flipped(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, -1), Uint8Array.of((bytes.at(-1) ?? 0) ^ 1));
}

/** The line of that number with a signature that is not good. */
const lineFlipped = (number: number): Change =>
  note(({ text, signatures }) => ({
    text,
    signatures: signatures.map((line, i) => (i === number ? { ...line, bytes: flipped(line.bytes) } : line)),
  }));

/** The frontier of the first `size` entries. */
function frontierAt({ entries }: RegionFixture, size: number): readonly Uint8Array[] {
  const tree = Frontier.empty(sha256);
  for (const entry of entries.slice(0, size)) tree.append(leafHash(sha256, entry));
  return tree.hashes();
}

const stranger: NoteSignature = { name: 'PT.test/witness', keyId: 7, bytes: new Uint8Array(72) };

const BROKEN: Readonly<Record<string, readonly [FaultCode, Change]>> = {
  'the last entry is missing': ['SNAPSHOT_INCOMPLETE', entries((all) => all.slice(0, -1))],
  'the first entry is missing': ['SNAPSHOT_INCOMPLETE', entries((all) => all.slice(1))],
  'there are no entries': ['SNAPSHOT_INCOMPLETE', entries(() => [])],
  'an entry too many': ['SNAPSHOT_INCOMPLETE', entries((all) => [...all, Uint8Array.of(1)])],
  'entries in another order': ['PROOF_INVALID', entries((all) => all.toReversed())],
  'an entry is altered': ['PROOF_INVALID', entries((all) => all.map((entry, i) => (i === 1 ? flipped(entry) : entry)))],
  'a frontier in another order': [
    'PROOF_INVALID',
    ({ part }) => {
      const good = part(BASED);
      return { ...good, base: { frontier: good.base?.frontier.toReversed() ?? [], items: good.base?.items ?? [] } };
    },
  ],
  'an item is missing': ['STATE_MISMATCH', items((all) => all.slice(1))],
  'there are no items': ['STATE_MISMATCH', items(() => [])],
  'an item too many': ['STATE_MISMATCH', items((all) => [...all, Uint8Array.of(0xff)])],
  'items in another order': ['STATE_MISMATCH', items((all) => all.toReversed())],
  'an item is altered': ['STATE_MISMATCH', items((all) => all.map((item, i) => (i === 0 ? flipped(item) : item)))],
  'a base without the entry that proves it': [
    'SNAPSHOT_INCOMPLETE',
    ({ region, part }) => {
      const bare = part({ ...BASED, checkpoint: { size: 7, root: region.rootAt(7) } });
      return { ...bare, entries: [] };
    },
  ],
  'a base at an entry that is no state': [
    'STATE_MISMATCH',
    ({ region, part }) => {
      const good = part(BASED);
      return { ...good, from: 8, entries: good.entries.slice(1), base: { frontier: frontierAt(region, 8), items: good.base?.items ?? [] } };
    },
  ],
  'a base at a state that does not pass': [
    'STATE_MISMATCH',
    ({ region, part }) => {
      const from = region.entries.length;
      const { items, root } = region.fold.commitmentAt(region.nowS);
      assert.equal(region.refusal({ kind: 'state', format: 1, items: items.length - 1, root }), 'STATE_MISMATCH');
      const good = part({ delta: from });
      return { ...good, base: { frontier: frontierAt(region, from), items } };
    },
  ],
  'a compromise reaches back behind the base': [
    'HISTORY_NEEDED',
    ({ region, part }) => {
      region.add(region.compromise(region.keys['trust-log'], { trust: { size: 6, root: region.rootAt(6) } }));
      const { frontier, items } = baseBeforeCompromise(region);
      return { ...part({ delta: 7 }), base: { frontier, items } };
    },
  ],
  'a state that is 121 s ahead': [
    'STATE_AHEAD',
    ({ region, part }) => {
      region.nowS = NOW_S + 121;
      region.revoke([3]);
      return part();
    },
  ],
  'a state that is ahead under a checkpoint that nobody signed': [
    'STATE_AHEAD',
    ({ region, part }) => {
      region.nowS = NOW_S + 121;
      region.revoke([3]);
      return part({ checkpointKey: region.keys.attest });
    },
  ],
  'another root and a state that is ahead': [
    'PIN_MISMATCH',
    ({ region: { region }, part }) => {
      const impostor = new RegionFixture({ region, network: NETWORK, rootKeys: 2 });
      impostor.nowS = NOW_S + 121;
      impostor.revoke([3]);
      return impostorPart(impostor, part);
    },
  ],
  'a checkpoint that is no note, and no entries': ['NOTE_MALFORMED', ({ part }) => ({ ...part(BASED), entries: [], checkpoint: Uint8Array.of(1) })],
  'another root': [
    'PIN_MISMATCH',
    ({ region: { region }, part }) => {
      const impostor = new RegionFixture({ region, network: NETWORK, rootKeys: 2 });
      return impostorPart(impostor, part);
    },
  ],
  'the log of another region': ['PIN_MISMATCH', ({ region, part, other }) => ({ ...impostorPart(other, part), region: region.region })],
  'a checkpoint of a smaller tree': ['SNAPSHOT_INCOMPLETE', vouched(({ region }) => ({ checkpoint: { size: 8, root: region.rootAt(8) } }))],
  'a checkpoint of a larger tree': ['SNAPSHOT_INCOMPLETE', vouched(() => ({ checkpoint: { size: 10 } }))],
  'a checkpoint of another tree': ['PROOF_INVALID', vouched(() => ({ checkpoint: { root: new Uint8Array(32) } }))],
  'a checkpoint by a key of another role': ['NOTE_UNSIGNED', vouched(({ region }) => ({ checkpointKey: region.keys.attest }))],
  'a checkpoint by a key of another region': ['NOTE_UNSIGNED', vouched(({ other }) => ({ checkpointKey: other.keys.checkpoint }))],
  'a checkpoint by a key that is compromised': [
    'NOTE_UNSIGNED',
    ({ region, part }) => {
      region.add(region.compromise(region.keys.checkpoint, {}));
      return part();
    },
  ],
  'a checkpoint of the log of another region': ['NOTE_UNSIGNED', vouched(({ other }) => ({ checkpoint: { origin: other.origin } }))],
  'a checkpoint that names another log than the key': [
    'ORIGIN_INVALID',
    ({ region, part, other }) => {
      const named = part({ ...BASED, checkpoint: { origin: other.origin } });
      const { text, signatures } = parseNote(named.checkpoint);
      const [own] = parseNote(part(BASED).checkpoint).signatures;
      const [theirs, ...witnesses] = signatures;
      assert(own && theirs && own.name === region.origin);
      return { ...named, checkpoint: encodeNote({ text, signatures: [{ ...own, bytes: theirs.bytes }, ...witnesses] }) };
    },
  ],
  'a checkpoint whose origin is altered': ['SIGNATURE_INVALID', note(({ text, signatures }) => ({ text: text.replace('.test/', '.text/'), signatures }))],
  'a checkpoint whose own signature is not good': ['SIGNATURE_INVALID', lineFlipped(0)],
  'a checkpoint with a cosignature that is not good': ['SIGNATURE_INVALID', lineFlipped(3)],
  'a checkpoint without signatures but of strangers': ['NOTE_UNSIGNED', note(({ text }) => ({ text, signatures: [stranger] }))],
  'a checkpoint that is no note': ['NOTE_MALFORMED', ({ part }) => ({ ...part(BASED), checkpoint: Uint8Array.of(1) })],
  'a checkpoint with a fourth line': ['CHECKPOINT_MALFORMED', note(({ text, signatures }) => ({ text: `${text}more\n`, signatures }))],
  'a checkpoint with too many lines': [
    'TOO_LARGE',
    note(({ text, signatures }) => ({
      text,
      signatures: [...signatures, ...Array<NoteSignature>(SIGNATURE_LINES - signatures.length).fill({ ...stranger, bytes: Uint8Array.of(0) })],
    })),
  ],
};

/** The whole log of somebody else under its own checkpoint. */
function impostorPart(impostor: RegionFixture, part: Broken['part']): SnapshotPart {
  const { checkpoint } = part({
    checkpoint: { origin: impostor.origin, size: impostor.entries.length, root: impostor.fold.root },
    checkpointKey: impostor.keys.checkpoint,
  });
  return { region: impostor.region, checkpoint, from: 0, entries: [...impostor.entries], base: { frontier: [], items: [] } };
}

/** Where a reader could begin before the compromise was there, as long as the log is that of `brokenReading`. */
function baseBeforeCompromise({ region }: RegionFixture): { frontier: readonly Uint8Array[]; items: readonly Uint8Array[] } {
  const { base } = brokenReading(region).part(region, BASED);
  assert(base);
  return base;
}

function brokenReading(name: string): Reading {
  const reading = new Reading();
  const region = reading.region(name);
  region.revoke([1]);
  assert.equal(region.commit(), 7);
  region.revoke([2]);
  return reading;
}

function brokenPart(reading: Reading, name: string, change: Change): SnapshotPart {
  const region = reading.region(name);
  return change({ region, other: reading.region('FR'), part: (options) => reading.part(region, options) });
}

/** Each row's reading by its name. */
export const BROKEN_READINGS: Readonly<Record<string, () => Reading>> = Object.fromEntries(
  Object.entries(BROKEN).flatMap(([name, [fault, change]]) => [
    [
      `a peer: ${name}`,
      () => {
        const reading = brokenReading(PEER);
        const part = brokenPart(reading, PEER, change);
        const expected = { ...Object.fromEntries(FOUR.map((one) => [one, 'taken'] as const)), [PEER]: fault };
        return reading.step(expected, reading.parts(part), { known: { [PEER]: undefined } });
      },
    ],
    [
      `the home: ${name}`,
      () => {
        const reading = brokenReading(HOME);
        return reading.step(fault, reading.parts(brokenPart(reading, HOME, change)));
      },
    ],
  ]),
);
