/**
 * Mocha's spec reporter, closing with the one line that `.ci/run` repeats. A run that a test left something running in names it
 * and ends all the same, with its own result: mocha itself would wait for ever.
 */
import Mocha from 'mocha';

const GRACE_MS = 10_000;

class ClosingLineReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      process.stdout.write(
        `${this.stats.passes} passed, ${this.stats.failures} failed, ${this.stats.pending} skipped\n`,
      );
      setTimeout(() => endLeftovers(this.stats.failures), GRACE_MS).unref();
    });
  }
}

function endLeftovers(failures: number): void {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  process.stderr.write(`${GRACE_MS / 1_000} s after the last test something still runs: ${list}\n`);
  process.exit(failures > 0 ? 1 : 0);
}

// Mocha loads a reporter by its module's default export or by the module object itself.
export { ClosingLineReporter as default };
