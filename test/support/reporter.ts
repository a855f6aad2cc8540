/** Mocha's spec reporter, closing with the one line that `.ci/run` repeats. */
import Mocha from 'mocha';

class ClosingLineReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      process.stdout.write(
        `${this.stats.passes} passed, ${this.stats.failures} failed, ${this.stats.pending} skipped\n`,
      );
    });
  }
}

// Mocha loads a reporter by its module's default export or by the module object itself.
export { ClosingLineReporter as default };
