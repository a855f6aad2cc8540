/** A reader in another language, written from SPEC.md alone, agrees with every vector. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { projectRoot } from './support/project.ts';
import { randomReading } from './support/random-readings.ts';
import { temporaryFolders } from './support/temporary.ts';
import { readingVector, Shared } from './vectors/generate/snapshot.ts';

const RUN = join(projectRoot, 'test/second-implementation/run.py');
const VECTORS = join(projectRoot, 'test/vectors');
const DEADLINE_MS = 100_000;
const RANDOM_READINGS = 25;

/** The first Python with structural pattern matching and `int.bit_count`. */
const PYTHON_IS_NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 10))';

interface Suite {
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly string[];
}

/** Parts of a file that are no cases. */
const NO_CASES = new Set(['about', 'shared']);

type Case = Record<string, unknown>;
type VectorFile = Record<string, Case[]>;

/** For every suite, how the expectation of one of its cases can be made wrong. */
const ALTERATIONS: Record<string, Record<string, (cases: Case[]) => void>> = {
  ed25519: { cases: first('good', false) },
  encoding: { cbor: firstFault, base45: first('bytes', '00'), indexSets: firstFault },
  code: {
    codes: first('expect', { fault: 'CODE_EMPTY' }),
    commitments: first('commitment', '00'),
    padding: first('commitment', '00'),
    documents: first('hash', null),
    grades: first('grade', 'live'),
  },
  log: {
    origins: firstFault,
    tilePaths: firstFault,
    inclusion: firstFault,
    consistency: firstFault,
    bundles: firstFault,
    verifierKeys: firstFault,
    checkpoints: first('opened', null),
    policies: firstFault,
    proofs: first('proven', null),
  },
  trust: { statements: firstFault, logs: first('items', 2), bases: firstFault },
  quorum: { needed: first('needed', 9), assessments: first('age', 9) },
  verdict: { verdicts: first('expect', {}) },
  snapshot: { containers: firstFault, readings: first('pin', '00'.repeat(32)) },
  evidence: { evidence: firstFault },
  writer: {
    words: firstFault,
    answers: first('answer', '00'),
    quorums: first('n', 9),
    pledges: first('pledges', [0]),
  },
  lookup: {
    keys: first('publicKey', '00'),
    evaluations: first('expect', { fault: 'LOOKUP_UNPROVEN' }),
    buckets: first('expect', { status: null }),
    heads: first('expect', { fault: 'LOOKUP_MALFORMED' }),
  },
  local: { profiles: first('isProfile', false), codes: first('expect', { fault: 'TOO_LARGE' }) },
  joining: { said: firstFault, meetings: first('areConfirmed', [true, false]) },
};

function first(key: string, wrong: unknown): (cases: Case[]) => void {
  return ([case0]) => {
    assert(case0);
    assert.notDeepEqual(case0[key], wrong);
    case0[key] = wrong;
  };
}

function firstFault(cases: Case[]): void {
  const bad = cases.find((one) => 'fault' in one);
  assert(bad);
  bad['fault'] = 'TOO_LARGE';
}

/** Copies the vectors to `folder`, each part of a file as `alter` leaves it. */
function writeVectors(folder: string, alter: (file: string, part: string, cases: Case[]) => Case[]): void {
  for (const file of Object.keys(ALTERATIONS)) {
    const vectors = JSON.parse(readFileSync(join(VECTORS, `${file}.json`), 'utf8')) as VectorFile;
    for (const [part, cases] of Object.entries(vectors)) {
      if (!NO_CASES.has(part)) vectors[part] = alter(file, part, cases);
    }
    writeFileSync(join(folder, `${file}.json`), JSON.stringify(vectors));
  }
}

/** Reads the vectors in a folder, by default the project's. */
function read(...folder: string[]): { status: number | null; suites: Suite[]; complaints: string } {
  const { status, stdout, stderr } = spawnSync('python3', [RUN, ...folder], {
    encoding: 'utf8',
    timeout: DEADLINE_MS,
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { status, suites: lines.map((line) => JSON.parse(line) as Suite), complaints: stderr };
}

describe('the second implementation', () => {
  const freshFolder = temporaryFolders();
  const suiteNames = Object.entries(ALTERATIONS).flatMap(([file, parts]) =>
    Object.keys(parts).map((part) => `${file}/${part}`),
  );

  before(function () {
    const { status } = spawnSync('python3', ['-c', PYTHON_IS_NEW_ENOUGH]);
    if (status !== 0) {
      console.log('skipped: there is no python3 of version 3.10 or later');
      this.skip();
    }
  });

  it('agrees with every vector', () => {
    const { status, suites, complaints } = read();
    for (const { suite, passed, failed, failures } of suites) {
      assert(passed > 0, `${suite} has no case`);
      assert.equal(failed, 0, `${suite}: ${failures.join(', ')}\n${complaints}`);
    }
    assert.deepEqual(suites.map(({ suite }) => suite).sort(), suiteNames.sort());
    assert.equal(status, 0, complaints);
  });

  it('fails where the expectation of one vector of a suite is altered', () => {
    const folder = freshFolder();
    writeVectors(folder, (file, part, cases) => {
      ALTERATIONS[file]?.[part]?.(cases);
      return cases;
    });
    const { status, suites } = read(folder);
    assert.deepEqual(
      suites.map(({ suite, failed }) => `${suite} ${failed}`).sort(),
      suiteNames.map((suite) => `${suite} 1`).sort(),
    );
    assert.equal(status, 1);
  });

  it('finds in random readings of snapshots what this one finds', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const shared = new Shared();
        const readings = Array.from({ length: RANDOM_READINGS }, (_, place) =>
          readingVector(`seed ${seed + place}`, randomReading(seed + place), shared),
        );
        const folder = freshFolder();
        writeVectors(folder, (_file, _part, cases) => cases.slice(0, 1));
        const file = join(folder, 'snapshot.json');
        const { containers } = JSON.parse(readFileSync(file, 'utf8')) as VectorFile;
        writeFileSync(file, JSON.stringify({ containers, shared, readings }));
        const { suites, complaints } = read(folder);
        const found = suites.find(({ suite }) => suite === 'snapshot/readings');
        assert.deepEqual(found?.failures, [], complaints);
        assert.equal(found.passed, RANDOM_READINGS);
      }),
      { numRuns: 1 },
    );
  });

  it('fails where one suite has no case', () => {
    const folder = freshFolder();
    writeVectors(folder, (_file, part, cases) => (part === 'documents' ? [] : cases.slice(0, 1)));
    const { status, suites } = read(folder);
    assert.deepEqual(
      suites.filter(({ passed }) => passed === 0).map(({ suite }) => suite),
      ['code/documents'],
    );
    assert.deepEqual(
      suites.filter(({ failed }) => failed > 0),
      [],
    );
    assert.equal(status, 1);
  });

  it('fails where a file has a part that it does not read', () => {
    const folder = freshFolder();
    writeVectors(folder, (_file, _part, cases) => cases.slice(0, 1));
    assert.equal(read(folder).status, 0);
    const code = JSON.parse(readFileSync(join(folder, 'code.json'), 'utf8')) as VectorFile;
    writeFileSync(join(folder, 'code.json'), JSON.stringify({ ...code, more: [] }));
    const { status, complaints } = read(folder);
    assert.match(complaints, /nothing reads more/);
    assert.equal(status, 1);
  });
});
