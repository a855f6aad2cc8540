/**
 * The private side of an attestation log in a database of its own, where it cannot be written together with the staging:
 *
 *   records into the database -> stage the drafts -> sign -> ... (node/log/log-writer.ts)
 *
 * so that no attestation is ever without its record. What breaks off between the first two leaves records that no log will have:
 * whoever goes on takes them back before it stages anything. A row for each log says who writes:
 *
 *   registry/writer/<log>   a token of the process, and an index that its log had reached when it wrote last
 *
 * Each batch is written only while the token is the own one, so that what an earlier process, or an earlier try, still has under way
 * comes before the taking over or not at all.
 */
import { z } from 'zod';
import { decodeCbor, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { logError } from '../log/log-error.ts';
import { type ApartRecords } from '../log/log-work.ts';
import { NodeError } from '../node-error.ts';
import { type Change, type Random } from '../ports.ts';
import { type SharedTables } from '../registry/private-tables.ts';
import { type Registry } from '../registry/registry.ts';
import { type Handover } from './handovers.ts';

export interface RecordsApartModules {
  readonly tables: SharedTables;
  readonly registry: Registry;
  readonly random: Random;
  /** Takes back what is noted of these people's codes: no log will have them. To be repeated if it is interrupted. */
  readonly takeBack: (codes: Handover, subjects: readonly string[]) => Promise<void>;
}

const TOKEN_BYTES = 16;
const ROW_BYTES_MAX = 64;
const INDEX_END = 2 ** 40;
const rowSchema = z.tuple([z.instanceof(Uint8Array), z.int().nonnegative()]);

export class RecordsApart implements ApartRecords {
  readonly #log: string;
  readonly #modules: RecordsApartModules;
  readonly #name: string;
  /** The row as this process wrote it last. */
  #row: Uint8Array | undefined;
  #token: Uint8Array = new Uint8Array(0);
  /** Of the batch that was written last. All before it are in the log when the next one is written. */
  #last = 0;

  constructor({ log }: { readonly log: string }, modules: RecordsApartModules) {
    this.#log = log;
    this.#modules = modules;
    this.#name = `registry/writer/${log}`;
  }

  async write(index: number, changes: readonly Change[]): Promise<void> {
    const row = encodeCbor([this.#token, this.#last]);
    await this.#writeAsWriter([...changes, { put: this.#name, value: row }]);
    this.#row = row;
    this.#last = index;
  }

  async takeOver(index: number, refuse: () => void): Promise<void> {
    const { tables, registry, random, takeBack } = this.#modules;
    await registry.requireKey();
    const before = await tables.get(this.#name);
    const reached = before === undefined ? 0 : this.#parse(before)[1];
    if (reached > index) {
      const message = `the log ${this.#log} has ${index} entries here, and had ${reached} when the registry was written to`;
      throw logError('LOG_BEHIND', message);
    }
    this.#token = random(TOKEN_BYTES);
    this.#last = index;
    this.#row = before;
    const row = encodeCbor([this.#token, index]);
    await this.#writeAsWriter([{ put: this.#name, value: row }]);
    this.#row = row;
    const codes = { log: this.#log, index, count: INDEX_END - index };
    const removal = await registry.removal(codes);
    if (removal.length === 0) return;
    refuse();
    // While the registry still tells whose they are: what breaks off here is begun again.
    await takeBack(codes, await registry.subjectsIn(codes));
    await this.#writeAsWriter(removal);
  }

  async #writeAsWriter(changes: readonly Change[]): Promise<void> {
    const holds = { name: this.#name, value: this.#row };
    if ((await this.#modules.tables.writeIf(changes, { holds })) === 'made') return;
    throw new NodeError('REGISTRY_TAKEN', `somebody else writes the records of the log ${this.#log}`, {
      retry: true,
      hint: 'Run one node for a region: stop the other one.',
    });
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
