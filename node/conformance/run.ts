/** Runs suites over a folder of vectors and puts their results into words. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Suite, type SuiteResult } from './suite.ts';
import { SUITES } from './suites.ts';

/** The result of one suite, as `--json` prints it: `[{ name, passed, failed, skipped, reasons }]`. */
export interface ConformanceResult extends SuiteResult {
  readonly name: string;
}

/**
 * Runs the suites one after the other over the folder `dir`. An exception that a suite lets through counts as one
 * failed case of it, and the others still run.
 */
export async function runConformance(
  dir: string,
  suites: readonly Suite[] = SUITES,
): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = [];
  for (const suite of suites) {
    if (suite.isOptional === true && !existsSync(join(dir, suite.name))) continue;
    results.push({ name: suite.name, ...(await runSuite(suite, dir)) });
  }
  return results;
}

/** Nothing failed, and every suite passed something: a suite that found no cases has shown nothing. */
export function isConformant(results: readonly ConformanceResult[]): boolean {
  return results.length > 0 && results.every(({ passed, failed }) => failed === 0 && passed > 0);
}

/** A line `name: N passed, M failed, K skipped` for each suite, each followed by its reasons, indented. */
export function formatConformance(results: readonly ConformanceResult[]): string {
  return results
    .map((result) => [formatCounts(result), ...result.reasons.map((r) => `  ${r}`)].join('\n'))
    .join('\n');
}

function formatCounts({ name, passed, failed, skipped }: ConformanceResult): string {
  return `${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function runSuite(suite: Suite, dir: string): Promise<SuiteResult> {
  try {
    return await suite.run(dir);
  } catch (error) {
    const reason = `failed: the suite broke off: ${error instanceof Error ? error.message : String(error)}`;
    return { passed: 0, failed: 1, skipped: 0, reasons: [reason] };
  }
}
