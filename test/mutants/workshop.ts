/** A copy of the source in which one mutant is planted, and its test run there. The source itself is never touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../support/project.ts';
import { applyHunk, type Mutant, parseMutant } from './mutant.ts';

export interface Outcome {
  readonly name: string;
  readonly isCaught: boolean;
  /** Why it was not caught; else the test that failed. */
  readonly why: string;
  readonly seconds: number;
}

const COPIED = ['protocol', 'node', 'cli', 'test', 'package.json', 'tsconfig.json'];
const FOLDER = join(projectRoot, 'test/mutants');
/** A mutant may hang: then it is not its test that caught it. */
const RUN_MS_MAX = 180_000;
const TEST_MS_MAX = 60_000;

/** All patches of the folder, by name. @throws as `parseMutant`. */
export function readMutants(): Mutant[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.patch'));
  return files
    .sort()
    .map((file) => parseMutant(file.replace(/\.patch$/, ''), readFileSync(join(FOLDER, file), 'utf8')));
}

/** Writes the mutant into a folder with the source. @throws {RangeError} as `applyHunk`. */
export function plant({ hunks }: Mutant, root: string): void {
  for (const hunk of hunks) {
    const path = join(root, hunk.file);
    writeFileSync(path, applyHunk(readFileSync(path, 'utf8'), hunk));
  }
}

/** Runs the test of a mutant with and without it: it has to pass without, and fail with. */
export async function tryMutant(mutant: Mutant): Promise<Outcome> {
  const startMs = performance.now();
  const root = mkdtempSync(join(tmpdir(), 'entente-mutant-'));
  const outcome = (isCaught: boolean, why: string): Outcome => {
    return { name: mutant.name, isCaught, why, seconds: (performance.now() - startMs) / 1000 };
  };
  try {
    for (const name of COPIED) cpSync(join(projectRoot, name), join(root, name), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
    const before = await runTests(root, mutant);
    if (before.passed.length === 0) return outcome(false, `no test "${mutant.caughtBy}" passes without it`);
    if (before.failed.length > 0) return outcome(false, `fails without it: ${before.failed.join('; ')}`);
    plant(mutant, root);
    const { failed } = await runTests(root, mutant);
    const [test] = failed;
    return test === undefined ? outcome(false, 'survived: no test failed') : outcome(true, test);
  } catch (error) {
    return outcome(false, error instanceof Error ? error.message : String(error));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Tests {
  readonly passed: string[];
  readonly failed: string[];
}

/** Runs the tests with the title that the mutant names, from source. */
async function runTests(root: string, { test, caughtBy }: Mutant): Promise<Tests> {
  const report = join(root, 'report.json');
  rmSync(report, { force: true });
  const options = ['--no-config', '--exit', '--timeout', String(TEST_MS_MAX), '--fgrep', caughtBy];
  const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`];
  const mocha = join('node_modules', 'mocha', 'bin', 'mocha.js');
  const child = spawn(process.execPath, ['--import', 'tsx', mocha, ...options, ...reporter, test], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2_000)));
  await once(child, 'close');
  const { passes, failures } = readReport(report, errors);
  return { passed: titles(passes), failed: titles(failures) };
}

interface Report {
  readonly passes: readonly { readonly fullTitle: string }[];
  readonly failures: readonly { readonly fullTitle: string }[];
}

function readReport(path: string, errors: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    throw new Error(`the tests did not run to their end: ${errors.trim().split('\n').at(-1) ?? ''}`);
  }
}

function titles(tests: readonly { readonly fullTitle: string }[]): string[] {
  return tests.map(({ fullTitle }) => fullTitle);
}
