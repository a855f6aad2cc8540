import assert from 'node:assert/strict';
import { Bridge, type BridgeModules } from '../../../node/bridging/bridge.ts';
import { isNodeError, NodeError } from '../../../node/node-error.ts';
import { type FieldName } from '../../../protocol/code/field.ts';
import { BRIDGED_LIFE_S_MAX } from '../../../protocol/limits.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { foreignSignerOf } from '../../../protocol/trust/announced-signer.ts';
import { type Verdict } from '../../../protocol/verdict/verdict.ts';
import {
  adapterOf,
  announcedTrust,
  announcedVerdict,
  type AnnouncedWorld,
  certificate,
  HCERT_RULES,
  SIGNER,
  testOf,
  VACCINATED,
} from '../../support/announced-fixture.ts';
import { DAY_S } from '../../support/code-fixture.ts';
import {
  announcedAuthority,
  issueSigner,
  makeAuthority,
  type TestAuthority,
} from '../../support/csca-fixture.ts';
import { makeEcSigner } from '../../support/foreign-keys.ts';
import { hcertKey } from '../../support/hcert-fixture.ts';
import { JSON_PROFILE, LOCAL_SIGNER, localKey, mapped } from '../../support/local-fixture.ts';
import {
  announcing,
  jsonCode,
  localAdapter,
  verdictOf as localVerdictOf,
} from '../../support/local-world.ts';
import { sha256 } from '../../support/primitives.ts';
import { makeSeal, SEAL_DATA } from '../../support/seal-fixture.ts';
import { recognised } from '../../support/stub-trust.ts';
import { ATTEST_KEY, codeOf, codesOf, ISSUER, LOG, NOW_S, verdictOf } from '../../support/verdict-fixture.ts';
import { bridged, ORIGIN } from '../../support/verdict-rows-of-bridges.ts';

const CODE = codeOf();

/** A platform whose node gives this verdict. */
function bridgeOf(
  verdict: Verdict,
  region = 'FR',
  world: AnnouncedWorld = {},
  overrides: BridgeModules['overrides'] = { requireFree: () => Promise.resolve() },
): Bridge {
  return new Bridge(
    { region },
    {
      sha256,
      nowS: () => NOW_S,
      trust: () => announcedTrust(world),
      verify: () => Promise.resolve(verdict),
      overrides,
    },
  );
}

function refuses(verdict: Verdict, why: RegExp, text = CODE.text, region?: string): Promise<void> {
  return assert.rejects(
    () => bridgeOf(verdict, region).requestFor(text),
    (error) => isNodeError(error, 'REFUSED') && why.test(error.message),
  );
}

/** That of a node which recognises AT by adapter. */
const foreign = (region = 'AT'): Verdict => ({
  ...verdictOf(),
  code: undefined,
  foreign: { format: 'hcert', keyId: 'x', issuer: 'AT', issuedAtS: NOW_S, region, adapter: 'dcc' },
});

/** The verdict of such a node, as it is. */
const genuine = (text = certificate()) => announcedVerdict({ text, context: { acceptance: () => [] } });

describe('Bridge.requestFor', () => {
  it('names the attestation, takes over what its status says, and lets it expire after a day', async () => {
    const { subject, fields } = await bridgeOf(verdictOf()).requestFor(CODE.text);
    assert.equal(subject, `${ISSUER}/${LOG}/70000`);
    assert.deepEqual(fields.status, {
      colour: 'green',
      measure: 'none',
      untilS: undefined,
      expiresAtS: NOW_S + BRIDGED_LIFE_S_MAX,
      ruleId: 'baseline',
      ruleVersion: 1,
      original: {
        region: ISSUER,
        log: LOG,
        index: 70_000,
        keyId: ATTEST_KEY.keyId,
        leafHash: leafHash(sha256, CODE.attestation),
      },
    });
  });

  it('binds it to the device and the document that the code opens, and to nothing where it opens neither', async () => {
    const holderKey = new Uint8Array(32).fill(7);
    const document = { salt: new Uint8Array(16).fill(8), hash: new Uint8Array(32).fill(9) };
    const fields = { holderKey, document };
    const boundTo = async (opened?: readonly FieldName[]) => {
      const { text } = codeOf({ fields, ...(opened && { opened }) });
      const { status, ...bound } = (await bridgeOf(verdictOf()).requestFor(text)).fields;
      assert.ok(status.original !== undefined);
      return bound;
    };
    assert.deepEqual(await boundTo(), { holderKey, document });
    assert.deepEqual(await boundTo(['status', 'holder']), { holderKey, document: undefined });
    assert.deepEqual(await boundTo(['status', 'document']), { holderKey: undefined, document });
    assert.deepEqual(await boundTo(['status']), { holderKey: undefined, document: undefined });
    assert.deepEqual(Object.keys((await bridgeOf(await genuine()).requestFor(certificate())).fields), [
      'status',
    ]);
  });

  it('lets it expire with the original where that is sooner, and keeps the measure of another colour', async () => {
    const untilS = NOW_S + 5 * DAY_S;
    const verdict = {
      ...verdictOf(),
      colour: 'red',
      measure: { kind: 'isolate', untilS },
      expiresAtS: NOW_S + 60,
    } as const;
    const { status } = (await bridgeOf(verdict).requestFor(CODE.text)).fields;
    assert.deepEqual(
      [status.colour, status.measure, status.untilS, status.expiresAtS],
      ['red', 'isolate', untilS, NOW_S + 60],
    );
  });

  it('lets it expire no later than what the code is worth by the rules of its region', async () => {
    const [H, M] = [3_600, 60];
    const at = (ageS: number) => new Date(1_000 * (NOW_S - ageS)).toISOString().replace('.000', '');
    const expiryOf = async (parts: object) => {
      const text = certificate({ certificate: parts });
      const verdict = await genuine(text);
      assert.equal(verdict.outcome, 'pass');
      return (await bridgeOf(verdict).requestFor(text)).fields.status.expiresAtS - NOW_S;
    };
    const negative = '260415000';
    assert.equal(await expiryOf(testOf(negative, at(71 * H + 59 * M))), M);
    assert.equal(await expiryOf(testOf(negative, at(71 * H))), H);
    assert.equal(await expiryOf(testOf(negative, at(48 * H))), 24 * H);
    assert.equal(await expiryOf(testOf(negative, at(48 * H + 1))), 24 * H - 1);
    assert.equal(await expiryOf(testOf(negative, at(H))), BRIDGED_LIFE_S_MAX);
    await assert.rejects(
      () => expiryOf(testOf(negative, at(72 * H))),
      (error) => isNodeError(error, 'REFUSED') && /less than a second/.test(error.message),
    );
    // To the end of the last day on which a vaccination counts.
    const last = new Date(1_000 * (NOW_S - 270 * DAY_S)).toISOString().slice(0, 10);
    const vaccinated = { ...VACCINATED, v: [{ ...VACCINATED.v[0], dt: last }] };
    assert.equal(await expiryOf(vaccinated), DAY_S - 1 - (NOW_S % DAY_S));
  });

  it('refuses a code of others whose verdict is no longer the one on which it would be bridged', async () => {
    const text = certificate();
    const verdict = await genuine(text);
    const measure = { kind: 'home', untilS: NOW_S + DAY_S } as const;
    const others: Partial<Verdict>[] = [{ colour: 'yellow' }, { measure }, { expiresAtS: NOW_S + DAY_S }];
    for (const other of others)
      await refuses({ ...verdict, ...other }, /verdict on the code has changed/, text);
  });

  it('names a code of others by all hashes that can revoke it, ascending', async () => {
    const { subject, fields } = await bridgeOf(await genuine()).requestFor(certificate());
    const { original } = fields.status;
    assert(original !== undefined && 'hashes' in original);
    assert.equal(original.hashes.length, 3);
    assert.deepEqual(
      original.hashes,
      original.hashes.toSorted((a, b) => Buffer.compare(a, b)),
    );
    const { signer, issuedAtS } = original.signed ?? {};
    assert.deepEqual(signer, foreignSignerOf(sha256, 'hcert', { ...hcertKey(SIGNER).publicKey }));
    assert.equal(issuedAtS, NOW_S - 3 * DAY_S);
    assert.equal(subject, `AT/${Buffer.from(original.hashes[0] ?? []).toString('hex')}`);
  });

  it('names a seal by the authority that its region announces for its signer, by which it then counts', async () => {
    const authority = makeAuthority();
    const signer = makeEcSigner();
    const data = { ...SEAL_DATA, msg: { ...SEAL_DATA.msg, dose: '2026-09-23' } };
    const text = makeSeal(signer, { certificate: issueSigner(authority, signer), data });
    const facts = {
      'vaccination.day': { var: 'code.msg.dose' },
      'vaccination.dose': 2,
      'vaccination.doses': 2,
    };
    const sealWorld = (by: TestAuthority) => {
      const adapter = adapterOf({ facts, keys: [], authorities: [announcedAuthority(by)] }, { id: 'seals' });
      return { issuer: { rules: [HCERT_RULES], adapters: [adapter] } };
    };
    const world = sealWorld(authority);
    const verdict = await announcedVerdict({ text, context: { acceptance: () => [] }, ...world });
    assert.deepEqual([verdict.outcome, verdict.foreign?.adapter], ['pass', 'seals']);
    const { original } = (await bridgeOf(verdict, 'FR', world).requestFor(text)).fields.status;
    assert(original !== undefined && 'hashes' in original);
    // A seal says no time, and its key is none that the region announced.
    const name = foreignSignerOf(sha256, 'vdsnc', { ...authority.signer.publicKey });
    assert.deepEqual(original.signed, { signer: name });

    const byPlatform = recognised(ORIGIN, { way: 'adapter' });
    const atGate = (by: TestAuthority) =>
      verdictOf(
        bridged(
          { byPlatform, origin: { adapters: sealWorld(by).issuer.adapters } },
          { ...original, region: ORIGIN },
        ),
      );
    assert.equal(atGate(authority).outcome, 'pass');
    assert.deepEqual(codesOf(atGate(makeAuthority())).includes('BRIDGE_UNFOUNDED'), true);
    await assert.rejects(
      () => bridgeOf(verdict, 'FR', sealWorld(makeAuthority())).requestFor(text),
      (error) => isNodeError(error, 'REFUSED') && /taken the key back/.test(error.message),
    );
  });

  it('names a local code by what it is by each profile of its region by which it is signed', async () => {
    const byName = localAdapter(mapped(JSON_PROFILE, { id: ['nm'] }), { id: 'by-name' });
    const hashesOf = async (...adapters: readonly ReturnType<typeof localAdapter>[]) => {
      const world = { issuer: announcing(...adapters) };
      const bridge = bridgeOf(await localVerdictOf(world), 'FR', world);
      const { original } = (await bridge.requestFor(jsonCode())).fields.status;
      assert(original !== undefined && 'hashes' in original);
      const signer = foreignSignerOf(sha256, 'local', { ...localKey(LOCAL_SIGNER).publicKey });
      assert.deepEqual(original.signed, { signer, issuedAtS: NOW_S - DAY_S });
      return original.hashes.map((hash) => Buffer.from(hash).toString('hex'));
    };
    const one = await hashesOf(localAdapter());
    const both = await hashesOf(localAdapter(), byName);
    assert.deepEqual([one.length, both.length], [2, 3]);
    assert.ok(one.every((hash) => both.includes(hash)));
    assert.deepEqual(both, both.toSorted());
  });

  it('refuses one for which two operators gave a stricter colour, asked by its subject and colour', async () => {
    const asked: unknown[] = [];
    const requireFree: BridgeModules['overrides']['requireFree'] = ({ subject, status }) => {
      asked.push([subject, status.colour]);
      return Promise.reject(new NodeError('REFUSED', 'it is bound'));
    };
    await assert.rejects(
      bridgeOf(verdictOf(), 'FR', {}, { requireFree }).requestFor(CODE.text),
      /it is bound/,
    );
    assert.deepEqual(asked, [[`${ISSUER}/${LOG}/70000`, 'green']]);
  });

  it('refuses a code whose key its region has taken back since the verdict', async () => {
    const takenBack = { issuer: { adapters: [] } };
    await assert.rejects(
      () => bridgeOf(foreign(), 'FR', takenBack).requestFor(certificate()),
      (error) => isNodeError(error, 'REFUSED') && /taken the key back/.test(error.message),
    );
  });

  it('refuses what does not pass, what is bridged, what is its own, and what has too many names', async () => {
    await refuses(verdictOf({ known: { issuer: { revoked: { [LOG]: [70_000] } } } }), /stop: REVOKED/);
    await refuses(verdictOf({ known: { without: [ISSUER] } }), /undetermined: TRUST_MISSING/);
    await refuses(verdictOf(bridged()), /bridged itself/);
    await refuses(verdictOf(), /of this region/, CODE.text, ISSUER);
    await refuses(foreign('FR'), /of this region/, certificate());
    const [dose] = VACCINATED.v;
    const twice = certificate({
      certificate: { ...VACCINATED, v: [dose, { ...dose, ci: 'URN:UVCI:01:AT:2#B' }] },
    });
    await refuses(foreign(), /more than the 3 names/, twice);
  });
});
