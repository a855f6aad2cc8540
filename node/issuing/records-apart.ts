/**
 * The private side of an attestation log in a database of its own, where it cannot be written together with the staging:
 *
 *   records into the database -> stage the drafts -> sign -> ... (node/log/log-writer.ts)
 *
 * so that no attestation is ever without its record. What breaks off between the first two leaves records that no log will have:
 * whoever goes on takes them back before it stages anything. A row for each log says who writes:
 *
 *   registry/writer/<log>   a token of the process and of its try, and an index up to which its log was staged when it wrote last
 *
 * Each batch is written only while the token is the own one, so that what an earlier process, or an earlier try, still has under way
 * comes before the taking over or not at all. A process takes over once, when it begins: if another one does so after it, it refuses
 * until it is started again, so that two that run do not take each other's records back.
 */
import { z } from 'zod';
import { equalBytes } from '../../protocol/bytes.ts';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { logError } from '../log/log-error.ts';
import { type ApartRecords } from '../log/log-work.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { registryBusy } from '../registry/postgres-error.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import { type RegistryMark } from '../registry/registry-mark.ts';
import { type Registry } from '../registry/registry.ts';
import { Turns } from '../turns.ts';
import { type Handover } from './handovers.ts';

export interface RecordsApartModules {
  readonly tables: SharedTables;
  readonly mark: RegistryMark;
  readonly registry: Registry;
  readonly random: Random;
  /** Takes back what is noted of these people's codes: no log will have them. To be repeated if it is interrupted. */
  readonly takeBack: (codes: Handover, subjects: readonly string[]) => Promise<void>;
  /** Told once that another process writes there. Must not throw. */
  readonly onTaken?: ((error: NodeError) => void) | undefined;
  /** Told of records that were taken back. Must not throw. */
  readonly onTrouble?: ((error: unknown) => void) | undefined;
}

const PROCESS_BYTES = 16;
const TRY_BYTES = 8;
/** Times that an earlier try of this process comes in between. */
const TRIES_MAX = 4;
const ROW_BYTES_MAX = 64;
const INDEX_END = 2 ** 40;
const rowSchema = z.tuple([z.instanceof(Uint8Array), z.int().nonnegative()]);

export class RecordsApart implements ApartRecords {
  readonly #log: string;
  readonly #modules: RecordsApartModules;
  readonly #name: string;
  readonly #turns = new Turns();
  /** The row as this process wrote it last. */
  #row: Uint8Array | undefined;
  /** Of this process; undefined until it has taken over. */
  #process: Uint8Array | undefined;
  #token: Uint8Array = new Uint8Array(0);
  #noted = 0;
  /** Why nothing is written: until the next taking over if what was written is not known, else for good. */
  #trouble: NodeError | undefined;

  constructor({ log }: { readonly log: string }, modules: RecordsApartModules) {
    this.#log = log;
    this.#modules = modules;
    this.#name = `registry/writer/${log}`;
  }

  async write(
    { index, count }: { readonly index: number; readonly count: number },
    changes: readonly Change[],
  ): Promise<readonly Change[]> {
    const { there, here } = this.#modules.mark.written(this.#log, index + count);
    await this.#turns.take('row', () => this.#note(index, [...changes, there]));
    return [here];
  }

  async note(size: number): Promise<void> {
    await this.#turns.take('row', async () => {
      if (size > this.#noted) await this.#note(size, []);
    });
  }

  async takeOver(index: number, refuse: () => void): Promise<void> {
    try {
      await this.#turns.take('row', () => this.#takeOver(index, refuse));
    } catch (error) {
      // Whoever waited for a batch that was refused for it has been told by now.
      if (isNodeError(error, 'REGISTRY_TAKEN')) this.#modules.onTaken?.(error);
      throw error;
    }
  }

  async #takeOver(index: number, refuse: () => void): Promise<void> {
    const { registry, mark, takeBack, onTrouble } = this.#modules;
    if (isNodeError(this.#trouble, 'REGISTRY_TAKEN')) throw this.#trouble;
    await registry.requireKey();
    await mark.require(this.#log);
    await this.#takeRow(index);
    const codes = { log: this.#log, index, count: INDEX_END - index };
    const removal = await registry.removal(codes);
    if (removal.length === 0) return;
    refuse();
    // While the registry still tells whose they are: what breaks off here is begun again.
    const subjects = await registry.subjectsIn(codes);
    await takeBack(codes, subjects);
    await this.#note(index, removal);
    onTrouble?.(takenBack(codes, subjects.length));
  }

  async #takeRow(index: number): Promise<void> {
    const { tables, random } = this.#modules;
    for (let tries = 1; ; tries++) {
      const before = await tables.get(this.#name);
      const [token, reached] = before === undefined ? [undefined, 0] : this.#parse(before);
      if (this.#process !== undefined && !isOf(token, this.#process)) throw this.#taken();
      if (reached > index) {
        const message = `the log ${this.#log} has ${index} entries here, and had ${reached} when the registry was written to`;
        throw logError('LOG_BEHIND', message);
      }
      const process = this.#process ?? random(PROCESS_BYTES);
      this.#token = Buffer.concat([process, random(TRY_BYTES)]);
      const row = encodeCbor([this.#token, index]);
      const holds = { name: this.#name, value: before };
      if ((await tables.writeIf([{ put: this.#name, value: row }], { holds })) === 'made') {
        this.#process = process;
        this.#row = row;
        this.#noted = index;
        this.#trouble = undefined;
        return;
      }
      if (tries === TRIES_MAX) throw registryBusy();
    }
  }

  /** The row and more, while this process is the one that writes. */
  async #note(index: number, changes: readonly Change[]): Promise<void> {
    if (this.#trouble !== undefined) throw this.#trouble;
    const row = encodeCbor([this.#token, index]);
    const holds = { name: this.#name, value: this.#row };
    const all = [...changes, { put: this.#name, value: row }];
    const outcome = await this.#modules.tables.writeIf(all, { holds }).catch((error: unknown) => {
      if (isNodeError(error)) this.#trouble = error;
      throw error;
    });
    if (outcome !== 'made') throw this.#taken();
    this.#row = row;
    this.#noted = index;
  }

  #taken(): NodeError {
    const message = `another process has taken over the records of the log ${this.#log}`;
    const error = new NodeError('REGISTRY_TAKEN', message, {
      fatal: true,
      hint: 'Run one node for a region: stop one of the two for good, then restart the other.',
    });
    this.#trouble = error;
    return error;
  }

  #parse(row: Uint8Array): z.infer<typeof rowSchema> {
    try {
      return rowSchema.parse(decodeCbor(row, { bytesMax: ROW_BYTES_MAX }));
    } catch (cause) {
      throw new NodeError('REGISTRY_CORRUPT', `${this.#name} does not say who writes`, {
        cause,
        fatal: true,
      });
    }
  }
}

/** After a crash there is one batch of them; more, or without a crash, somebody should ask why. */
export function takenBack({ log, index }: Handover, people: number): NodeError {
  const message = `the records of ${people} ${people === 1 ? 'person' : 'people'} in ${log} from ${index} on were taken back: they were written, and never logged`;
  return logError('LOG_NOT_WRITTEN', message);
}

function isOf(token: Uint8Array | undefined, process: Uint8Array): boolean {
  return token !== undefined && equalBytes(token.subarray(0, PROCESS_BYTES), process);
}
