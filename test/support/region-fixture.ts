/** A region made for tests: its keys, its trust log and the fold of it. Everything follows from its name. */
import assert from 'node:assert/strict';
import { compareBytes, hexBytes } from '../../protocol/bytes.ts';
import { trustLogOrigin } from '../../protocol/log/origin.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { encodeIndexSet } from '../../protocol/revocation/index-set-code.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { TrustFold } from '../../protocol/trust/fold.ts';
import { encodeStatement, signStatement, type StatementSigner } from '../../protocol/trust/statement.ts';
import { type Statement, type StatementKind } from '../../protocol/trust/statement-schema.ts';
import { type CutOff, type Finding, type KeyRole } from '../../protocol/trust/trust-state.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { type Signer } from '../../node/crypto/back-end.ts';
import { sha256 } from './primitives.ts';

/** 2026-11-02T08:00:00Z: within the windows of a fixture's keys and the month of its log. */
export const START_S = Date.UTC(2026, 10, 2, 8) / 1000;
export const LOG_ID = '2026-11';
export const DAY_S = 86_400;
export const HOUR_S = 3_600;

export const trustModules: Required<TrustModules> = {
  sha256,
  verifySignature: opensslBackEnd.verifySignature,
  admitPublicKey,
};

export interface TestKey extends Signer, StatementSigner {
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The key whose secret is the hash of `name`. */
export function testKey(name: string): TestKey {
  const signer = opensslBackEnd.signerOf(sha256(Buffer.from(name)));
  const { publicKey } = signer;
  return { publicKey, sign: (message) => signer.sign(message), keyId: keyIdOf(sha256, publicKey) };
}

type WithoutAt<S> = S extends Statement ? Omit<S, 'at'> & { readonly at?: number } : never;
/** A statement whose `at` is by default the fixture's `nowS`. */
export type TestStatement = WithoutAt<Statement>;

/** `root` stands for `threshold` of the root keys, `trust-log` for the trust-log key. */
export type TestSigners = 'root' | 'trust-log' | readonly TestKey[];

const BY_TRUST_LOG: ReadonlySet<StatementKind> = new Set([
  'suspension',
  'rules',
  'log',
  'node',
  'revocation',
  'foreign-revocation',
  'state',
  'tally',
]);

export interface RegionFixtureOptions {
  readonly region?: string;
  readonly network?: string;
  readonly rootKeys?: number;
  readonly threshold?: number;
  /** `root`: without the entries 1 and 2; `empty`: without any. */
  readonly begins?: 'empty' | 'root' | 'keys';
  readonly modules?: TrustModules;
  /** The key of a name; `testKey` by default. */
  readonly keyOf?: (name: string) => TestKey;
}

/**
 * Entry 0 is the root, entry 1 admits one key of each role from the midnight before `START_S` on for 30 days, entry 2
 * announces `LOG_ID`.
 */
export class RegionFixture {
  readonly region: string;
  readonly network: string;
  readonly origin: string;
  readonly threshold: number;
  readonly rootKeys: readonly TestKey[];
  readonly keys: Readonly<Record<KeyRole, TestKey>>;
  /** Every entry of the log. */
  readonly entries: Uint8Array[] = [];
  readonly fold: TrustFold;
  readonly #keyOf: (name: string) => TestKey;
  nowS = START_S;

  constructor(options: RegionFixtureOptions = {}) {
    const {
      region = 'DE',
      network = 'test',
      rootKeys = 1,
      threshold = 1,
      begins = 'keys',
      modules = trustModules,
      keyOf = testKey,
    } = options;
    this.#keyOf = keyOf;
    this.region = region;
    this.network = network;
    this.origin = trustLogOrigin(region, network);
    this.threshold = threshold;
    this.rootKeys = Array.from({ length: rootKeys }, (_, i) => keyOf(`${this.origin} root ${i}`));
    this.keys = {
      attest: this.key('attest'),
      checkpoint: this.key('checkpoint'),
      'trust-log': this.key('trust-log'),
      witness: this.key('witness'),
    };
    const history = (fromIndex: number) => this.entries.slice(fromIndex);
    this.fold = new TrustFold({ region, network, history }, modules);
    if (begins !== 'empty') this.add(this.rootStatement());
    if (begins === 'keys') this.addKeys();
  }

  /** Admits the key of each role and announces `LOG_ID`. */
  addKeys(): void {
    this.admit((Object.keys(this.keys) as KeyRole[]).map((role) => ({ key: this.keys[role], role })));
    this.add({ kind: 'log', log: LOG_ID, minimum: 0 });
  }

  get state() {
    return this.fold.state;
  }

  get fingerprint(): Uint8Array {
    assert(this.state.fingerprint);
    return this.state.fingerprint;
  }

  /** Another key of this region, not yet admitted. */
  key(name: string): TestKey {
    return this.#keyOf(`${this.origin} ${name}`);
  }

  rootStatement({ version = 1, threshold = this.threshold, keys = this.rootKeys } = {}): TestStatement & {
    kind: 'root';
  } {
    const { region, network } = this;
    const sorted = keys.map(({ publicKey }) => publicKey).sort(compareBytes);
    return { kind: 'root', region, network, name: `Region ${region}`, version, threshold, keys: sorted };
  }

  /** The entry of a statement. By default it is signed by trust-log where that suffices. */
  entryOf(statement: TestStatement, signedBy?: TestSigners): Uint8Array {
    const body = encodeStatement({ at: this.nowS, ...statement });
    return signStatement(
      this.origin,
      body,
      this.signers(signedBy ?? (BY_TRUST_LOG.has(statement.kind) ? 'trust-log' : 'root')),
    );
  }

  signers(signedBy: TestSigners): readonly TestKey[] {
    if (signedBy === 'root') return this.rootKeys.slice(0, this.threshold);
    return signedBy === 'trust-log' ? [this.keys['trust-log']] : signedBy;
  }

  /** Appends any bytes and gives what the fold finds. */
  offer(entry: Uint8Array): Finding | undefined {
    const finding = this.fold.append(entry);
    this.entries.push(entry);
    return finding;
  }

  /** Appends a statement that passes, and gives its index. */
  add(statement: TestStatement, signedBy?: TestSigners): number {
    assert.equal(this.offer(this.entryOf(statement, signedBy)), undefined);
    return this.entries.length - 1;
  }

  /** Appends a statement that does not pass, and gives the code of its finding. */
  refusal(statement: TestStatement, signedBy?: TestSigners): Finding['code'] {
    const finding = this.offer(this.entryOf(statement, signedBy));
    assert(finding, 'expected a finding');
    assert.equal(finding.index, this.entries.length - 1);
    return finding.code;
  }

  keysStatement(
    keys: readonly { key: TestKey; role: KeyRole; from?: number; until?: number }[],
  ): TestStatement {
    const midnight = this.nowS - (this.nowS % DAY_S);
    return {
      kind: 'keys',
      keys: keys.map(({ key, role, from = midnight, until = midnight + 30 * DAY_S }) => ({
        key: key.publicKey,
        role,
        from,
        until,
      })),
    };
  }

  admit(keys: Parameters<RegionFixture['keysStatement']>[0]): number {
    return this.add(this.keysStatement(keys));
  }

  revocation(indexes: readonly number[], log = LOG_ID): TestStatement & { kind: 'revocation' } {
    return { kind: 'revocation', log, effective: this.nowS, set: encodeIndexSet(Float64Array.from(indexes)) };
  }

  revoke(indexes: readonly number[], log = LOG_ID): number {
    return this.add(this.revocation(indexes, log));
  }

  recognitionOf(
    peer: { region: string; fingerprint: Uint8Array },
    version = 1,
  ): TestStatement & { kind: 'recognition' } {
    return {
      kind: 'recognition',
      region: peer.region,
      version,
      fingerprint: peer.fingerprint,
      way: 'direct',
      rules: null,
      from: START_S - DAY_S,
      until: START_S + 365 * DAY_S,
    };
  }

  recognise(peer: { region: string; fingerprint: Uint8Array }, version = 1): number {
    return this.add(this.recognitionOf(peer, version));
  }

  compromise(key: TestKey, cutOffs: Readonly<Record<string, CutOff>>, version = 1): TestStatement {
    const cutoffs = Object.entries(cutOffs).map(([log, cutOff]) => ({ log, ...cutOff }));
    return { kind: 'compromise', key: hexBytes(key.keyId), version, cutoffs };
  }

  retirement(key: TestKey, until: number, version = 1): TestStatement & { kind: 'retirement' } {
    return { kind: 'retirement', key: hexBytes(key.keyId), version, until };
  }

  /** The root that the trust log has at a size; now, by default. */
  cutOff(size = this.fold.size): CutOff {
    return { size, root: this.rootAt(size) };
  }

  entryAt(index: number): Uint8Array {
    const entry = this.entries[index];
    assert(entry, `no entry at ${index}`);
    return entry;
  }

  /** The root that the trust log had at a size. */
  rootAt(size: number): Uint8Array {
    const tree = Frontier.empty(sha256);
    for (const entry of this.entries.slice(0, size)) tree.append(leafHash(sha256, entry));
    return tree.root();
  }

  stateStatement(): TestStatement & { kind: 'state' } {
    const { items, root } = this.fold.commitmentAt(this.nowS);
    return { kind: 'state', format: 1, items: items.length, root };
  }

  /** Appends a `state` statement. */
  commit(): number {
    return this.add(this.stateStatement());
  }
}
