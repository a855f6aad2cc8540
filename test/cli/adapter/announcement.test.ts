import assert from 'node:assert/strict';
import { announcing, loggedUnder, piecesOf, requireOwnId } from '../../../cli/adapter/announcement.ts';
import { CliError } from '../../../cli/exit.ts';
import { ANNOUNCED_KEYS_MAX } from '../../../protocol/foreign/foreign-limits.ts';
import { HCERT_FACTS } from '../../../protocol/foreign/hcert-facts.ts';
import { type LoggedAdapter } from '../../../protocol/trust/trust-state.ts';
import { adapterOf, SIGNER } from '../../support/announced-fixture.ts';
import { cardKey } from '../../support/card-fixture.ts';
import { hcertKey } from '../../support/hcert-fixture.ts';
import { stubState } from '../../support/stub-state.ts';

const idsOf = (all: readonly { readonly id?: unknown }[]) => all.map(({ id }) => id);
const stateOf = (...adapters: readonly LoggedAdapter[]) => stubState({ region: 'AT', adapters });
const hcert = (id: string) => adapterOf({}, { id });
const cards = (id: string) => adapterOf({ keys: [cardKey(SIGNER)] }, { id });
const over = (id: string): LoggedAdapter => ({ ...hcert(id), version: 7, data: {} });

/** The statements for so many keys under the id dcc. */
function announced(state: ReturnType<typeof stateOf>, count: number) {
  const keys = Array.from({ length: count }, () => hcertKey(SIGNER));
  const draft = { id: 'dcc', rules: 'hcert', facts: HCERT_FACTS, keys, from: 0, until: 1_000 };
  const { statements, takenBack } = announcing(state, draft);
  const told = statements.map((one) => (one.kind === 'adapter' ? one : assert.fail()));
  return {
    kept: told
      .filter(({ data }) => Object.keys(data).length > 0)
      .map(({ id, version }) => `${id} ${version}`),
    takenBack,
    all: idsOf(told),
  };
}

describe('announcing', () => {
  it('takes back the pieces of the same format that are not needed, and nothing else', () => {
    const state = stateOf(hcert('dcc'), hcert('dcc-2'), cards('dcc-3'), hcert('dcc-x'), over('dcc-4'));
    assert.deepEqual(announced(state, 1), {
      kept: ['dcc 2'],
      takenBack: ['dcc-2'],
      all: ['dcc', 'dcc-2'],
    });
  });

  it('gives a further piece the next id that is free', () => {
    const state = stateOf(hcert('dcc'), cards('dcc-2'), over('dcc-3'));
    const { kept, takenBack } = announced(state, 2 * ANNOUNCED_KEYS_MAX + 1);
    assert.deepEqual(kept, ['dcc 2', 'dcc-3 8', 'dcc-4 1']);
    assert.deepEqual(takenBack, []);
  });
});

describe('piecesOf', () => {
  it('has no adapter of another profile', () => {
    const own = (id: string, prefix: string): LoggedAdapter => ({
      ...hcert(id),
      data: { ...hcert(id).data, format: 'local', profile: { prefix } },
    });
    const state = stateOf(own('own', 'A:'), own('own-2', 'A:'), own('own-3', 'B:'));
    assert.deepEqual(idsOf(piecesOf(state, 'own')), ['own', 'own-2']);
  });
});

describe('loggedUnder', () => {
  it('has pieces that are over too, and nothing where the first is not logged', () => {
    const state = stateOf(hcert('dcc'), hcert('dcc-2'), over('dcc-3'), cards('dcc-4'));
    assert.deepEqual(idsOf(loggedUnder(state, 'dcc')), ['dcc', 'dcc-2', 'dcc-3']);
    assert.deepEqual(loggedUnder(stateOf(hcert('dcc-2')), 'dcc'), []);
  });
});

describe('requireOwnId', () => {
  const state = stateOf(hcert('dcc'), hcert('dcc-2'), cards('dcc-3'), over('dcc-4'), over('gone'));
  const refused = (error: unknown) => error instanceof CliError && error.code === 'REFUSED';

  for (const [id, why] of [
    ['dcc-2', 'a piece'],
    ['dcc-4', 'a piece that was taken back'],
    ['new-5', 'one that would be called as a piece'],
    ['dcc-3', 'one of another format'],
  ] as const)
    it(`refuses ${why}`, () => assert.throws(() => requireOwnId(state, id, 'hcert'), refused));

  it('takes a new id, one of the same format, one that announces nothing, and an older one that ends as pieces do', () => {
    for (const id of ['new', 'dcc', 'gone', '2026']) requireOwnId(state, id, 'hcert');
    requireOwnId(state, 'dcc-3', 'shc');
  });
});
