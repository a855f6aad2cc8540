/** A region as an auditor meets it: a trust log and an attestation log of any entries, as static files or in a store on LevelDB. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openStaticSource } from '../../node/audit/static-source.ts';
import { openAuditSource } from '../../node/audit/open-source.ts';
import {
  auditRegion,
  type RegionAudited,
  type RegionAuditModules,
  type RegionAuditOptions,
} from '../../node/audit/region-audit.ts';
import { LogTree } from '../../node/log/log-tree.ts';
import { pruneLog } from '../../node/log/prune.ts';
import { type Store } from '../../node/store/store.ts';
import { storeInDirectory } from '../../node/store/store-directory.ts';
import { systemClock } from '../../node/system-clock.ts';
import { baseChanges } from '../../node/trust/stored-base.ts';
import { encodeAttestation } from '../../protocol/code/attestation-draft.ts';
import { type AttestationClaims } from '../../protocol/code/attestation.ts';
import { signCheckpoint } from '../../protocol/log/checkpoint.ts';
import { encodeEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { newTiles, tilePath } from '../../protocol/log/tile.ts';
import { ED25519, makeVerifierKey } from '../../protocol/log/verifier-key.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { ReferenceTree } from './reference-tree.ts';
import { HOUR_S, LOG_ID, RegionFixture, START_S, type TestKey, trustModules } from './region-fixture.ts';

export const HOUR = START_S / HOUR_S;

export interface FixtureLog {
  readonly origin: string;
  /** Below a public directory. */
  readonly path: string;
  readonly entries: readonly Uint8Array[];
  readonly note: Uint8Array;
}

export class AuditedFixture {
  readonly region = new RegionFixture();
  readonly origin = attestationLogOrigin(this.region.region, this.region.network, LOG_ID);
  readonly trustOrigin = this.region.origin;
  attestations: Uint8Array[] = [];
  /** What signs the checkpoints. */
  checkpointKey: TestKey = this.region.keys.checkpoint;
  /** Lines beside the log's own. */
  readonly lines = new Map<string, (text: string) => NoteSignature[]>();

  constructor(count = 0) {
    for (let index = 0; index < count; index++) this.attest({});
  }

  /** Appends an attestation; by default all about it is as it should be. */
  attest(claims: Partial<AttestationClaims>, key = this.region.keys.attest): void {
    const { region, network } = this.region;
    const index = this.attestations.length;
    const commitment = sha256(Buffer.from(`commitment ${index}`));
    const whole = { region, log: LOG_ID, index, hour: HOUR, commitment, ...claims };
    this.attestations.push(encodeAttestation(whole, key.keyId, network, key.sign));
  }

  get logs(): FixtureLog[] {
    return [
      this.#log(this.trustOrigin, 'trust', this.region.entries),
      this.#log(this.origin, `attest/${LOG_ID}`, this.attestations),
    ];
  }

  #log(origin: string, path: string, entries: readonly Uint8Array[]): FixtureLog {
    const root = new ReferenceTree(entries).root();
    const { publicKey, sign } = this.checkpointKey;
    const key = makeVerifierKey(sha256, { name: origin, algorithm: ED25519, publicKey });
    const { text, signatures } = signCheckpoint({ origin, size: entries.length, root }, key, sign);
    const others = this.lines.get(origin)?.(text) ?? [];
    return { origin, path, entries, note: encodeNote({ text, signatures: [...signatures, ...others] }) };
  }
}

/** Writes all logs as static files. Tiles below `minimum` and bundles before it are left out of the attestation log. */
export function publish(fixture: AuditedFixture, directory: string, minimum = 0): void {
  for (const { path, entries, note } of fixture.logs) {
    const write = (name: string, bytes: Uint8Array): void => {
      const file = join(directory, path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    };
    const tree = new ReferenceTree(entries);
    const from = path === 'trust' ? 0 : minimum;
    for (const tile of newTiles(0, entries.length)) {
      const { level, index, width } = tile;
      if ((index + 1) * 256 ** (level + 1) <= from) continue;
      const first = index * 256;
      const hashes = Array.from({ length: width }, (_, i) => tree.subtree(8 * level, first + i));
      write(tilePath(tile), Buffer.concat(hashes));
      const bundle = { level: 'entries', index, width } as const;
      if (level === 0) write(tilePath(bundle), encodeEntryBundle(entries.slice(first, first + width)));
    }
    write('checkpoint', note);
  }
}

/** Puts all logs into the store of a node's directory, in batches of `step` entries. */
export async function fillStore(fixture: AuditedFixture, directory: string, step = 100): Promise<void> {
  const owner = `${fixture.region.region}.${fixture.region.network}`;
  const store = storeInDirectory(
    { directory: join(directory, 'store'), owner, reserveBytes: 0 },
    { clock: systemClock },
  );
  await store.start();
  await growStored(fixture, store, step);
  await store.stop();
}

/** Puts what the logs have more than the store into it, in batches of `step` entries. */
export async function growStored(fixture: AuditedFixture, store: Store, step = 100): Promise<void> {
  for (const { origin, entries, note } of fixture.logs) {
    const tree = await LogTree.open(origin, { store, secondPlace: new MemorySecondPlace(), sha256 });
    for (let from = tree.size; from < entries.length; from += step) {
      const growth = tree.grow();
      for (const entry of entries.slice(from, from + step)) growth.append(entry);
      const isLast = growth.size === entries.length;
      const ahead = { note, path: [] };
      const signed = { size: growth.size, root: growth.root(), note };
      await tree.write(growth, isLast ? { signed, ahead: undefined } : { ahead });
    }
    tree.close();
  }
}

/** Drops the beginning of the trust log in the store of a node's directory, which keeps the newest state that `fixture` committed to. */
export async function pruneStore(fixture: AuditedFixture, directory: string, minimum: number): Promise<void> {
  const { region, trustOrigin } = fixture;
  const store = storeInDirectory(
    { directory: join(directory, 'store'), owner: `${region.region}.${region.network}`, reserveBytes: 0 },
    { clock: systemClock },
  );
  await store.start();
  const tree = await LogTree.open(trustOrigin, { store, secondPlace: new MemorySecondPlace(), sha256 });
  const base = region.fold.newestBase();
  if (base === undefined) throw new TypeError('the region has committed to no state');
  await store.write(await baseChanges(trustOrigin, base, store));
  await pruneLog(minimum, { tree, store });
  tree.close();
  await store.stop();
}

/** Audits what lies in a directory: as static files, or whatever `openAuditSource` finds there. */
export async function audited(
  directory: string,
  options: Partial<RegionAuditOptions> = {},
  modules: Partial<RegionAuditModules> = {},
): Promise<RegionAudited> {
  const source = modules.source ?? (await openAuditSource(directory));
  try {
    return await auditRegion(
      { ...source.owner, nowS: START_S + HOUR_S, ...options },
      { ...trustModules, source, ...modules },
    );
  } finally {
    await source.close();
  }
}

/** What the audit of a fixture that was published finds: code, log kind and index of each fault. */
export async function faultsIn(
  directory: string,
  options: Partial<RegionAuditOptions> = {},
): Promise<string[]> {
  const source = await openStaticSource(directory);
  const { faults } = await audited(directory, { faultsMax: 1_000, ...options }, { source });
  return faults.map(
    ({ code, log, index }) => `${code} ${log.endsWith('trust') ? 'trust' : 'attest'} ${index}`,
  );
}
