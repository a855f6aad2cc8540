/**
 * The audit of a region: its trust log folded again, then each of its attestation logs under the keys that the trust log
 * names. Proves or refutes that what the region published is what it signed, and that it keeps its own rules.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { rootOf } from '../../protocol/log/merkle-proof.ts';
import { parseOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { HASH_BYTES } from '../../protocol/log/merkle.ts';
import { tilePath, tileSource, tilesReadBy, tileWidth } from '../../protocol/log/tile.ts';
import { type FoldBase } from '../../protocol/trust/boot.ts';
import { logMonth } from '../../protocol/trust/log-month.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';
import { type WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type AuditFault, FaultList } from './audit-fault.ts';
import { type AuditSource, type LogSource } from './audit-source.ts';
import { type BundleContext } from './bundle-check.ts';
import { type BundlePool } from './bundle-pool.ts';
import { type AuditedCosignature, checkCheckpoint } from './checkpoint-check.ts';
import { auditLog, type LogAudited } from './log-audit.ts';
import { TrustReplay } from './trust-replay.ts';
import { type WitnessRegion } from './witness-region.ts';

export interface RegionAuditOptions {
  readonly region: string;
  readonly network: string;
  /** What the auditor knows the region by; without it the audit says only that the logs agree with themselves. */
  readonly fingerprint?: Uint8Array | undefined;
  /** Only these logs, besides the trust log; all by default. */
  readonly logs?: readonly string[] | undefined;
  /** Whom the auditor goes by. */
  readonly policy?: WitnessPolicy | undefined;
  /** Whether signatures of attestations are checked; true by default. */
  readonly signatures?: boolean;
  /** Faults after which the audit ends; 1 by default. */
  readonly faultsMax?: number;
  readonly nowS: number;
}

export interface RegionAuditModules extends TrustModules {
  readonly source: AuditSource;
  readonly pool?: BundlePool | undefined;
  /** Others whose cosignatures are looked for. */
  readonly witnesses?: readonly WitnessRegion[];
  readonly onProgress?: (log: string, checked: number, size: number) => void;
  /** Told of the trust log once all of it was folded: what the attestation logs are held against. */
  readonly onTrust?: (trust: TrustReplay) => void;
  /** Told of the entries of attestation logs in order, as views. They are what they seem where the audit ends without a fault. */
  readonly onLeaves?: (origin: string, entries: readonly Uint8Array[], index: number) => void;
}

export interface AuditedLog {
  readonly log: string;
  /** Of the checkpoint. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly from: number;
  readonly signatures: number;
  readonly cosignatures: readonly AuditedCosignature[];
  /** By the policy of the auditor, if there is one. */
  readonly witnesses?: WitnessCount;
}

export interface RegionAudited {
  readonly region: string;
  readonly network: string;
  readonly fingerprint: Uint8Array | undefined;
  /** The logs that were gone through to their ends. */
  readonly logs: readonly AuditedLog[];
  readonly faults: readonly AuditFault[];
  /** How many there are, also where fewer are listed. */
  readonly faultCount: number;
  readonly remarks: readonly AuditFault[];
  readonly remarkCount: number;
}

const REMARKS_MAX = 100;
const HOUR_S = 3_600;

/** Rejects with what reading the source rejects with; whatever is wrong with the logs is in the report. */
export async function auditRegion(
  options: RegionAuditOptions,
  modules: RegionAuditModules,
): Promise<RegionAudited> {
  const audit = new RegionAudit(options, modules);
  await audit.run();
  return audit.report();
}

class RegionAudit {
  readonly #options: RegionAuditOptions;
  readonly #modules: RegionAuditModules;
  readonly #faults: FaultList;
  readonly #remarks = new FaultList(REMARKS_MAX);
  readonly #logs: AuditedLog[] = [];
  #trust: TrustReplay;
  readonly #trustOrigin: string;

  constructor(options: RegionAuditOptions, modules: RegionAuditModules) {
    this.#options = options;
    this.#modules = modules;
    this.#faults = new FaultList(options.faultsMax ?? 1);
    const { region, network } = options;
    this.#trustOrigin = trustLogOrigin(region, network);
    this.#trust = this.#replayFrom(undefined);
  }

  async run(): Promise<void> {
    if (!(await this.#auditTrustLog())) return;
    for (const log of await this.#attestationLogs()) {
      if (this.#faults.isFull) return;
      await this.#auditAttestationLog(log);
    }
  }

  report(): RegionAudited {
    const { region, network } = this.#options;
    return {
      region,
      network,
      fingerprint: this.#trust.state.fingerprint,
      logs: this.#logs,
      faults: this.#faults.kept,
      faultCount: this.#faults.count,
      remarks: this.#remarks.kept,
      remarkCount: this.#remarks.count,
    };
  }

  /** False if it could not be folded: without it there are no keys to hold anything against. */
  async #auditTrustLog(): Promise<boolean> {
    const origin = this.#trustOrigin;
    this.#trust = this.#replayFrom(await this.#modules.source.base(this.#modules.sha256));
    let obstacle = '';
    const audited = await this.#audit(origin, 0, { origin }, (entries, first) => {
      try {
        if (obstacle === '') entries.forEach((entry, i) => this.#trust.append(entry, first + i));
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        obstacle = `: ${error.message}`;
      }
    });
    if (audited === undefined) return false;
    const { size, from } = this.#trust;
    if (size !== audited.checkpoint.size) {
      const message = `the log cannot be folded from here on, so nothing is known of the keys${obstacle}`;
      this.#faults.add({ code: 'ENTRY_MISSING', log: origin, index: size, message });
      return false;
    }
    if (from > 0) {
      const message = `pruned: what came before ${from} is taken from the state statement there, and nothing shows that it left nothing out`;
      this.#remarks.add({ code: 'NOT_REPLAYED', log: origin, index: from, message });
    }
    this.#trust.report({ faults: this.#faults, remarks: this.#remarks });
    const { fingerprint } = this.#options;
    if (fingerprint !== undefined) this.#trust.requireFingerprint(fingerprint, this.#faults);
    this.#modules.onTrust?.(this.#trust);
    await this.#conclude(audited);
    return true;
  }

  /** Those that the region announced and has begun, and those that lie there. */
  async #attestationLogs(): Promise<string[]> {
    const { region, network, logs } = this.#options;
    const there = (await this.#modules.source.origins()).flatMap((origin) => {
      const parsed = parseOriginOrNone(origin);
      const isOurs = parsed?.kind === 'attest' && parsed.region === region && parsed.network === network;
      return isOurs ? [parsed.log] : [];
    });
    return logs === undefined ? there : there.filter((log) => logs.includes(log));
  }

  async #auditAttestationLog(log: string): Promise<void> {
    const { region, network, signatures = true, nowS } = this.#options;
    const origin = `${region}.${network}/attest/${log}`;
    const announced = this.#trust.log(log);
    const { knownSinceS: keysSinceS } = this.#trust;
    if (announced === undefined && logMonth(log).untilS >= keysSinceS) {
      const message = 'the trust log does not announce it';
      this.#faults.add({ code: 'LOG_UNANNOUNCED', log: origin, message });
      if (this.#faults.isFull) return;
    }
    const hour = Math.floor(nowS / HOUR_S);
    const keys = this.#trust.keys.forLog(log);
    const attestations = { region, network, log, keys, keysSinceS, signatures, hour };
    const { onLeaves } = this.#modules;
    const audited = await this.#audit(
      origin,
      announced?.minimum ?? 0,
      { origin, attestations },
      onLeaves && ((entries, index) => onLeaves(origin, entries, index)),
    );
    if (audited === undefined) return;
    if (audited.unjudged > 0) {
      const message = `pruned: the keys of ${audited.unjudged} attestations stand in what is gone of the trust log, so these were held against the tree alone`;
      this.#remarks.add({ code: 'NOT_REPLAYED', log: origin, message });
    }
    await this.#checkCutOffs(log, origin, audited);
    await this.#conclude(audited);
  }

  #replayFrom(base: FoldBase | undefined): TrustReplay {
    const { region, network } = this.#options;
    return new TrustReplay({ region, network, origin: this.#trustOrigin, base }, this.#modules);
  }

  #audit(
    origin: string,
    minimum: number,
    context: BundleContext,
    onEntries?: (entries: readonly Uint8Array[], index: number) => void,
  ): Promise<LogAudited | undefined> {
    const { source, onProgress } = this.#modules;
    return auditLog(
      { minimum, context },
      {
        ...this.#modules,
        source: source.log(origin),
        faults: this.#faults,
        remarks: this.#remarks,
        ...(onEntries && { onEntries }),
        onProgress: (checked, size) => onProgress?.(origin, checked, size),
      },
    );
  }

  /** A compromise names a tree of this log: it has to be the one that is here. */
  async #checkCutOffs(log: string, origin: string, { checkpoint }: LogAudited): Promise<void> {
    for (const [keyId, { size, root }] of this.#trust.keys.cutOffs(log)) {
      if (size === 0) continue;
      const found =
        size > checkpoint.size
          ? undefined
          : await this.#rootAt(this.#modules.source.log(origin), size, checkpoint.size);
      if (found !== undefined && equalBytes(found, root)) continue;
      const message = `the compromise of ${keyId} names a tree of ${size} leaves that this log never had`;
      this.#faults.add({ code: 'CUT_OFF_MISMATCH', log: origin, index: size, message });
    }
  }

  /** By tiles that were found to be right. Undefined if they are gone. */
  async #rootAt(source: LogSource, size: number, treeSize: number): Promise<Uint8Array | undefined> {
    const { sha256 } = this.#modules;
    const build = (hashes: Parameters<typeof rootOf>[2]) => rootOf(sha256, size, hashes);
    const tiles = new Map<string, Uint8Array>();
    for (const tile of tilesReadBy(size, build)) {
      const [part] = await source.tiles([{ ...tile, width: tileWidth(treeSize, tile.level, tile.index) }]);
      if (part === undefined) return undefined;
      tiles.set(tilePath(tile), part.bytes.subarray(0, tile.width * HASH_BYTES));
    }
    return build(tileSource(sha256, size, (tile) => tiles.get(tilePath(tile)) ?? new Uint8Array(0)));
  }

  async #conclude({ checkpoint, note, from, signatures }: LogAudited): Promise<void> {
    const { origin, size, root } = checkpoint;
    const { region, network, nowS } = this.#options;
    const { keys } = this.#trust;
    const witnesses = [{ region, network, keys }, ...(this.#modules.witnesses ?? [])];
    const options = { origin, note, keys, witnesses, policy: this.#options.policy, nowS };
    const { cosignatures, witnesses: counted } = await checkCheckpoint(options, this.#modules, this.#faults);
    if (!cosignatures.some((one) => one.region !== region)) {
      const message = `no other region that was asked vouches for size ${size}`;
      this.#remarks.add({ code: 'UNWITNESSED', log: origin, message });
    }
    const vouched = counted && { witnesses: counted };
    this.#logs.push({ log: origin, size, root, from, signatures, cosignatures, ...vouched });
  }
}

function parseOriginOrNone(origin: string) {
  try {
    return parseOrigin(origin);
  } catch (error) {
    if (isProtocolError(error, 'ORIGIN_INVALID')) return undefined;
    throw error;
  }
}
