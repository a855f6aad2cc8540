import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { TrustFold } from '../../../protocol/trust/fold.ts';
import { parseEntry } from '../../../protocol/trust/statement.ts';
import { trustModules } from '../../support/region-fixture.ts';
import {
  type BaseVector,
  TRUST_VECTOR_FILE,
  trustVectorText,
  type TrustVectors,
} from '../../vectors/generate/trust.ts';

const names = { region: 'DE', network: 'test' };
const text = readFileSync(TRUST_VECTOR_FILE, 'utf8');
const { statements, logs, bases } = JSON.parse(text) as TrustVectors;

function bootedFrom({ index, frontier, items, entry }: BaseVector): TrustFold {
  const base = { index, frontier: frontier.map(hexBytes), items: items.map(hexBytes) };
  return TrustFold.fromBase({ ...names, base, stateEntry: hexBytes(entry) }, trustModules);
}

describe('vectors/trust.json', () => {
  it('is what its script makes', () => {
    assert.equal(text, trustVectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice', () => {
    for (const list of [statements, logs, bases] as const) {
      const bad = list.filter((one) =>
        'findings' in one ? one.findings.length > 0 : one.fault !== undefined,
      );
      assert(2 * bad.length >= list.length, `${bad.length} of ${list.length}`);
      assert.equal(new Set(list.map(({ name }) => name)).size, list.length);
    }
  });

  for (const { name, entry, fault } of statements) {
    it(`statement, ${fault ?? 'good'}: ${name}`, () => {
      if (fault === undefined) parseEntry(hexBytes(entry));
      else
        assert.throws(
          () => parseEntry(hexBytes(entry)),
          (error) => isProtocolError(error, fault),
        );
    });
  }

  for (const { name, entries, findings, fingerprint, at, items, root } of logs) {
    it(`log, ${findings.length === 0 ? 'good' : 'with findings'}: ${name}`, () => {
      const bytes = entries.map(hexBytes);
      const fold = new TrustFold({ ...names, history: (from) => bytes.slice(from) }, trustModules);
      for (const entry of bytes) fold.append(entry);
      assert.deepEqual(
        fold.findings.map(({ index, code }) => [index, code]),
        findings,
      );
      const found = fold.state.fingerprint;
      assert.equal(found === undefined ? null : hexOf(found), fingerprint);
      const commitment = fold.commitmentAt(at);
      assert.equal(commitment.items.length, items);
      assert.equal(hexOf(commitment.root), root);
    });
  }

  for (const vector of bases) {
    it(`base, ${vector.fault ?? 'good'}: ${vector.name}`, () => {
      const { fault } = vector;
      if (fault === undefined) assert.equal(bootedFrom(vector).size, vector.index + 1);
      else
        assert.throws(
          () => bootedFrom(vector),
          (error) => isProtocolError(error, fault),
        );
    });
  }
});
