/** What a conformance suite is: cases made by others, read from a folder and counted. */

/** The most reasons a suite keeps. The counts go on; what follows would only repeat the same defect. */
const REASONS_MAX = 100;

/**
 * The outcome of one suite. `reasons` says for failed cases and for skipped ones which case it was and why,
 * at most `REASONS_MAX` of them; passed cases have none.
 */
export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly reasons: readonly string[];
}

/**
 * One suite per file, registered in `run.ts`. `run` gets the folder that holds all vectors (the suite finds its
 * own subfolder) and depends on the shape of the files it finds, never on their names or on their number.
 * A case that the suite cannot read is a failure, not an exception; a subfolder that is absent is one skip.
 */
export interface Suite {
  /** Also that of its folder. */
  readonly name: string;
  /** Set where collections of vectors may do without: the suite then runs only if its folder is there. */
  readonly isOptional?: true;
  run(dir: string): Promise<SuiteResult>;
}

/** Counts cases while a suite runs. */
export class Tally {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  readonly #reasons: string[] = [];

  pass(): void {
    this.#passed++;
  }

  /** `reason` names the case, what was expected and what came. */
  fail(reason: string): void {
    this.#failed++;
    this.#note(`failed: ${reason}`);
  }

  skip(reason: string): void {
    this.#skipped++;
    this.#note(`skipped: ${reason}`);
  }

  /** Passes the case if nothing is wrong with it: `fault` is undefined or the reason of the failure. */
  settle(fault: string | undefined): void {
    if (fault === undefined) this.pass();
    else this.fail(fault);
  }

  result(): SuiteResult {
    return {
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      reasons: [...this.#reasons],
    };
  }

  #note(reason: string): void {
    if (this.#reasons.length < REASONS_MAX) this.#reasons.push(reason);
  }
}
