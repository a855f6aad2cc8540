import assert from 'node:assert/strict';
import { auditDisclosure, type DisclosureAudited } from '../../../node/audit/disclosure-audit.ts';
import { encodeAttestation } from '../../../protocol/code/attestation-draft.ts';
import { paddingCommitment } from '../../../protocol/code/padding.ts';
import { pathOf } from '../../../protocol/code/commitment.ts';
import { commitFields } from '../../../protocol/code/openings.ts';
import { type Status } from '../../../protocol/code/status.ts';
import { type Basis, encodeBasis, evidenceOf } from '../../../protocol/disclosure/basis.ts';
import {
  type DisclosedLeaf,
  type Disclosure,
  mayHaveSigned,
  openDisclosure,
  signDisclosure,
} from '../../../protocol/disclosure/disclosure.ts';
import { decodeCbor, encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';
import { BASIS_AGE_S_MAX, BASIS_AHEAD_S_MAX, BRIDGED_LIFE_S_MAX } from '../../../protocol/limits.ts';
import { keyIdOf } from '../../../protocol/signature/key-id.ts';
import { verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { DAY_S, HOUR_S, LOG_ID, RegionFixture, START_S } from '../../support/region-fixture.ts';
import { decisionOn, FROM_S, RULE_DATA, ruleSetWith } from '../../support/rule-fixture.ts';

/** A leaf that was issued at `START_S`, the first second of an hour, and what opens it. */
interface Made {
  readonly entry: Uint8Array;
  readonly leaf: DisclosedLeaf;
}

const rules = ruleSetWith();
const logged = new RegionFixture();
logged.add({ kind: 'rules', id: rules.id, version: rules.version, from: FROM_S, data: RULE_DATA as never });
const trust = { entries: logged.entries, without: new Set<number>() };

let salt = 0;
const random = (length: number) => new Uint8Array(length).fill(++salt);

function made(status: Status, basis: Basis | undefined, index = 0): Made {
  const bytes = basis && encodeBasis(basis);
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

function disclosureOf(leaves: Disclosure['leaves'], changes: Partial<Disclosure> = {}): Disclosure {
  const head = { region: 'DE', network: 'test', log: LOG_ID, atS: START_S, auditor: 'age1' };
  return { ...head, from: 0, until: leaves.length, leaves, ...changes };
}

function audited(all: readonly Made[]): Promise<DisclosureAudited> {
  return auditDisclosure(disclosureOf(all.map(({ leaf }) => leaf)), {
    sha256,
    trust,
    leaves: all.map(({ entry }) => entry),
  });
}

const codesOf = async (...all: readonly Made[]) =>
  (await audited(all)).findings.map(({ code, index }) => `${code} ${index}`);

/** A colour that these rules gave at `atS` on facts that were true then. */
function byRules(atS: number): Made {
  const facts = { 'list.level': 'key', 'list.since': new Date(atS * 1_000).toISOString().slice(0, 10) };
  const { status } = decisionOn(rules, facts, new Date(atS * 1_000).toISOString());
  assert.equal(status?.colour, 'red');
  return made(status, { kind: 'rules', atS, rule: rules.id, version: rules.version, facts });
}

const override = (atS: number, changes: Partial<Status> = {}): Made => {
  const endS = START_S + 14 * DAY_S;
  const red = { colour: 'red', measure: 'isolate', untilS: endS, expiresAtS: endS } as const;
  return made(
    { ...red, ruleId: 'manual', ruleVersion: 1, ...changes },
    { kind: 'override', atS, id: '0'.repeat(32), reason: 'outbreak', by: ['0'.repeat(16), '1'.repeat(16)] },
  );
};

const bridged = (of: string, expiresAtS: number): Made => {
  const original = { region: of, hashes: [new Uint8Array(16)] };
  return made(
    { colour: 'red', measure: 'none', expiresAtS, ruleId: 'fr', ruleVersion: 1, original },
    undefined,
  );
};

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

  it('finds an override that ends too late by its code, by its measure, or by a time of its own', async () => {
    assert.deepEqual(await codesOf(override(START_S)), []);
    const late = START_S + 14 * DAY_S + HOUR_S + 1;
    assert.deepEqual(await codesOf(override(START_S, { expiresAtS: late })), ['OVERRIDE_INVALID 0']);
    assert.deepEqual(await codesOf(override(START_S, { untilS: late })), ['OVERRIDE_INVALID 0']);
    const ahead = START_S + 10 * DAY_S;
    const longer = { untilS: ahead + 14 * DAY_S, expiresAtS: ahead + 14 * DAY_S };
    assert.deepEqual(await codesOf(override(ahead, longer)), ['TIME_DIFFERS 0']);
  });

  it('counts codes of other regions, and finds those that are of this one or count too long', async () => {
    const endS = START_S + HOUR_S + BRIDGED_LIFE_S_MAX;
    const { bridged: count, findings } = await audited([bridged('FR', endS)]);
    assert.deepEqual([count, findings], [1, []]);
    assert.deepEqual(await codesOf(bridged('DE', endS)), ['BRIDGE_INVALID 0']);
    assert.deepEqual(await codesOf(bridged('FR', endS + 1)), ['BRIDGE_INVALID 0']);
  });

  it("takes for nobody's what is shown to be, and a code that is kept back for neither that nor somebody who was forgotten", async () => {
    const telling = new RegionFixture();
    telling.add({ kind: 'tally', log: LOG_ID, from: 0, until: 4, cells: [], merged: 1, overrides: [] });
    const secret = new Uint8Array(32).fill(7);
    const nobodys = { entry: entryOf(paddingCommitment(sha256, secret)), leaf: { secret } };
    const check = async (...leaves: { entry: Uint8Array; leaf: Disclosure['leaves'][number] }[]) => {
      const { nobodys, closed, forgotten, findings } = await auditDisclosure(
        disclosureOf(leaves.map(({ leaf }) => leaf)),
        {
          sha256,
          trust: { entries: telling.entries, without: new Set() },
          leaves: leaves.map(({ entry }) => entry),
        },
      );
      return [nobodys, closed, forgotten, ...findings.map(({ code, index }) => `${code} ${index}`)];
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
    const leaves = [undefined, undefined, undefined];
    const { tallies, partly, untallied } = await auditDisclosure(disclosureOf(leaves), {
      sha256,
      trust: { entries: telling.entries, without: new Set() },
      leaves: leaves.map((_, index) => made({ ...GREEN }, undefined, index).entry),
    });
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
    const disclosure = disclosureOf([leaf, undefined, { secret: new Uint8Array(32).fill(1) }]);
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
