/** The trust state while it is being folded. Spec: SPEC.md 8.3. */
import { hexOf } from '../bytes.ts';
import { REVOCATIONS_PER_HOUR } from '../limits.ts';
import { trustLogOrigin } from '../log/origin.ts';
import { type Sha256 } from '../primitives.ts';
import { type RevocationSet } from '../revocation/revocation-set.ts';
import { keyIdOf } from '../signature/key-id.ts';
import { SharedMap } from './shared-map.ts';
import {
  compromiseSlot,
  logSlot,
  nodeSlot,
  recognitionSlot,
  retirementSlot,
  rootSlot,
  rulesSlot,
  type Signer,
  type Slot,
  suspensionSlot,
  tallySlot,
} from './slot.ts';
import { fingerprintOf } from './statement.ts';
import { type StatementKind, type StatementOf } from './statement-schema.ts';
import {
  type AnnouncedLog,
  type Compromise,
  type ForeignRevocation,
  type KeyRole,
  type NodeIdentity,
  type Recognition,
  type Root,
  type LoggedAdapter,
  type LoggedRules,
  type LoggedTally,
  type TrustKey,
  type TrustState,
} from './trust-state.ts';

/** Revocations by trust-log keys in the newest hour that has one. */
export interface HourCount {
  readonly hour: number;
  readonly count: number;
}

/**
 * A state that its owner changes and hands out as forks. It takes what it is told: whether a statement counts is decided
 * before. Everything but slots, revocations, `hourCount` and `lastAtS` follows from the slots.
 */
export class StateDraft implements TrustState {
  readonly region: string;
  readonly network: string;
  /** Of the trust log: what binds its statements to it. */
  readonly origin: string;
  size = 0;
  lastAtS = 0;
  hourCount: HourCount = { hour: 0, count: 0 };
  /** Entries that the voidings so far reach back over, added up: what folding again has cost. */
  reach = 0;

  readonly #sha256: Sha256;
  #root: Root | undefined;
  #fingerprint: Uint8Array | undefined;
  #slots = new SharedMap<string, Slot>();
  #keys = new SharedMap<string, TrustKey>();
  /** Of roots of every version. */
  #rootKeyIds = new SharedMap<string, true>();
  #revocations = new SharedMap<string, RevocationSet>();
  #slotBytes: Readonly<Record<Signer, number>> = { root: 0, 'trust-log': 0 };

  /** @throws {RangeError} unless region and network are names as in SPEC.md 4.1. */
  constructor(names: { readonly region: string; readonly network: string }, sha256: Sha256) {
    this.region = names.region;
    this.network = names.network;
    this.origin = trustLogOrigin(names.region, names.network);
    this.#sha256 = sha256;
  }

  /** Constant time; later changes of one do not show in the other. */
  fork(): StateDraft {
    const fork = new StateDraft(this, this.#sha256);
    fork.size = this.size;
    fork.lastAtS = this.lastAtS;
    fork.hourCount = this.hourCount;
    fork.reach = this.reach;
    fork.#root = this.#root;
    fork.#fingerprint = this.#fingerprint;
    fork.#slots = this.#slots.fork();
    fork.#keys = this.#keys.fork();
    fork.#rootKeyIds = this.#rootKeyIds.fork();
    fork.#revocations = this.#revocations.fork();
    fork.#slotBytes = this.#slotBytes;
    return fork;
  }

  get root(): Root | undefined {
    return this.#root;
  }

  get fingerprint(): Uint8Array | undefined {
    return this.#fingerprint;
  }

  rootOf(version: number): Root | undefined {
    const statement = this.statement('root', rootSlot(version));
    return statement && rootIn(statement, this.#sha256);
  }

  isGivenUpSince(keyId: string, version: number): boolean {
    const root = this.#slots.get(rootSlot(version));
    const compromise = this.#slots.get(compromiseSlot(keyId));
    return root !== undefined && compromise !== undefined && compromise.index > root.index;
  }

  get revocationsPerHour(): number {
    return this.statement('limits', 'limits')?.revocationsPerHour ?? REVOCATIONS_PER_HOUR;
  }

  key(keyId: string): TrustKey | undefined {
    return this.#keys.get(keyId);
  }

  keysWithRole(role: KeyRole): readonly TrustKey[] {
    return [...this.#keys.values()].filter((key) => key.role === role);
  }

  /** Tells whether a root of any version names a key with this id. */
  isRootKey(keyId: string): boolean {
    return this.#rootKeyIds.has(keyId);
  }

  recognition(region: string): Recognition | undefined {
    const statement = this.#slots.get(recognitionSlot(region))?.entry.statement;
    if (statement?.kind === 'withdrawal') {
      return { standing: 'withdrawn', region, version: statement.version };
    }
    if (statement?.kind !== 'recognition') return undefined;
    const { version, fingerprint, way, via, rules, from, until } = statement;
    const isSuspended = this.statement('suspension', suspensionSlot(region))?.version === version;
    const standing = isSuspended ? 'suspended' : 'recognised';
    const recognition = {
      standing,
      region,
      version,
      fingerprint,
      way,
      rules,
      fromS: from,
      untilS: until,
    } as const;
    return via === undefined ? recognition : { ...recognition, via };
  }

  *recognitions(): Iterable<Recognition> {
    for (const { entry } of this.#slots.values()) {
      const { statement } = entry;
      if (statement.kind !== 'recognition' && statement.kind !== 'withdrawal') continue;
      const recognition = this.recognition(statement.region);
      if (recognition !== undefined) yield recognition;
    }
  }

  log(log: string): AnnouncedLog | undefined {
    const statement = this.statement('log', logSlot(log));
    return statement && { log, minimum: statement.minimum };
  }

  *logs(): Iterable<AnnouncedLog> {
    for (const { entry } of this.#slots.values()) {
      const { statement } = entry;
      if (statement.kind === 'log') yield { log: statement.log, minimum: statement.minimum };
    }
  }

  revoked(log: string): RevocationSet | undefined {
    return this.#revocations.get(log);
  }

  rules(id: string): LoggedRules | undefined {
    const statement = this.statement('rules', rulesSlot(id));
    return statement && { id, version: statement.version, fromS: statement.from, data: statement.data };
  }

  *allRules(): Iterable<LoggedRules> {
    for (const { entry } of this.#slots.values()) {
      if (entry.statement.kind !== 'rules') continue;
      const { id, version, from, data } = entry.statement;
      yield { id, version, fromS: from, data };
    }
  }

  *adapters(): Iterable<LoggedAdapter> {
    for (const { entry } of this.#slots.values()) {
      if (entry.statement.kind !== 'adapter') continue;
      const { id, version, from, until, data } = entry.statement;
      yield { id, version, fromS: from, untilS: until, data };
    }
  }

  *foreignRevocations(): Iterable<ForeignRevocation> {
    for (const { entry } of this.#slots.values()) {
      const { statement } = entry;
      if (statement.kind === 'foreign-revocation')
        yield { hashes: statement.hashes, untilS: statement.until };
    }
  }

  *nodes(): Iterable<NodeIdentity> {
    for (const { entry } of this.#slots.values()) {
      if (entry.statement.kind !== 'node') continue;
      const { key, addresses, from, until } = entry.statement;
      yield { publicKey: key, addresses, fromS: from, untilS: until };
    }
  }

  tally(log: string): LoggedTally | undefined {
    return this.statement('tally', tallySlot(log));
  }

  keyIdsOf({ keys }: StatementOf<'keys'>): readonly string[] {
    return keys.map(({ key }) => keyIdOf(this.#sha256, key));
  }

  /** Name and content of every slot that is filled. */
  slots(): Iterable<[string, Slot]> {
    return this.#slots;
  }

  revocations(): Iterable<[string, RevocationSet]> {
    return this.#revocations;
  }

  /** The statement in the slot, if it is of that kind. */
  statement<K extends StatementKind>(kind: K, slot: string): StatementOf<K> | undefined {
    const statement = this.#slots.get(slot)?.entry.statement;
    return statement?.kind === kind ? (statement as StatementOf<K>) : undefined;
  }

  /** Bytes of the entries in slots that have the authority of `slot`, once it fills the slot `name`. */
  slotBytesWith(name: string, { signer, entry }: Slot): number {
    const before = this.#slots.get(name);
    const bytesBefore = before?.signer === signer ? before.entry.bytes.length : 0;
    return this.#slotBytes[signer] - bytesBefore + entry.bytes.length;
  }

  /** Puts a statement into its slot. A key that `root` or `keys` names is no node identity any more. */
  fill(name: string, slot: Slot): void {
    this.#empty(name);
    this.#count(slot, 1);
    this.#slots.set(name, slot);
    const { statement, body } = slot.entry;
    if (statement.kind === 'root') {
      for (const key of statement.keys) this.#empty(nodeSlot(key));
      this.#takeRoot(statement, body);
    } else if (statement.kind === 'keys') {
      for (const { key } of statement.keys) this.#empty(nodeSlot(key));
      this.#takeKeys(statement);
    } else if (statement.kind === 'compromise') this.#takeCompromise(statement);
    else if (statement.kind === 'retirement') this.#takeRetirement(statement);
  }

  /** Empties a slot. Of a `keys` statement also its keys go, and what was said of their compromise and retirement. */
  drop(name: string): void {
    const statement = this.#slots.get(name)?.entry.statement;
    this.#empty(name);
    if (statement?.kind !== 'keys') return;
    for (const keyId of this.keyIdsOf(statement)) {
      this.#keys.delete(keyId);
      this.#empty(compromiseSlot(keyId));
      this.#empty(retirementSlot(keyId));
    }
  }

  setRevoked(log: string, set: RevocationSet): void {
    if (set.count > 0) this.#revocations.set(log, set);
  }

  dropRevocations(log: string): void {
    this.#revocations.delete(log);
  }

  #empty(name: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    this.#count(slot, -1);
    this.#slots.delete(name);
  }

  #count({ signer, entry }: Slot, times: 1 | -1): void {
    const bytes = this.#slotBytes[signer] + times * entry.bytes.length;
    this.#slotBytes = { ...this.#slotBytes, [signer]: bytes };
  }

  #takeRoot(statement: StatementOf<'root'>, body: Uint8Array): void {
    this.#root = rootIn(statement, this.#sha256);
    for (const { keyId } of this.#root.keys) this.#rootKeyIds.set(keyId, true);
    this.#fingerprint ??= fingerprintOf(this.#sha256, body);
  }

  #takeKeys(statement: StatementOf<'keys'>): void {
    for (const { key: publicKey, role, from, until } of statement.keys) {
      const keyId = keyIdOf(this.#sha256, publicKey);
      this.#keys.set(keyId, { keyId, publicKey, role, fromS: from, untilS: until });
    }
  }

  #takeCompromise({ key: id, version, cutoffs }: StatementOf<'compromise'>): void {
    const keyId = hexOf(id);
    const key = this.#named(keyId);
    const cutOffs = new Map(cutoffs.map(({ log, size, root }) => [log, { size, root }]));
    const compromise: Compromise = { version, cutOffs };
    this.#keys.set(keyId, { ...key, compromise });
  }

  #takeRetirement({ key: id, version, until }: StatementOf<'retirement'>): void {
    const keyId = hexOf(id);
    const key = this.#named(keyId);
    const announcedUntilS = key.retirement?.announcedUntilS ?? key.untilS;
    const untilS = Math.min(key.untilS, until);
    this.#keys.set(keyId, { ...key, untilS, retirement: { version, announcedUntilS } });
  }

  #named(keyId: string): TrustKey {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new RangeError('compromises and retirements name keys of the state');
    return key;
  }
}

function rootIn({ version, threshold, name, keys }: StatementOf<'root'>, sha256: Sha256): Root {
  return {
    version,
    threshold,
    keys: keys.map((publicKey) => ({ keyId: keyIdOf(sha256, publicKey), publicKey })),
    name,
  };
}
