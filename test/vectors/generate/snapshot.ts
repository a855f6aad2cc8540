/**
 * Makes `test/vectors/snapshot.json`: snapshots by their form, and readers that are given some, one after the other.
 * Deterministic. What becomes of each part is known from how it is made; what is then held is asked of the library.
 * Run from the project root: `npx tsx test/vectors/generate/snapshot.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../../../protocol/bytes.ts';
import { type SnapshotPart } from '../../../protocol/snapshot/snapshot.ts';
import { projectRoot } from '../../support/project.ts';
import {
  type ContainerVector,
  partVector,
  type PartVector,
  type ReadingVector,
  type SharedVectors,
} from '../../support/snapshot-vectors.ts';
import { BROKEN_READINGS } from './snapshot-broken.ts';
import { BAD_CONTAINERS, GOOD_CONTAINERS } from './snapshot-containers.ts';
import { GAP_READINGS } from './snapshot-gaps.ts';
import { HELD_READINGS } from './snapshot-held.ts';
import { type Reading } from './snapshot-reading.ts';
import { TRUSTED_READINGS } from './snapshot-trusted.ts';

export const SNAPSHOT_VECTOR_FILE = join(projectRoot, 'test/vectors/snapshot.json');

const ABOUT = [
  'SPEC.md 10. Bytes are in hexadecimal; a set of indexes is a list.',
  'containers: snapshots by their form alone; without a fault the form is good.',
  'readings: a reader of home, in network, who knows the pin of its home and at first holds nothing, is given one snapshot after the other. shared are the parts by name, in which numbers stand for byteStrings; a snapshot is {format: 1, network, parts} of them.',
  'A step has a fault if the whole snapshot is refused, otherwise the outcomes of its parts: taken (its state is now held), confirmed (it was held; cosignatures may be newer), beside (not vouched for: what it revokes counts beside what is held), left-out, faulty or forked, with the fault. Of a ROLLBACK held and offered are the sizes.',
  'holds: by region what is then held; items and state are those of a state statement at this time; standing, what is revoked beside the state, and witnesses, age, silence and keyFit as in quorum.json. codes: offline verdicts of a place of low risk with acceptance by colour; reasons sorted by name, without repetition.',
];

/** Gives every part a name and every byte string a number, and what is the same the same one. */
export class Shared implements SharedVectors {
  readonly byteStrings: string[] = [];
  readonly parts: Record<string, PartVector> = {};
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  nameOf(part: SnapshotPart): string {
    const vector = partVector(part, (bytes) => this.#numberOf(hexOf(bytes)));
    const text = JSON.stringify(vector);
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const count = (this.#counts.get(part.region) ?? 0) + 1;
    const name = `${part.region} ${count}`;
    this.#counts.set(part.region, count);
    this.#names.set(text, name);
    this.parts[name] = vector;
    return name;
  }

  #numberOf(bytes: string): number {
    const number = this.#numbers.get(bytes) ?? this.byteStrings.push(bytes) - 1;
    this.#numbers.set(bytes, number);
    return number;
  }
}

export function readingVector(name: string, { reader, steps }: Pick<Reading, 'reader' | 'steps'>, shared: Shared): ReadingVector {
  return {
    name,
    home: reader.home,
    network: reader.network,
    pin: hexOf(reader.pin),
    steps: steps.map(({ parts, ...step }) => ({ ...step, parts: parts.map((part) => shared.nameOf(part)) })),
  };
}

function containerVectors(): ContainerVector[] {
  return [
    ...Object.entries(GOOD_CONTAINERS).map(([name, bytes]) => ({ name, bytes: hexOf(bytes) })),
    ...BAD_CONTAINERS.map(([name, fault, bytes]) => ({ name, bytes: hexOf(bytes), fault })),
  ];
}

/** One line for each case, part and byte string, always the same. */
export function snapshotVectorText(): string {
  const shared = new Shared();
  const readings = Object.entries({ ...TRUSTED_READINGS, ...HELD_READINGS, ...GAP_READINGS, ...BROKEN_READINGS }).map(([name, play]) =>
    readingVector(name, play(), shared),
  );
  const list = (cases: readonly object[]) => `[\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]`;
  const parts = Object.entries(shared.parts).map(([name, part]) => `      ${JSON.stringify(name)}: ${JSON.stringify(part)}`);
  const byteStrings = shared.byteStrings.map((bytes) => `      ${JSON.stringify(bytes)}`);
  return `{\n  ${[
    `"about": ${JSON.stringify(ABOUT)}`,
    `"containers": ${list(containerVectors())}`,
    `"shared": {\n    "byteStrings": [\n${byteStrings.join(',\n')}\n    ],\n    "parts": {\n${parts.join(',\n')}\n    }\n  }`,
    `"readings": ${list(readings)}`,
  ].join(',\n  ')}\n}\n`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(SNAPSHOT_VECTOR_FILE, snapshotVectorText());
