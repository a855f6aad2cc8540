/** What two operators signed, and what somebody writes into the database who has the key of the registry and no operator's. */
import assert from 'node:assert/strict';
import {
  beganAt,
  digestOf,
  type Kept,
  keptSchema,
  type OverrideOrder,
  type SignedOrder,
} from '../../../node/abuse/override-kept.ts';
import { signConfirmation, signProposal } from '../../../node/abuse/override-signing.ts';
import { isNodeError } from '../../../node/node-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../../node/registry/sealer.ts';
import { hexBytes } from '../../../protocol/bytes.ts';
import { REGISTRY_KEY } from '../../support/issuing-fixture.ts';
import { LivingRegion } from '../../support/living-region.ts';
import { ANNA, BERT, operatorOf } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';

const SEALER = new Sealer(derivedKey(REGISTRY_KEY, 'override'));
const ORDER = { reason: 'outbreak', colour: 'red', days: 2, subjects: ['P1', 'P2'] } as const;
const ANNA_ANEW = operatorOf('anna', 0xa1);
const GHOST = operatorOf('ghost', 0xee);
const GHOULISH = operatorOf('ghoul', 0xef);

describe('Overrides, by what operators signed', () => {
  let region: LivingRegion;
  beforeEach(async () => (region = await LivingRegion.open()));
  afterEach(() => region.process.stop());

  const isRefused = (why: RegExp) => (error: unknown) =>
    isNodeError(error, 'REFUSED') && why.test(error.message) && error.hint !== undefined;
  const signing = () => ({ sha256, random: region.machine.bytes, nowS: () => region.nowS });

  async function rowOf(id: string): Promise<Kept> {
    const key = `override/${id}`;
    const sealed = (await region.process.tables.get(key)) ?? assert.fail();
    return keptSchema.parse(JSON.parse(Buffer.from(SEALER.open(key, sealed)).toString()));
  }

  async function write(id: string, row: Kept): Promise<void> {
    const key = `override/${id}`;
    const value = SEALER.seal(key, Buffer.from(JSON.stringify(row)), region.machine.bytes(NONCE_BYTES));
    await region.process.tables.write([{ put: key, value }]);
  }

  /** Whatever the row says, somebody who may confirms it. */
  async function confirmRow(id: string, by = BERT): Promise<{ readonly issued: number }> {
    const { proposed, ...terms } = await rowOf(id);
    const seen = { id, ...terms, proposed: { ...proposed, keyId: '' } };
    return region.confirmSigned(id, signConfirmation(region.names, seen, by, signing()), by);
  }

  const counted = () => region.watch.report.counts.override;

  async function nothingCameOf(id: string, why: RegExp, by = BERT): Promise<void> {
    await assert.rejects(confirmRow(id, by), isRefused(why));
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2), counted()], ['', '', 0]);
  }

  /** A row as these sign it, or in their names. */
  function forged(order: OverrideOrder, proposer = ANNA, confirmer?: typeof ANNA): [string, Kept] {
    const { id, salts, signed, subjects, ...terms } = signProposal(region.names, order, proposer, signing());
    const people = subjects.map((subject, i): [string, string] => [subject, salts[i] ?? '']);
    const named = { subjects: people, forgotten: [] };
    const { name: by, operator: proposing } = proposer;
    const proposed = { name: by, publicKey: proposing.publicKey, ...signed };
    const row: Kept = {
      ...terms,
      people: people.length,
      digest: digestOf(sha256, named),
      ...named,
      proposed,
    };
    if (confirmer === undefined) return [id, row];
    const seen = { id, ...row, proposed: { ...row.proposed, keyId: '' } };
    const also = signConfirmation(region.names, seen, confirmer, signing());
    const { name, operator } = confirmer;
    return [id, { ...row, confirmed: { name, publicKey: operator.publicKey, ...also } }];
  }

  for (const [what, why, change] of [
    ['other people', /people that it names/, { subjects: [['P1', '0'.repeat(32)] as [string, string]] }],
    ['one more who was forgotten', /people that it names/, { forgotten: ['0'.repeat(64)] }],
    ['more people', /not signed by whoever is said to have proposed/, { people: 1_317 }],
    ['another digest', /not signed by whoever is said to have proposed/, { digest: '0'.repeat(64) }],
    ['another colour', /not signed by whoever is said to have proposed/, { colour: 'green' }],
    ['more days', /not signed by whoever is said to have proposed/, { days: 14 }],
    ['another reason', /not signed by whoever is said to have proposed/, { reason: 'hardship' }],
  ] as [string, RegExp, Partial<Kept>][])
    it(`issues nothing of a proposal in which somebody has written ${what}`, async () => {
      const { id } = await region.propose(ORDER);
      await write(id, { ...(await rowOf(id)), ...change });
      await nothingCameOf(id, why);
      await assert.rejects(region.overrides.show(id), isRefused(why));
    });

  it('issues nothing of one in the name of others, and lists it beside the others as what nobody can confirm', async () => {
    const { id } = await region.propose(ORDER);
    const row = await rowOf(id);
    await write(id, { ...row, proposed: { ...row.proposed, name: 'carla' } });
    await nothingCameOf(id, /not signed by whoever/);
    const { overrides, damaged } = await region.overrides.list();
    assert.deepEqual([overrides, damaged.map((one) => [one.id, one.code])], [[], [[id, 'REFUSED']]]);
    await write(id, row);
    assert.equal((await region.overrides.list()).overrides[0]?.id, id);
    const elsewhere = beganAt(region.nowS) + 'f'.repeat(24);
    await write(elsewhere, row);
    await nothingCameOf(elsewhere, /not signed by whoever/);
  });

  it('issues nothing of what says that it was confirmed, by whomever, unless both signed it and are operators', async () => {
    const [byGhosts, ghosts] = forged(ORDER, GHOST, GHOULISH);
    await write(byGhosts, ghosts);
    await nothingCameOf(byGhosts, /who proposed it is no operator/);
    const [byOne, one] = forged(ORDER, ANNA, GHOULISH);
    await write(byOne, one);
    await nothingCameOf(byOne, /who confirmed it is no operator/);
    // In the name of BERT, whose signature nobody can make.
    const { confirmed = assert.fail() } = one;
    const inName = { ...confirmed, name: 'bert', publicKey: BERT.operator.publicKey };
    await write(byOne, { ...one, confirmed: inName });
    await nothingCameOf(byOne, /not signed by another operator/);
    const [byKeys, keys] = forged(ORDER, ANNA, ANNA_ANEW);
    await write(byKeys, keys);
    await nothingCameOf(byKeys, /not signed by another operator/);
    const [other, { confirmed: ofOther }] = forged({ ...ORDER, subjects: ['P1'] }, ANNA, BERT);
    assert.notEqual(other, byOne);
    await write(byOne, { ...one, confirmed: ofOther });
    await nothingCameOf(byOne, /not signed by another operator/);
  });

  it('issues nothing that was confirmed days after it was proposed, or will be', async () => {
    const [id, row] = forged(ORDER);
    const later = async (days: number) => {
      region.later(days);
      const seen = { id, ...row, proposed: { ...row.proposed, keyId: '' } };
      const also = signConfirmation(region.names, seen, BERT, signing());
      region.later(-days);
      const confirmed = { name: 'bert', publicKey: BERT.operator.publicKey, ...also };
      await write(id, { ...row, confirmed });
      await nothingCameOf(
        id,
        /more than a day after it was proposed, or at a time to come/,
        operatorOf('carla', 0xc0),
      );
    };
    region.operators.set('carla', operatorOf('carla', 0xc0).operator);
    await later(1.1);
    await later(0.1);
  });

  it('tells a confirmation that is signed before the proposal from one that is late, and takes it once the clocks agree', async () => {
    const [id, row] = forged(ORDER);
    await write(id, row);
    const minute = 1 / 1_440;
    region.later(-4 * minute);
    await nothingCameOf(id, /confirmed 240 s before it was proposed: the clocks/);
    region.later(4 * minute);
    assert.deepEqual(await confirmRow(id), { issued: 2 });
  });

  it('counts what both signed, once, although it was confirmed already where this node was not there', async () => {
    const [id, row] = forged(ORDER, ANNA, BERT);
    await write(id, row);
    region.issuesLeft = 1;
    await assert.rejects(confirmRow(id), /it died/);
    assert.equal(counted(), 2);
    region.issuesLeft = Infinity;
    assert.deepEqual([await confirmRow(id), counted()], [{ issued: 2 }, 2]);
    const shown = await region.overrides.show(id);
    assert.deepEqual([shown.confirmed?.name, shown.confirmed?.keyId], ['bert', BERT.keyId]);
  });

  it('issues nothing again of a row that comes back after it was done, as proposed or as confirmed', async () => {
    const { id } = await region.propose(ORDER);
    const proposed = await rowOf(id);
    region.issuesLeft = 0;
    await assert.rejects(region.confirm(id), /it died/);
    const confirmed = await rowOf(id);
    region.issuesLeft = Infinity;
    // Else its codes would be given a second time, at another time.
    region.later(1 / 86_400);
    await write(id, proposed);
    await assert.rejects(confirmRow(id), isRefused(/something else was confirmed under this id before/));
    await write(id, confirmed);
    assert.deepEqual(await confirmRow(id), { issued: 2 });
    for (const n of [1, 2]) await region.revokeAll(n);
    for (const row of [proposed, confirmed]) {
      await write(id, row);
      await assert.rejects(confirmRow(id), isRefused(/it was confirmed and is done/));
    }
    assert.deepEqual([await region.codesOf(1), counted()], ['(red)', 2]);
    await region.process.tables.write([{ del: `override/${id}` }]);
    const again = {
      ...ORDER,
      id,
      salts: proposed.subjects.map(([, salt]) => salt),
      signed: proposed.proposed,
    } as const;
    await assert.rejects(region.proposeSigned(again), isRefused(/under this id before/));
    region.later(17);
    await region.overrides.sweep();
    assert.deepEqual(await region.process.store.page('abuse/override/', 'abuse/override0', { limit: 1 }), []);
  });

  it('who was forgotten meanwhile is missing from what was signed, and the others get their codes', async () => {
    const { id } = await region.propose(ORDER);
    await region.overrides.forget('P1');
    const { subjects, forgotten } = await rowOf(id);
    assert.deepEqual([subjects.map(([subject]) => subject), forgotten.length], [['P2'], 1]);
    assert.deepEqual(await region.confirm(id), { issued: 1 });
    assert.deepEqual([await region.codesOf(1), await region.codesOf(2)], ['', 'red']);
  });

  for (const [what, why, change] of [
    [
      'signed by another',
      /not signed by whoever/,
      (one: SignedOrder) => ({ ...one, signed: signedBy(BERT, one) }),
    ],
    [
      'of another colour than was signed',
      /not signed by whoever/,
      (one: SignedOrder) => ({ ...one, colour: 'green' }),
    ],
    [
      'of other people than were signed',
      /not signed by whoever/,
      (one: SignedOrder) => ({ ...one, subjects: ['P1', 'P3'] }),
    ],
    [
      'with other salts',
      /not signed by whoever/,
      (one: SignedOrder) => ({ ...one, salts: [...one.salts].reverse() }),
    ],
    [
      'with too few salts',
      /a salt of their own/,
      (one: SignedOrder) => ({ ...one, salts: one.salts.slice(1) }),
    ],
    [
      'under an id of another time',
      /not signed by whoever/,
      (one: SignedOrder) => ({ ...one, id: '0'.repeat(32) }),
    ],
  ] as [string, RegExp, (one: SignedOrder) => SignedOrder][])
    it(`refuses a proposal ${what}`, async () => {
      await assert.rejects(region.proposeSigned(change(region.signed(ORDER))), isRefused(why));
      assert.deepEqual((await region.overrides.list()).overrides, []);
    });

  function signedBy(by: typeof ANNA, { subjects }: SignedOrder) {
    return region.signed({ ...ORDER, subjects }, by).signed;
  }

  it('refuses a proposal of another region, of another time, and under an id that is taken', async () => {
    const elsewhere = signProposal({ ...region.names, region: 'FR' }, ORDER, ANNA, signing());
    await assert.rejects(region.proposeSigned(elsewhere), isRefused(/not signed by whoever/));
    const order = region.signed(ORDER);
    region.later(1 / 700);
    await assert.rejects(region.proposeSigned(order), isRefused(/a time more than 120 s away/));
    region.later(-1 / 700);
    const seen = await region.proposeSigned(order);
    assert.deepEqual(await region.proposeSigned(order), seen);
    const other = signProposal(region.names, ORDER, BERT, {
      ...signing(),
      random: () => hexBytes(order.id.slice(8)),
    });
    await assert.rejects(region.proposeSigned(other, BERT), isRefused(/under this id before/));
    assert.deepEqual((await region.overrides.list()).overrides, [seen]);
  });
});
