import assert from 'node:assert/strict';
import {
  digestOfDraft,
  draftOf,
  encodeDraft,
  entriesOf,
  mergeDrafts,
  parseDraft,
  type RootDraft,
  signDraft,
  standingOf,
} from '../../../node/region/root-draft.ts';
import { INDEX_SET_COUNT_MAX } from '../../../protocol/limits.ts';
import { encodeIndexSet } from '../../../protocol/revocation/index-set-code.ts';
import { encodeStatement } from '../../../protocol/trust/statement.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { type StatementDraft } from '../../../node/log/trust-log-work.ts';
import { RegionFixture, START_S, testKey, trustModules } from '../../support/region-fixture.ts';
import { throwsWith } from '../../support/store-fixture.ts';

const fresh = ['one', 'two', 'three'].map((name) => testKey(`fresh ${name}`));

describe('a draft for the root', () => {
  let region: RegionFixture;
  const withdrawal: StatementDraft = { kind: 'withdrawal', region: 'FR', version: 1 };
  beforeEach(() => {
    region = new RegionFixture({ rootKeys: 3, threshold: 2 });
  });

  const drafted = (...statements: readonly StatementDraft[]) =>
    draftOf(region.fold.state, statements, START_S);
  const signed = (draft: RootDraft, ...keys: readonly number[]) =>
    keys.reduce((one, key) => signDraft(one, region.rootKeys[key] ?? assert.fail(), trustModules), draft);
  const parse = (text: string) => parseDraft(Buffer.from(text), trustModules);
  /** As it is read again on another machine. */
  const carried = (draft: RootDraft) => parse(encodeDraft(draft));
  const newRoot = (): StatementDraft => ({
    kind: 'root',
    region: region.fold.state.region,
    network: region.fold.state.network,
    name: 'new',
    version: 2,
    threshold: 2,
    keys: fresh.map(({ publicKey }) => publicKey).sort((a, b) => Buffer.compare(a, b)),
  });

  it('comes back from its file with the same bytes, signed or not, and with one digest', () => {
    const draft = drafted(withdrawal, { ...withdrawal, region: 'IT' });
    const both = signed(draft, 0, 2);
    for (const one of [draft, both]) {
      assert.deepEqual(carried(one), one);
      assert.equal(encodeDraft(carried(one)), encodeDraft(one));
      assert.deepEqual(digestOfDraft(one, trustModules), digestOfDraft(draft, trustModules));
    }
    const other = drafted({ ...withdrawal, version: 2 });
    assert.notDeepEqual(digestOfDraft(other, trustModules), digestOfDraft(drafted(withdrawal), trustModules));
  });

  it('gives entries that the log takes once enough keys have signed, in whatever order and place', () => {
    const draft = drafted(withdrawal);
    throwsWith(() => entriesOf(signed(draft, 1), trustModules), 'DRAFT_INCOMPLETE', /1 of the signatures/);
    throwsWith(() => entriesOf(signed(draft, 1, 1), trustModules), 'DRAFT_INCOMPLETE', /1 of the signatures/);
    const merged = mergeDrafts([signed(draft, 2), draft, carried(signed(draft, 0))], trustModules);
    assert.deepEqual(merged, signed(draft, 0, 2));
    const [entry] = entriesOf(merged, trustModules);
    assert.equal(region.fold.append(entry ?? assert.fail()), undefined);
    assert.equal(region.fold.state.recognition('FR')?.standing, 'withdrawn');
  });

  it('that names a new root needs enough of the old keys and of the new ones, and the fingerprint stays', () => {
    const { fingerprint } = region.fold.state;
    const draft = drafted(newRoot());
    const sign = (one: RootDraft, keys: typeof fresh) =>
      keys.reduce((d, key) => signDraft(d, key, trustModules), one);
    const missing = (one: RootDraft) => standingOf(one, trustModules).map((board) => board.missing);
    assert.deepEqual(missing(draft), [2, 2]);
    assert.deepEqual(missing(signed(draft, 0, 1, 2)), [0, 2]);
    assert.deepEqual(missing(sign(draft, fresh)), [2, 0]);
    const enough = carried(sign(signed(draft, 0, 2), fresh.slice(1)));
    const [entry] = entriesOf(enough, trustModules);
    assert.equal(region.fold.append(entry ?? assert.fail()), undefined);
    assert.equal(region.fold.state.root?.version, 2);
    assert.deepEqual(region.fold.state.fingerprint, fingerprint);
    throwsWith(
      () => signDraft(drafted(withdrawal), region.rootKeys[0] ?? assert.fail(), trustModules),
      'REFUSED',
    );
  });

  it('is signed by no key that is not of the root', () => {
    throwsWith(
      () => signDraft(drafted(withdrawal), testKey('a thief'), trustModules),
      'REFUSED',
      /none of those/,
    );
  });

  it('T19: copies that do not say the same are not merged', () => {
    const draft = signed(drafted(withdrawal), 0);
    const weaker = { ...draft, board: { ...draft.board, threshold: 1 } };
    const others = [drafted({ ...withdrawal, region: 'IT' }), weaker, { ...draft, network: 'other' }];
    for (const other of others)
      throwsWith(() => mergeDrafts([draft, other], trustModules), 'DRAFT_INVALID', /do not say the same/);
  });

  it('F4: any changed byte of the file is refused, or changes what is compared', () => {
    const draft = signed(drafted(withdrawal), 0);
    const text = encodeDraft(draft);
    let refused = 0;
    for (let at = 0; at < text.length; at++) {
      const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
      let read: RootDraft;
      try {
        read = parse(text.slice(0, at) + other + text.slice(at + 1));
      } catch (error) {
        assert.ok(isNodeError(error, 'DRAFT_INVALID'), String(error));
        refused++;
        continue;
      }
      // A key of the root that has not signed, or how many have to: the log checks that.
      assert.deepEqual(read.statements, draft.statements);
      assert.ok(!Buffer.from(encodeDraft(read)).equals(Buffer.from(text)) || /\s/.test(text[at] ?? ''));
    }
    assert.ok(refused > text.length / 2);
  });

  it('its revocations name 2^20 indexes at most, all together, so that a small file costs little to show', () => {
    const revoking = (count: number) =>
      ({
        kind: 'revocation',
        log: '2026-11',
        effective: START_S,
        set: encodeIndexSet(Float64Array.from({ length: count }, (_, i) => i)),
      }) as const;
    const enough = [revoking(INDEX_SET_COUNT_MAX - 1), revoking(1)];
    assert.equal(carried(drafted(...enough)).statements.length, 2);
    throwsWith(() => drafted(...enough, revoking(1)), 'DRAFT_INVALID', /more than 1048576 indexes/);
    const statement = { ...revoking(INDEX_SET_COUNT_MAX), at: START_S };
    const one = { body: encodeStatement(statement), statement, signatures: [] };
    const text = encodeDraft({ ...drafted(withdrawal), statements: Array.from({ length: 64 }, () => one) });
    assert.ok(text.length < 20_000);
    throwsWith(() => parse(text), 'DRAFT_INVALID', /more than 1048576 indexes/);
    const torn = { ...revoking(1), at: START_S, set: new Uint8Array([1, 2, 3]) };
    const bad = [{ body: encodeStatement(torn), statement: torn, signatures: [] }];
    throwsWith(() => parse(encodeDraft({ ...drafted(withdrawal), statements: bad })), 'DRAFT_INVALID');
  });

  it('refuses what is no draft, in words', () => {
    const draft = signed(drafted(withdrawal), 0, 1);
    const told = JSON.parse(encodeDraft(draft)) as {
      root: { keys: string[]; threshold: number };
      statements: { body: string; signatures: { key: string; signature: string }[] }[];
    };
    const [statement] = told.statements;
    assert.ok(statement);
    const [first, second] = statement.signatures;
    const bad: readonly (readonly [object | string, RegExp])[] = [
      ['', /is not JSON/],
      ['{"format":1,"format":1}', /twice/],
      [{ ...told, format: 2 }, /format/],
      [{ ...told, more: 1 }, /not as expected/],
      [{ ...told, region: 'de' }, /region/],
      [{ ...told, statements: [] }, /statements/],
      [{ ...told, statements: Array.from({ length: 65 }, () => statement) }, /statements/],
      [{ ...told, root: { ...told.root, threshold: 0 } }, /threshold/],
      [{ ...told, root: { ...told.root, threshold: 4 } }, /root/],
      [{ ...told, root: { ...told.root, keys: told.root.keys.toReversed() } }, /root/],
      [{ ...told, statements: [{ ...statement, body: 'AAAA' }] }, /no draft/],
      [{ ...told, statements: [{ ...statement, signatures: [second, first] }] }, /order/],
      [{ ...told, statements: [{ ...statement, signatures: [first, first] }] }, /order/],
      [
        { ...told, statements: [{ ...statement, signatures: [{ ...first, key: '00'.repeat(8) }] }] },
        /none of those/,
      ],
      [
        { ...told, statements: [{ ...statement, signatures: [{ ...first, signature: second?.signature }] }] },
        /not good/,
      ],
      [
        { ...told, statements: [{ ...statement, signatures: [{ ...first, signature: 'AAAA' }] }] },
        /not good/,
      ],
    ];
    for (const [value, message] of bad) {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      throwsWith(() => parse(text), 'DRAFT_INVALID', message);
    }
    const two = encodeDraft({
      ...drafted(newRoot()),
      statements: [...drafted(newRoot()).statements, ...draft.statements],
    });
    throwsWith(() => parse(two), 'DRAFT_INVALID', /stands alone/);
    assert.throws(() => drafted(), RangeError);
    assert.throws(() => drafted(...Array.from({ length: 65 }, () => withdrawal)), RangeError);
  });
});
