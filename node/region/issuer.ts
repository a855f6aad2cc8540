/**
 * Issues codes in whole batches. The write order is: stage the unsigned batch with its indexes -> sign -> tiles -> checkpoint ->
 * registry; codes are given out last. `#commit` is also the recovery: it runs again over a staged batch and makes the
 * same bytes, so no index is ever signed twice with different content.
 */
import { join } from 'node:path';
import { draftAttestation, signAttestation } from '../../protocol/code/attestation-draft.ts';
import { encodeCode } from '../../protocol/code/code.ts';
import { codeText } from '../../protocol/code/code-text.ts';
import { commitmentOf } from '../../protocol/code/commitment.ts';
import { FIELD_NAMES, type Fields } from '../../protocol/code/field.ts';
import { commitFields, encodeOpenings, type Openings, parseOpenings } from '../../protocol/code/openings.ts';
import { openCheckpoint } from '../../protocol/log/checkpoint.ts';
import { emptyRoot } from '../../protocol/log/merkle.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';
import { moveFile, namesIn, removeLeavings, writeFileAtomically } from './files.ts';
import { type Keyring, type RegionSigner } from './keyring.ts';
import { attestationLogsPath, type RegionLayout } from './layout.ts';
import { LogAppender, removeOutgrownTiles, type TreeHead } from './log-appender.ts';
import { damaged, LogFiles } from './log-files.ts';
import { type RegionModules } from './modules.ts';
import { signOwnCheckpoint } from './own-checkpoint.ts';
import { checkpointKeys } from './public-region.ts';
import {
  batchPath,
  type BatchHeader,
  type BatchRow,
  readBatch,
  readBatchHeader,
  type RegistryRecord,
  writeBatch,
} from './registry.ts';

const HOUR_S = 3_600;
/** Signing blocks the thread; other work of the process gets a turn after so many. */
const ROWS_PER_TURN = 256;

export interface IssueRequest {
  /** The region's own reference to the person. It goes into the registry and nowhere else. */
  readonly subject: string;
  readonly fields: Fields;
}

/** A code and where its attestation stands. */
export interface Issued {
  readonly subject: string;
  readonly log: string;
  readonly index: number;
  /** The text of the code, opening all fields that the attestation uses. */
  readonly code: string;
}

export interface IssuerModules extends RegionModules {
  readonly keyring: Keyring;
}

export class Issuer {
  readonly #layout: RegionLayout;
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: IssuerModules;

  constructor(options: { layout: RegionLayout; region: string; network: string }, modules: IssuerModules) {
    this.#layout = options.layout;
    this.#names = { region: options.region, network: options.network };
    this.#modules = modules;
  }

  /** Brings every staged batch to its end and gives them. To be run before anything else after a start. */
  async recover(state: TrustState): Promise<BatchHeader[]> {
    const { staged } = this.#layout;
    // They hold openings, which nobody would ever remove.
    await removeLeavings(staged);
    const recovered: BatchHeader[] = [];
    for (const name of await namesIn(staged)) {
      const header = await this.#commit(join(staged, name), state);
      if (header !== undefined) recovered.push(header);
    }
    return recovered;
  }

  /**
   * Issues one batch, all or nothing, in the log of this month. Indexes do not follow the order of the requests; the result does.
   * Codes may be given out once this returns. `onProgress` hears how many are signed.
   * @throws {NodeError} LOG_NOT_ANNOUNCED, KEY_NOT_IN_FORCE and what stores throw.
   */
  async issue(
    requests: readonly IssueRequest[],
    state: TrustState,
    onProgress?: (done: number) => void,
  ): Promise<Issued[]> {
    if (requests.length === 0) return [];
    const { keyring, nowS } = this.#modules;
    const atS = nowS();
    const log = logIdAt(atS);
    if (state.log(log) === undefined) {
      throw new NodeError('LOG_NOT_ANNOUNCED', `the region has not announced the log ${log}`, {
        hint: 'Run `entente key extend`, which announces the coming months too.',
      });
    }
    const { keyId } = await keyring.inForce(state, 'attest', atS);
    const { size: index } = await this.#head(log, state);
    const order = shuffled(requests.length, this.#modules.random);
    const header: BatchHeader = {
      format: 1,
      log,
      index,
      count: requests.length,
      hour: Math.floor(atS / HOUR_S),
      keyId,
    };
    const staged = join(this.#layout.staged, `${log}.jsonl`);
    await writeBatch(
      staged,
      header,
      order.map((request) => this.#rowOf(requests[request] as IssueRequest)),
    );
    const issued = new Array<Issued>(requests.length);
    let done = 0;
    await this.#commit(staged, state, (record, attestation, openings) => {
      const { subject } = record;
      const code = this.#codeOf(attestation, openings);
      issued[order[done++] as number] = { subject, log, index: record.index, code };
      if (done % ROWS_PER_TURN === 0 || done === requests.length) onProgress?.(done);
    });
    return issued;
  }

  /** Makes the code of a record again, from the log and the registry. */
  async codeOf(record: RegistryRecord, state: TrustState): Promise<Issued> {
    const { subject, log, index } = record;
    const { size } = await this.#head(log, state);
    if (index >= size) throw damaged(this.#files(log).path, `has no leaf ${index}, which is in the registry`);
    const attestation = await this.#files(log).entry(index, size);
    return { subject, log, index, code: this.#codeOf(attestation, parseOpenings(record.openings).openings) };
  }

  /** Size and root of an attestation log by its checkpoint; empty if there is none. */
  async #head(log: string, state: TrustState): Promise<TreeHead> {
    const { sha256, verifySignature } = this.#modules;
    const note = await this.#files(log).checkpoint();
    if (note === undefined) return { size: 0, root: emptyRoot(sha256) };
    const origin = this.#origin(log);
    const checkpoint = openCheckpoint(note, checkpointKeys(sha256, state, origin), verifySignature);
    if (checkpoint.origin !== origin)
      throw damaged(this.#files(log).path, 'has the checkpoint of another log');
    return checkpoint;
  }

  async #commit(
    staged: string,
    state: TrustState,
    onSigned?: (record: RegistryRecord, attestation: Uint8Array, openings: Openings) => void,
  ): Promise<BatchHeader | undefined> {
    const header = await readBatchHeader(staged);
    if (header === undefined) return undefined;
    const { log, index, count } = header;
    const head = await this.#head(log, state);
    if (head.size === index) await this.#appendBatch(staged, header, head, state, onSigned);
    else if (head.size === index + count) await requireWhole(staged, header);
    else throw damaged(staged, `belongs to another size of the log than ${head.size}`);
    await moveFile(staged, batchPath(this.#layout.registry, header));
    return header;
  }

  async #appendBatch(
    staged: string,
    header: BatchHeader,
    head: TreeHead,
    state: TrustState,
    onSigned?: (record: RegistryRecord, attestation: Uint8Array, openings: Openings) => void,
  ): Promise<void> {
    const { log } = header;
    const files = this.#files(log);
    const signer = await this.#attestSigner(header, state);
    const appender = await LogAppender.open(files, head, this.#modules.sha256);
    for await (const row of readBatch(staged, header)) {
      const { openings } = parseOpenings(row.openings);
      const record = { ...row, log, index: appender.size };
      const attestation = this.#attest(record, openings, header, signer);
      await appender.append(attestation);
      onSigned?.(record, attestation, openings);
      if (record.index % ROWS_PER_TURN === 0) await new Promise(setImmediate);
    }
    const grown = await appender.finish();
    const note = await signOwnCheckpoint(
      this.#origin(log),
      grown,
      state,
      this.#modules.nowS(),
      this.#modules,
    );
    await writeFileAtomically(join(files.path, 'checkpoint'), note);
    await removeOutgrownTiles(files.path, head.size, grown.size);
  }

  #attest(
    record: RegistryRecord,
    openings: Openings,
    { hour, keyId }: BatchHeader,
    signer: RegionSigner,
  ): Uint8Array {
    const { region, network } = this.#names;
    const { log, index } = record;
    const commitment = commitmentOf(this.#modules.sha256, openings);
    const draft = draftAttestation({ region, log, index, hour, commitment }, keyId, network);
    return signAttestation(draft.bytes, signer.sign(draft.message));
  }

  /** The key that the batch was staged for, even if its window has ended since. */
  async #attestSigner({ keyId }: BatchHeader, state: TrustState): Promise<RegionSigner> {
    const key = state.key(keyId);
    if (key === undefined)
      throw new NodeError('KEY_NOT_IN_FORCE', `the region has no key ${keyId}`, { fatal: true });
    return this.#modules.keyring.open('attest', key);
  }

  #rowOf({ subject, fields }: IssueRequest): BatchRow {
    const { openings } = commitFields(this.#modules.sha256, fields, this.#modules.random);
    return { subject, openings: encodeOpenings(openings) };
  }

  #codeOf(attestation: Uint8Array, openings: Openings): string {
    const used = FIELD_NAMES.filter(
      (name, field) => name !== 'evidence' && openings.opened[field] !== undefined,
    );
    return codeText(encodeCode(this.#modules.sha256, attestation, openings, used));
  }

  #files(log: string): LogFiles {
    return new LogFiles(join(attestationLogsPath(this.#layout.public), log));
  }

  #origin(log: string): string {
    return attestationLogOrigin(this.#names.region, this.#names.network, log);
  }
}

/** Reads a batch to its end. @throws {NodeError} DATA_INCONSISTENT */
async function requireWhole(path: string, header: BatchHeader): Promise<void> {
  for await (const { openings } of readBatch(path, header)) parseOpenings(openings);
}

/** The attestation log of the month (UTC) that holds `atS`. */
export function logIdAt(atS: number): string {
  return new Date(atS * 1_000).toISOString().slice(0, 7);
}

/** The numbers below `count` in an order that nobody can foretell. */
function shuffled(count: number, random: (bytes: number) => Uint8Array): number[] {
  const keys = new Float64Array(count);
  const bytes = random(6 * count);
  for (let i = 0; i < count; i++)
    keys[i] = Buffer.from(bytes.buffer, bytes.byteOffset + 6 * i, 6).readUIntBE(0, 6);
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
}
