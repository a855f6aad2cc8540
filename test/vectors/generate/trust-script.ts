/** Writes trust logs of which it is known, entry by entry, what is found. */
import assert from 'node:assert/strict';
import { type Finding } from '../../../protocol/trust/trust-state.ts';
import {
  RegionFixture,
  type RegionFixtureOptions,
  type TestSigners,
  type TestStatement,
} from '../../support/region-fixture.ts';

/** A log and what to expect. Each step says itself whether its entry passes; the fold is only held against that. */
export class TrustScript extends RegionFixture {
  readonly #expected = new Map<number, Finding['code']>();

  constructor(options: RegionFixtureOptions = {}) {
    super({ ...options, begins: 'empty' });
    const { begins = 'keys' } = options;
    if (begins !== 'empty') this.add(this.rootStatement());
    if (begins === 'keys') this.addKeys();
  }

  /** The next statement is refused with this code. */
  refused(code: Finding['code'], statement: TestStatement, signedBy?: TestSigners): void {
    this.refusedEntry(code, this.entryOf(statement, signedBy));
  }

  refusedEntry(code: Finding['code'], entry: Uint8Array): void {
    this.#expected.set(this.entries.length, code);
    assert.equal(this.offer(entry)?.code, code);
  }

  /** What was said of these entries before is no longer so: `undefined` for one that passes after all. */
  turned(indexes: readonly number[], code: Finding['code'] | undefined): void {
    for (const index of indexes) {
      if (code === undefined) this.#expected.delete(index);
      else this.#expected.set(index, code);
    }
  }

  /** By index. */
  get expected(): readonly (readonly [index: number, code: Finding['code']])[] {
    const expected = [...this.#expected].sort(([a], [b]) => a - b);
    const found = this.fold.findings.map(({ index, code }) => [index, code]);
    assert.deepEqual(found, expected);
    return expected;
  }
}
