import assert from 'node:assert/strict';
import { auditDisclosure, type DisclosureAudited } from '../../../node/audit/disclosure-audit.ts';
import { encodeAttestation } from '../../../protocol/code/attestation-draft.ts';
import { paddingCommitment } from '../../../protocol/code/padding.ts';
import { pathOf } from '../../../protocol/code/commitment.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { type Original } from '../../../protocol/code/original.ts';
import { type Status } from '../../../protocol/code/status.ts';
import {
  type Basis,
  encodeBasis,
  evidenceOf,
  type OverrideBasis,
} from '../../../protocol/disclosure/basis.ts';
import { overrideStatus } from '../../../protocol/disclosure/override.ts';
import {
  type DisclosedLeaf,
  type DisclosedOperator,
  type Disclosure,
  mayHaveSigned,
  openDisclosure,
  signDisclosure,
} from '../../../protocol/disclosure/disclosure.ts';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import {
  BASIS_AGE_S_MAX,
  BASIS_AHEAD_S_MAX,
  BRIDGED_LIFE_S_MAX,
  CLOCK_AHEAD_S_MAX,
  DISCLOSED_OPERATORS_MAX,
  TALLY_S_MAX,
  TALLY_SLACK_S,
} from '../../../protocol/limits.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { type StatementOf } from '../../../protocol/trust/statement-schema.ts';
import { verifySignature } from '../../support/keys.ts';
import { ANNA, BERT, operatorOf, signedBasis } from '../../support/operators.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, HOUR_S, LOG_ID, RegionFixture, START_S } from '../../support/region-fixture.ts';
import { decisionOn, FROM_S, RULE_DATA, ruleSetWith } from '../../support/rule-fixture.ts';

type Facts = Extract<Basis, { kind: 'rules' }>['facts'];

/** A leaf that was issued at `START_S`, the first second of an hour, and what opens it. */
interface Made {
  readonly entry: Uint8Array;
  readonly leaf: DisclosedLeaf;
}

const rules = ruleSetWith();
const rulesOf = (version: number, atS = START_S) =>
  ({ kind: 'rules', id: rules.id, version, from: FROM_S, data: RULE_DATA as never, at: atS }) as const;
const logged = new RegionFixture();
logged.add(rulesOf(rules.version));

let salt = 0;
const random = (length: number) => new Uint8Array(length).fill(++salt);

function made(status: Status, basis: Parameters<typeof encodeBasis>[0] | undefined, index = 0): Made {
  return madeOn(status, basis && encodeBasis(basis), index);
}

function madeOn(status: Status, bytes: Uint8Array | undefined, index = 0): Made {
  const evidence = bytes && evidenceOf(sha256, bytes);
  const { commitment, openings } = commitFields(sha256, { status, evidence }, random);
  const [statusOpening = new Uint8Array(), , , evidenceOpening] = openings.opened;
  const opened = [statusOpening, undefined, undefined, evidenceOpening];
  return {
    entry: entryOf(commitment, index),
    leaf: {
      status: statusOpening,
      evidence: evidenceOpening,
      path: pathOf(sha256, openings, opened),
      basis: bytes,
    },
  };
}

function entryOf(commitment: Uint8Array, index = 0): Uint8Array {
  const claims = { region: 'DE', log: LOG_ID, index, hour: START_S / HOUR_S, commitment };
  const { keyId, sign } = logged.keys.attest;
  return encodeAttestation(claims, keyId, 'test', sign);
}

const OPERATORS = [ANNA.disclosed, BERT.disclosed];

function disclosureOf(leaves: Disclosure['leaves'], changes: Partial<Disclosure> = {}): Disclosure {
  const head = {
    region: 'DE',
    network: 'test',
    log: LOG_ID,
    atS: START_S,
    auditor: 'age1',
    operators: OPERATORS,
  };
  return { ...head, from: 0, until: leaves.length, leaves, ...changes };
}

interface Opened {
  readonly entry: Uint8Array;
  readonly leaf: Disclosure['leaves'][number];
}

/** By default the trust log is one of the time of issue, and so is the audit. */
function audited(
  all: readonly Opened[],
  { by = logged, trustAsOfS = START_S, nowS = START_S, operators = OPERATORS } = {},
): Promise<DisclosureAudited> {
  return auditDisclosure(
    disclosureOf(
      all.map(({ leaf }) => leaf),
      { operators },
    ),
    {
      sha256,
      verifySignature,
      trust: { entries: by.entries, without: new Set<number>() },
      trustAsOfS,
      nowS: () => nowS,
      leaves: all.map(({ entry }) => entry),
    },
  );
}

const namesOf = ({ findings }: DisclosureAudited) => findings.map(({ code, index }) => `${code} ${index}`);
const codesOf = async (...all: readonly Made[]) => namesOf(await audited(all));
/** By another trust log. */
const codesBy = async (by: RegionFixture, ...all: readonly Opened[]) => namesOf(await audited(all, { by }));

/** A colour that these rules gave at `atS` on facts that were true then. */
function byRules(atS: number): Made {
  const facts = { 'list.level': 'key', 'list.since': new Date(atS * 1_000).toISOString().slice(0, 10) };
  return onFacts(atS, facts, 'red');
}

function onFacts(atS: number, facts: Facts, colour: Status['colour'], told?: { isTold: true }): Made {
  const { status } = decisionOn(rules, facts, new Date(atS * 1_000).toISOString());
  assert.equal(status?.colour, colour);
  return made(status, { kind: 'rules', atS, rule: rules.id, version: rules.version, facts, ...told });
}

const DE = { region: 'DE', network: 'test' };
/** A leaf as two operators sign it at this time. */
const override = (atS: number, changes: Partial<Status> = {}, basis = signedBasis(DE, { atS })): Made =>
  made({ ...overrideStatus(basis, atS), ...changes }, basis);

const BRIDGED_END_S = START_S + HOUR_S + BRIDGED_LIFE_S_MAX;
const bridgedOf = (original: Original, expiresAtS: number): Made =>
  made({ colour: 'red', measure: 'none', expiresAtS, ruleId: 'fr', ruleVersion: 1, original }, undefined);

/** For a code of others. */
function bridged(of: string, expiresAtS = BRIDGED_END_S): Made {
  return bridgedOf({ region: of, hashes: [new Uint8Array(16)] }, expiresAtS);
}

/** For a code of another region's log. */
function bridgedLeaf(of: string): Made {
  const leaf = { log: LOG_ID, index: 0, keyId: '0'.repeat(16), leafHash: new Uint8Array(32) };
  return bridgedOf({ region: of, ...leaf }, BRIDGED_END_S);
}

const FR = { region: 'FR', fingerprint: new Uint8Array(32) };

/** A region that recognises FR since hours before `START_S`. */
function recognising(changes: Partial<StatementOf<'recognition'>> = {}): RegionFixture {
  const by = new RegionFixture({ begins: 'root' });
  by.nowS = START_S - 7 * HOUR_S;
  by.addKeys();
  by.add({ ...by.recognitionOf(FR), ...changes });
  return by;
}

describe('auditDisclosure', () => {
  it('takes a colour that rules and facts of the time of issue give', async () => {
    assert.deepEqual(await codesOf(byRules(START_S)), []);
  });

  for (const [what, atS, isFit] of [
    ['as early as may be', START_S - BASIS_AGE_S_MAX, true],
    ['a second before that', START_S - BASIS_AGE_S_MAX - 1, false],
    ['as late as may be', START_S + HOUR_S + BASIS_AHEAD_S_MAX - 1, true],
    ['a second after that', START_S + HOUR_S + BASIS_AHEAD_S_MAX, false],
  ] as const)
    it(`finds rules that were asked about another time than that of issue: ${what}`, async () => {
      // Before `START_S` these rules were not logged yet, which is another finding.
      const found = await codesOf(byRules(atS));
      assert.equal(found.includes('TIME_DIFFERS 0'), !isFit);
    });

  it('takes what two operators signed, and says whom to ask', async () => {
    const digest = new Uint8Array(32);
    const two = override(START_S, {}, signedBasis(DE, { atS: START_S, people: 2, digest }));
    const { overrides, signed, operators, findings } = await audited([two, two]);
    const by = ({ name, keyId }: typeof ANNA, atS: number) => ({ name, keyId, atS });
    assert.deepEqual([overrides, operators, findings], [2, 2, []]);
    assert.deepEqual(signed, [
      {
        id: '0'.repeat(32),
        reason: 'outbreak',
        colour: 'red',
        days: 14,
        people: 2,
        leaves: 2,
        proposed: by(ANNA, START_S - 60),
        confirmed: by(BERT, START_S),
      },
    ]);
    assert.deepEqual(await codesOf(two, two, two), ['OVERRIDE_MORE 2']);
  });

  it('finds another status than the one that was signed, and one of another time', async () => {
    const { untilS = 0, expiresAtS } = overrideStatus({ colour: 'red', days: 14 }, START_S);
    for (const other of [
      { expiresAtS: expiresAtS + 1 },
      { untilS: untilS + 1 },
      { colour: 'yellow' },
      { measure: 'home' },
      { ruleId: rules.id },
    ] as const)
      assert.deepEqual(await codesOf(override(START_S, other)), ['OVERRIDE_DIFFERS 0']);
    assert.deepEqual(await codesOf(override(START_S + 10 * DAY_S)), ['TIME_DIFFERS 0']);
  });

  const MALLORY = operatorOf('mallory', 0xee);
  const signed = signedBasis(DE, { atS: START_S });
  const as = (one: typeof ANNA, changes: Partial<DisclosedOperator>) => ({ ...one.disclosed, ...changes });
  for (const [what, basis, code, operators = OPERATORS] of [
    ['of another region', signedBasis({ ...DE, region: 'FR' }, { atS: START_S }), 'SIGNATURE'],
    ['of another network', signedBasis({ ...DE, network: 'other' }, { atS: START_S }), 'SIGNATURE'],
    ['of another colour', { ...signed, colour: 'yellow' }, 'SIGNATURE'],
    ['for another reason', { ...signed, reason: 'hardship' }, 'SIGNATURE'],
    ['for more days', { ...signedBasis(DE, { atS: START_S, days: 13 }), days: 14 }, 'SIGNATURE'],
    ['of more people', { ...signed, people: 1_317 }, 'SIGNATURE'],
    ['of other people', { ...signed, digest: new Uint8Array(32).fill(1) }, 'SIGNATURE'],
    ['under another id', { ...signed, id: '1'.repeat(32) }, 'SIGNATURE'],
    [
      'of which another proposal was confirmed',
      { ...signed, confirmed: signedBasis(DE, { atS: START_S, people: 2 }).confirmed },
      'SIGNATURE',
    ],
    [
      'that nobody signed',
      { ...signed, proposed: { ...signed.proposed, signature: new Uint8Array(64) } },
      'SIGNATURE',
    ],
    ['by one alone', signedBasis(DE, { atS: START_S }, { confirmer: ANNA }), 'SIGNATURE'],
    [
      'by one by two keys',
      signedBasis(DE, { atS: START_S }, { confirmer: operatorOf('anna', 0xa1) }),
      'SIGNATURE',
    ],
    [
      'by one by two names',
      signedBasis(DE, { atS: START_S }, { confirmer: operatorOf('bert', 0xa0) }),
      'SIGNATURE',
    ],
    ['by nobody known', signedBasis(DE, { atS: START_S }, { proposer: MALLORY }), 'UNKNOWN_OPERATOR'],
    [
      "in another's name",
      signedBasis(DE, { atS: START_S }, { confirmer: operatorOf('bert', 0xee) }),
      'UNKNOWN_OPERATOR',
    ],
    ['by one who might not', signed, 'UNKNOWN_OPERATOR', [as(ANNA, { scopes: ['read'] }), BERT.disclosed]],
    ['by one named later', signed, 'UNKNOWN_OPERATOR', [ANNA.disclosed, as(BERT, { fromS: START_S + 121 })]],
    [
      'by one taken back',
      signed,
      'UNKNOWN_OPERATOR',
      [as(ANNA, { untilS: START_S - 60 - 121 }), BERT.disclosed],
    ],
    [
      'by one who was an operator then',
      signed,
      undefined,
      [as(ANNA, { untilS: START_S - 59 }), as(BERT, { fromS: START_S - 1 })],
    ],
    [
      'that was confirmed days later',
      signedBasis(DE, { atS: START_S }, { proposedAtS: START_S - DAY_S - 121 }),
      'INVALID',
    ],
  ] as [string, OverrideBasis, string | undefined, DisclosedOperator[]?][])
    it(`holds an override against what was signed, and by whom: one ${what}`, async () => {
      const { findings, signed: listed } = await audited([override(START_S, {}, basis)], { operators });
      assert.deepEqual(
        findings.map(({ code: one, colour }) => [one, colour]),
        code === undefined ? [] : [[`OVERRIDE_${code}`, basis.colour]],
      );
      assert.equal(listed.length, code === undefined ? 1 : 0);
    });

  it('finds what else was signed under the id of another, and bases that nobody signed, as they were before', async () => {
    const other = override(START_S, {}, signedBasis(DE, { atS: START_S, people: 2 }));
    assert.deepEqual(await codesOf(override(START_S), other), ['OVERRIDE_INVALID 1']);
    const old = encodeCbor([1, START_S, '0'.repeat(32), 3, ['0'.repeat(16), '1'.repeat(16)]]);
    const by = new RegionFixture();
    by.add(rulesOf(rules.version));
    const overrides = [
      { reason: 0, colour: 2, count: 1 },
      { reason: 3, colour: 2, count: 1 },
    ];
    by.add({ kind: 'tally', log: LOG_ID, from: 0, until: 2, cells: [], merged: 0, overrides });
    const status = overrideStatus(signed, START_S);
    assert.deepEqual(await codesBy(by, madeOn(status, old), madeOn(status, encodeCbor([9]), 1)), [
      'OVERRIDE_UNSIGNED 0',
      'BASIS_MALFORMED 1',
    ]);
  });

  it('lists codes on what one operator told alone, by the basis that the leaf commits to, and finds green ones', async () => {
    const today = new Date(START_S * 1_000).toISOString().slice(0, 10);
    const listed = { 'list.level': 'key', 'list.since': today };
    const [told, known] = [onFacts(START_S, listed, 'red', { isTold: true }), byRules(START_S)];
    const all = await audited([told, known, override(START_S), told]);
    assert.deepEqual([all.toldAlone, all.findings], [[0, 3], []]);
    const swapped = { ...told, leaf: { ...told.leaf, basis: known.leaf.basis } };
    const hidden = await audited([swapped]);
    assert.deepEqual([hidden.toldAlone, namesOf(hidden)], [[], ['BASIS_MISMATCH 0']]);
    const well = { 'declaration.day': today };
    assert.deepEqual(await codesOf(onFacts(START_S, well, 'green')), []);
    assert.deepEqual(await codesOf(onFacts(START_S, well, 'green', { isTold: true })), ['TOLD_INVALID 0']);
  });

  it('counts codes of other regions, and finds those that are of this one or count too long', async () => {
    const by = recognising({ way: 'adapter' });
    const { bridged: count, findings } = await audited([bridged('FR')], { by });
    assert.deepEqual([count, findings], [1, []]);
    assert.deepEqual(await codesBy(by, bridged('DE')), ['BRIDGE_INVALID 0']);
    assert.deepEqual(await codesBy(by, bridged('FR', BRIDGED_END_S + 1)), ['BRIDGE_INVALID 0']);
  });

  for (const [what, by, one, isFit] of [
    ['recognised nobody', logged, bridged('FR'), false],
    ['recognised another region', recognising({ way: 'adapter' }), bridged('AT'), false],
    ['took its codes by an adapter', recognising({ way: 'adapter' }), bridged('FR'), true],
    [
      'took its codes by its log, and not codes of others',
      recognising({ way: 'direct' }),
      bridged('FR'),
      false,
    ],
    ['took its codes by its log', recognising({ way: 'direct' }), bridgedLeaf('FR'), true],
    ['hosted it', recognising({ way: 'hosted' }), bridgedLeaf('FR'), true],
    [
      'took its codes by an adapter, and not by its log',
      recognising({ way: 'adapter' }),
      bridgedLeaf('FR'),
      false,
    ],
    [
      'took them through another platform',
      recognising({ way: 'bridge', via: 'IT' }),
      bridgedLeaf('FR'),
      false,
    ],
    [
      'recognised it from the next hour on',
      recognising({ from: START_S + HOUR_S }),
      bridgedLeaf('FR'),
      false,
    ],
    [
      'recognised it from the end of the hour on',
      recognising({ from: START_S + HOUR_S - 1 }),
      bridgedLeaf('FR'),
      true,
    ],
    [
      'recognised it until the hour before',
      recognising({ until: START_S - HOUR_S }),
      bridgedLeaf('FR'),
      false,
    ],
    [
      'recognised it into the hour before',
      recognising({ until: START_S - HOUR_S + 1 }),
      bridgedLeaf('FR'),
      true,
    ],
  ] as const)
    it(`holds a code of another region against its trust log, by which it ${what}`, async () => {
      assert.deepEqual(await codesBy(by, one), isFit ? [] : ['BRIDGE_UNFOUNDED 0']);
    });

  it('takes a code of another region for unfounded where it was recognised afterwards, whatever time the root signed', async () => {
    const by = new RegionFixture();
    by.nowS = START_S + 9 * DAY_S;
    by.add({ kind: 'log', log: LOG_ID, minimum: 0 });
    by.add({ ...by.recognitionOf(FR), at: START_S });
    assert.deepEqual(await codesBy(by, bridgedLeaf('FR')), ['BRIDGE_UNFOUNDED 0']);
  });

  for (const [what, end] of [
    ['withdrew', 'withdrawal'],
    ['suspended', 'suspension'],
  ] as const)
    it(`takes codes of another region until the trust log surely had it that the region ${what} it`, async () => {
      const endedAt = (nextS: number) => {
        const by = recognising();
        const version = end === 'withdrawal' ? 2 : 1;
        by.add({ kind: end, region: 'FR', version, at: START_S - 6 * HOUR_S }, 'root');
        by.add({ kind: 'log', log: LOG_ID, minimum: 0, at: nextS });
        return codesBy(by, bridgedLeaf('FR'));
      };
      assert.deepEqual(await endedAt(START_S - HOUR_S - 1), ['BRIDGE_UNFOUNDED 0']);
      assert.deepEqual(await endedAt(START_S - HOUR_S), []);
    });

  it('rules count from when the trust log had them, whatever time the root signed', async () => {
    const red = byRules(START_S);
    const backdated = rulesOf(rules.version, START_S - HOUR_S);
    const by = new RegionFixture();
    by.add(backdated, 'root');
    assert.deepEqual(await codesBy(by, red), []);
    const late = new RegionFixture();
    late.nowS = START_S + 9 * DAY_S;
    late.add({ kind: 'tally', log: LOG_ID, from: 0, until: 1, cells: [], merged: 1, overrides: [] });
    late.add(backdated, 'root');
    assert.deepEqual(await codesBy(late, red), ['RULES_NOT_IN_FORCE 0']);
  });

  it('rules that the root signed hours before they were logged end those before them only then', async () => {
    const by = new RegionFixture();
    by.add(rulesOf(rules.version));
    by.add({ kind: 'log', log: LOG_ID, minimum: 0, at: START_S + 2 * HOUR_S });
    by.add(rulesOf(rules.version + 1, START_S), 'root');
    assert.deepEqual(await codesBy(by, byRules(START_S + HOUR_S)), []);
  });

  it('rules are superseded once the trust-log key has signed a time behind those that came after them', async () => {
    const newS = START_S + HOUR_S;
    const decidedAt = (atS: number, ...laterS: readonly number[]) => {
      const by = new RegionFixture();
      by.add(rulesOf(rules.version));
      by.add(rulesOf(rules.version + 1, newS), 'root');
      for (const at of laterS) by.add({ kind: 'log', log: LOG_ID, minimum: 0, at });
      return codesBy(by, byRules(atS));
    };
    assert.deepEqual(await decidedAt(newS + 2), []);
    assert.deepEqual(await decidedAt(newS + 2, newS + 2), []);
    assert.deepEqual(await decidedAt(newS + 2 + CLOCK_AHEAD_S_MAX, newS + 2), []);
    assert.deepEqual(await decidedAt(newS + 3 + CLOCK_AHEAD_S_MAX, newS + 2), ['RULES_NOT_IN_FORCE 0']);
    assert.deepEqual(await decidedAt(newS - 1, newS), []);
    // The root may give a time that is still to come.
    assert.deepEqual(await decidedAt(newS - 1, newS - HOUR_S), []);
  });

  it('rules may have been had by a clock that is two minutes behind that of the log, and no more', async () => {
    const newS = START_S + HOUR_S;
    const decidedAt = (atS: number) => {
      const by = new RegionFixture();
      by.add(rulesOf(rules.version, newS));
      by.add({ kind: 'log', log: LOG_ID, minimum: 0, at: newS });
      return codesBy(by, byRules(atS));
    };
    assert.deepEqual(await decidedAt(newS - 60), []);
    assert.deepEqual(await decidedAt(newS - CLOCK_AHEAD_S_MAX), []);
    assert.deepEqual(await decidedAt(newS - CLOCK_AHEAD_S_MAX - 1), ['RULES_NOT_IN_FORCE 0']);
  });

  it('finds a tally that hides many codes among those that are merged', async () => {
    const reds = Array.from({ length: 13 }, () => byRules(START_S));
    const telling = (until: number, counts: Pick<StatementOf<'tally'>, 'cells' | 'merged'>) => {
      const by = new RegionFixture();
      by.add(rulesOf(rules.version));
      by.add({ kind: 'tally', log: LOG_ID, from: 0, until, overrides: [], ...counts });
      return by;
    };
    const told = telling(13, { cells: [{ rule: rules.id, colour: 2, count: 13 }], merged: 0 });
    assert.deepEqual(await codesBy(told, ...reds), []);
    assert.deepEqual(await codesBy(telling(13, { cells: [], merged: 13 }), ...reds), ['TALLY_DIFFERS 0']);
    // One that was forgotten before the tally excuses nothing.
    const closed = { ...byRules(START_S), leaf: undefined };
    assert.deepEqual(await codesBy(telling(14, { cells: [], merged: 13 }), closed, ...reds), [
      'TALLY_DIFFERS 0',
    ]);
  });

  it('finds codes that no tally counts a day and an hour after their hour, and says where the trust log is too old to tell', async () => {
    const dueS = START_S + TALLY_S_MAX + TALLY_SLACK_S;
    const red = byRules(START_S);
    const secret = new Uint8Array(32).fill(7);
    const nobodys = { entry: entryOf(paddingCommitment(sha256, secret)), leaf: { secret } };
    const at = async (trustAsOfS: number, nowS: number, leaves: readonly Opened[] = [nobodys, red, red]) => {
      const result = await audited(leaves, { trustAsOfS, nowS });
      return [result.overdue, ...namesOf(result)];
    };
    assert.deepEqual(await at(dueS - 1, dueS - 1), [0]);
    assert.deepEqual(await at(dueS - 1, dueS), [2]);
    assert.deepEqual(await at(dueS, dueS), [0, 'TALLY_MISSING 1']);
    assert.deepEqual(await at(dueS, dueS, [nobodys]), [0]);
    const by = new RegionFixture();
    by.add(rulesOf(rules.version));
    by.add({ kind: 'tally', log: LOG_ID, from: 0, until: 9, cells: [], merged: 9, overrides: [] });
    assert.deepEqual(namesOf(await audited([red], { by, trustAsOfS: dueS, nowS: dueS })), []);
  });

  it("takes for nobody's what is shown to be, and a code that is kept back for neither that nor somebody who was forgotten", async () => {
    const telling = new RegionFixture();
    telling.add({ kind: 'tally', log: LOG_ID, from: 0, until: 4, cells: [], merged: 1, overrides: [] });
    const secret = new Uint8Array(32).fill(7);
    const nobodys = { entry: entryOf(paddingCommitment(sha256, secret)), leaf: { secret } };
    const check = async (...leaves: Opened[]) => {
      const result = await audited(leaves, { by: telling });
      return [result.nobodys, result.closed, result.forgotten, ...namesOf(result)];
    };
    const code = made(GREEN, undefined);
    const hidden = { ...code, leaf: undefined };
    assert.deepEqual(await check(nobodys, hidden, nobodys, nobodys), [3, 1, 1]);
    assert.deepEqual(await check(nobodys, hidden, hidden, nobodys), [2, 2, 1]);
    assert.deepEqual(await check(nobodys, nobodys, nobodys, nobodys), [4, 0, 0, 'TALLY_DIFFERS 0']);
    const asNobodys = { ...code, leaf: { secret } };
    assert.deepEqual(await check(nobodys, asNobodys, hidden, nobodys), [2, 2, 1, 'PADDING_MISMATCH 1']);
  });

  it('names tallies that reach beyond the range, which it cannot count again', async () => {
    const telling = new RegionFixture();
    telling.add({ kind: 'tally', log: LOG_ID, from: 0, until: 2, cells: [], merged: 2, overrides: [] });
    telling.add({ kind: 'tally', log: LOG_ID, from: 2, until: 9, cells: [], merged: 0, overrides: [] });
    const leaves = [0, 1, 2].map((index) => ({ ...made(GREEN, undefined, index), leaf: undefined }));
    const { tallies, partly, untallied } = await audited(leaves, { by: telling });
    assert.deepEqual([tallies, partly, untallied], [1, [{ from: 2, until: 9 }], 1]);
  });
});

const GREEN: Status = { colour: 'green', measure: 'none', expiresAtS: 1, ruleId: 'manual', ruleVersion: 1 };

describe('openDisclosure', () => {
  const { leaf } = made(GREEN, undefined);
  const key = logged.keys['trust-log'];
  const keyId = keyIdOf(sha256, key.publicKey);
  const primitives = { sha256, verifySignature };
  const signed = (disclosure: Disclosure) => signDisclosure(sha256, disclosure, key);
  const refuses = (bytes: Uint8Array, code: FaultCode) =>
    assert.throws(
      () => openDisclosure(bytes, primitives),
      (error) => isProtocolError(error, code),
    );

  it('gives back what was signed, and by which key', () => {
    const former = { ...ANNA.disclosed, scopes: ['read', 'issue'], fromS: 1, untilS: 2 };
    const operators = [former, BERT.disclosed];
    const secret = new Uint8Array(32).fill(1);
    const disclosure = disclosureOf([leaf, undefined, { secret }], { operators });
    assert.deepEqual(openDisclosure(signed(disclosure), primitives), {
      disclosure,
      publicKey: key.publicKey,
    });
  });

  it('refuses every changed byte, and one more', () => {
    const bytes = signed(disclosureOf([leaf]));
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => openDisclosure(changed, primitives), isProtocolError);
    }
    refuses(Uint8Array.from([...bytes, 0]), 'DISCLOSURE_MALFORMED');
  });

  it('refuses what another key signed, and what nobody did', () => {
    const disclosure = disclosureOf([leaf]);
    const { publicKey } = logged.keys.checkpoint;
    refuses(signDisclosure(sha256, disclosure, { ...key, publicKey }), 'SIGNATURE_INVALID');
    const [body] = decodeCbor(signed(disclosure), { bytesMax: 10_000 }) as [Uint8Array];
    refuses(body, 'DISCLOSURE_MALFORMED');
    refuses(encodeCbor([body, key.publicKey, new Uint8Array(63)]), 'DISCLOSURE_MALFORMED');
    refuses(encodeCbor([body, key.publicKey, new Uint8Array(64)]), 'SIGNATURE_INVALID');
    refuses(encodeCbor([body, key.publicKey, key.sign(body)]), 'SIGNATURE_INVALID');
  });

  it('refuses operators of another form, and more than there can be', () => {
    for (const changes of [
      { name: 'a'.repeat(33) },
      { publicKey: ANNA.publicKey.subarray(1) },
      { scopes: Array.from({ length: 17 }, () => 'issue') },
    ])
      refuses(
        signed(disclosureOf([leaf], { operators: [{ ...ANNA.disclosed, ...changes }] })),
        'DISCLOSURE_MALFORMED',
      );
    const of = (length: number) =>
      signed(disclosureOf([leaf], { operators: Array.from({ length }, () => ANNA.disclosed) }));
    openDisclosure(of(DISCLOSED_OPERATORS_MAX), primitives);
    assert.throws(() => of(DISCLOSED_OPERATORS_MAX + 1), RangeError);
  });

  it('refuses a secret of another length', () => {
    for (const bytes of [0, 31, 33])
      refuses(signed(disclosureOf([{ secret: new Uint8Array(bytes) }])), 'DISCLOSURE_MALFORMED');
  });

  for (const changes of [
    { log: `${LOG_ID}/` },
    { log: '../attest/2026-11' },
    { log: 'trust' },
    { region: 'de' },
    { network: 'Test' },
  ])
    it(`refuses a name of another form: ${JSON.stringify(changes)}`, () =>
      refuses(signed(disclosureOf([leaf], changes)), 'DISCLOSURE_MALFORMED'));

  it('mayHaveSigned takes a trust-log key within its window that is not given up', () => {
    const of = (atS: number) => openDisclosure(signed(disclosureOf([leaf], { atS })), primitives);
    const known = logged.state.key(keyId);
    assert.ok(known);
    const { fromS, untilS } = known;
    const may = [fromS - 1, fromS, untilS - 1, untilS].map((atS) => mayHaveSigned(known, of(atS)));
    assert.deepEqual(may, [false, true, true, false]);
    const one = of(fromS);
    assert.equal(mayHaveSigned(undefined, one), false);
    assert.equal(mayHaveSigned({ ...known, role: 'attest' }, one), false);
    assert.equal(mayHaveSigned({ ...known, publicKey: logged.keys.attest.publicKey }, one), false);
    assert.equal(mayHaveSigned({ ...known, compromise: { version: 1, cutOffs: new Map() } }, one), false);
  });
});
