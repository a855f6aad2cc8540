/**
 * Checking one bundle of a log: its entries against the tile of their leaf hashes, and attestations against what they have
 * to say at their place. A pure function of plain values, so that any thread can run it.
 */
import { AttestationSeries } from '../../protocol/code/attestation-series.ts';
import { attestationMessage, COMMITMENT_BYTES } from '../../protocol/code/attestation.ts';
import { isProtocolError } from '../../protocol/fault.ts';
import { parseEntryBundle } from '../../protocol/log/entry-bundle.ts';
import { HASH_BYTES, leafHash } from '../../protocol/log/merkle.ts';
import { hashFromTile, TILE_HASHES, tilePath } from '../../protocol/log/tile.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { type AttestKey } from './attest-key.ts';
import { type AuditCode, type AuditFault } from './audit-fault.ts';
import { type SourcePart } from './audit-source.ts';
import { isWritten } from './commitment-lint.ts';

/** What holds for all bundles of a log. */
export interface BundleContext {
  readonly origin: string;
  /** Present for an attestation log: its entries have to be attestations of it. */
  readonly attestations?: {
    readonly region: string;
    readonly network: string;
    readonly log: string;
    /** By their ids. */
    readonly keys: ReadonlyMap<string, AttestKey>;
    /** Keys that were in force at this time or after it are all among them: by an unknown key from before, an attestation is no fault. */
    readonly keysSinceS: number;
    /** Whether their signatures are checked too. */
    readonly signatures: boolean;
    /** The hour (since 1970) of the audit: none may be issued after it. */
    readonly hour: number;
  };
}

export interface BundleJob {
  readonly index: number;
  /** Entries that are in the log, 1 to 256. */
  readonly width: number;
  readonly bundle: SourcePart | undefined;
  readonly tile: SourcePart | undefined;
}

export interface BundleReport {
  /** The leaf hashes of the entries, joined; of a full bundle their root instead. Undefined if they could not be read. */
  readonly hashes: Uint8Array | undefined;
  /** In the order of their indexes. */
  readonly faults: readonly AuditFault[];
  readonly remarks: readonly AuditFault[];
  readonly signatures: number;
  readonly unjudged: number;
  /** Of the first and the last attestation; undefined if there is none. */
  readonly hours: readonly [first: number, last: number] | undefined;
  /** Of each entry what it commits to, joined; zeros for one that is none for its place. Undefined for a trust log. */
  readonly commitments: Uint8Array | undefined;
}

const HOUR_S = 3_600;
/** Faults reported of one bundle: what is wrong with all of its entries is said once and counted by its first. */
const FAULTS_MAX = 2 * TILE_HASHES;

export function checkBundle(job: BundleJob, context: BundleContext, primitives: Primitives): BundleReport {
  const check = new BundleCheck(job, context, primitives);
  return check.run();
}

class BundleCheck {
  readonly #job: BundleJob;
  readonly #context: BundleContext;
  readonly #primitives: Primitives;
  readonly #faults: AuditFault[] = [];
  readonly #remarks: AuditFault[] = [];
  readonly #first: number;
  readonly #series = new AttestationSeries();
  #signatures = 0;
  #unjudged = 0;
  #hours: [first: number, last: number] | undefined;
  readonly #commitments: Uint8Array;

  constructor(job: BundleJob, context: BundleContext, primitives: Primitives) {
    this.#job = job;
    this.#context = context;
    this.#primitives = primitives;
    this.#first = job.index * TILE_HASHES;
    this.#commitments = new Uint8Array(context.attestations === undefined ? 0 : job.width * COMMITMENT_BYTES);
  }

  run(): BundleReport {
    const entries = this.#entries();
    const hashes = entries && this.#hash(entries);
    if (hashes !== undefined) this.#compareTile(hashes);
    entries?.forEach((entry, i) => this.#checkAttestation(entry, this.#first + i));
    const isFull = hashes?.length === TILE_HASHES * HASH_BYTES;
    return {
      hashes: isFull ? hashFromTile(this.#primitives.sha256, hashes, 8, 0) : hashes,
      faults: this.#faults,
      remarks: this.#remarks,
      signatures: this.#signatures,
      unjudged: this.#unjudged,
      hours: this.#hours,
      commitments: this.#commitments.length === 0 ? undefined : this.#commitments,
    };
  }

  #entries(): Uint8Array[] | undefined {
    const { bundle, width } = this.#job;
    const held = bundle?.width ?? 0;
    if (bundle === undefined || held < width) {
      const message = `the entries from here on are not there, ${width - held} were expected`;
      this.#fault('ENTRY_MISSING', this.#first + held, message);
      return undefined;
    }
    try {
      return parseEntryBundle(bundle.bytes, bundle.width).slice(0, width);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      const entry = Number(error.fault.details['entry'] ?? 0);
      this.#fault('BUNDLE_MALFORMED', this.#first + entry, error.message);
      return undefined;
    }
  }

  #hash(entries: readonly Uint8Array[]): Uint8Array {
    const hashes = new Uint8Array(entries.length * HASH_BYTES);
    entries.forEach((entry, i) => hashes.set(leafHash(this.#primitives.sha256, entry), i * HASH_BYTES));
    return hashes;
  }

  #compareTile(hashes: Uint8Array): void {
    const { tile, index, width } = this.#job;
    const path = tilePath({ level: 0, index, width });
    if (tile === undefined) {
      this.#fault('TILE_MISSING', this.#first, `${path} is not there`);
    } else if (tile.bytes.length !== tile.width * HASH_BYTES) {
      const message = `${path} has ${tile.bytes.length} bytes instead of ${tile.width * HASH_BYTES}`;
      this.#fault('TILE_MISMATCH', this.#first, message);
    } else {
      const at = firstDifference(hashes, tile.bytes);
      if (at === undefined) return;
      const index = this.#first + Math.floor(at / HASH_BYTES);
      this.#fault('LEAF_MISMATCH', index, `the entry is not the leaf that ${path} has there`);
    }
  }

  #checkAttestation(entry: Uint8Array, index: number): void {
    const { attestations } = this.#context;
    if (attestations === undefined) return;
    const { region, network, log, keys, keysSinceS, signatures } = attestations;
    let attestation;
    try {
      attestation = this.#series.read(entry);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#fault('ATTESTATION_MALFORMED', index, error.message);
    }
    const { keyId, hour } = attestation;
    if (attestation.region !== region || attestation.log !== log) {
      this.#fault(
        'LOG_MISMATCH',
        index,
        `the attestation is one of ${attestation.region}, ${attestation.log}`,
      );
    }
    if (attestation.index !== index) {
      this.#fault('INDEX_MISMATCH', index, `the attestation says that it is at ${attestation.index}`);
    }
    if (this.#faults.at(-1)?.index !== index) this.#checkCommitment(attestation.commitment, index);
    this.#checkHour(hour, index, attestations.hour);
    const key = keys.get(keyId);
    if (key === undefined && HOUR_S * hour < keysSinceS) {
      this.#unjudged++;
      return;
    }
    if (key === undefined) {
      return this.#fault('KEY_UNKNOWN', index, `the region never had the key ${keyId}`);
    }
    this.#checkKey(key, hour, index);
    if (!signatures) return;
    this.#signatures++;
    const { publicKey } = key;
    const check = {
      publicKey,
      message: attestationMessage(attestation, network),
      signature: attestation.signature,
    };
    if (this.#primitives.verifySignature(check)) return;
    this.#fault('SIGNATURE_INVALID', index, `the signature is not one by the key ${keyId}`);
  }

  #checkCommitment(commitment: Uint8Array, index: number): void {
    this.#commitments.set(commitment, (index - this.#first) * COMMITMENT_BYTES);
    if (!isWritten(commitment)) return;
    this.#fault(
      'COMMITMENT_READABLE',
      index,
      'what it commits to is written there, or filled up: no hash is',
    );
  }

  #checkHour(hour: number, index: number, hourNow: number): void {
    const last = this.#hours?.[1] ?? hour;
    if (hour < last) this.#fault('HOUR_MISMATCH', index, `issued in hour ${hour}, after one of hour ${last}`);
    if (hour > hourNow) this.#fault('HOUR_MISMATCH', index, `issued in hour ${hour}, now is hour ${hourNow}`);
    this.#hours = [this.#hours?.[0] ?? hour, hour];
  }

  #checkKey({ keyId, role, fromS, untilS, cutOffSize }: AttestKey, hour: number, index: number): void {
    const atS = HOUR_S * hour;
    if (role !== 'attest') {
      this.#fault('KEY_NOT_FOR_THIS', index, `the key ${keyId} has the role ${role}`);
    } else if (atS < fromS || atS >= untilS) {
      this.#fault('KEY_NOT_FOR_THIS', index, `the key ${keyId} was not in force in hour ${hour}`);
    }
    if (cutOffSize !== undefined && index >= cutOffSize) {
      const message = `the key ${keyId} is compromised: from ${cutOffSize} on nothing by it counts`;
      this.#remarks.push({ code: 'BEYOND_CUT_OFF', log: this.#context.origin, index, message });
    }
  }

  #fault(code: AuditCode, index: number, message: string): void {
    if (this.#faults.length >= FAULTS_MAX) return;
    this.#faults.push({ code, log: this.#context.origin, index, message });
  }
}

/** The first place in which `bytes` and what `other` begins with differ. */
function firstDifference(bytes: Uint8Array, other: Uint8Array): number | undefined {
  const end = bytes.length;
  if (Buffer.compare(bytes, other.subarray(0, end)) === 0) return undefined;
  for (let i = 0; i < end; i++) if (bytes[i] !== other[i]) return i;
  return undefined;
}
