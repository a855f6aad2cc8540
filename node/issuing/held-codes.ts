/** The codes that a person holds, made again from the registry and the logs. */
import { encodeCode } from '../../protocol/code/code.ts';
import { codeText } from '../../protocol/code/code-text.ts';
import { FIELD_NAMES, type FieldName } from '../../protocol/code/field.ts';
import { type Openings } from '../../protocol/code/openings.ts';
import { attestationLogOrigin } from '../../protocol/log/origin.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type LogTree } from '../log/log-tree.ts';
import { isNodeError, type NodeError } from '../node-error.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';

export interface HeldCode extends RegistryRecord {
  readonly attestation: Uint8Array;
}

/** How many codes of persons went with the beginning of a log: each is known, and cannot be made again. */
export interface GivenUp {
  readonly log: string;
  readonly givenUp: number;
}

export interface Wanted {
  readonly subject?: string | undefined;
  readonly log?: string | undefined;
  /** With `log`: of that only what stands at this index and after it. */
  readonly from?: number | undefined;
}

/** How wide that is, without saying of whom. */
export function textOfWanted({ subject, log }: Wanted): string {
  return `${subject === undefined ? 'everybody' : 'one person'}${log === undefined ? '' : ` in ${log}`}`;
}

export interface HeldCodesModules {
  readonly registry: Registry;
  /** Opens an own log, or gives the one that is open. */
  readonly openTree: (origin: string) => Promise<LogTree>;
  /** How many entries of an own log the root has signed, by a cut-off. */
  readonly named?: (origin: string) => number;
}

export class HeldCodes {
  readonly #names: { readonly region: string; readonly network: string };
  readonly #modules: HeldCodesModules;

  constructor(names: { readonly region: string; readonly network: string }, modules: HeldCodesModules) {
    this.#names = names;
    this.#modules = modules;
  }

  /**
   * All attestations of a person that are in a log and not given up, oldest first. A record whose batch is still on its way is left out: no
   * code exists before its place in the log is durable.
   */
  async ofSubject(subject: string): Promise<HeldCode[]> {
    const held: HeldCode[] = [];
    for (const record of await this.#modules.registry.ofSubject(subject)) {
      const attestation = await this.#attestationOf(record);
      if (attestation !== undefined) held.push({ ...record, attestation });
    }
    return held;
  }

  /** The attestations of persons at these places, in their order; undefined for one that `ofSubject` leaves out, or that is nobody's. */
  async atPlaces(places: readonly Place[]): Promise<(HeldCode | undefined)[]> {
    const held: (HeldCode | undefined)[] = [];
    for (const record of await this.#modules.registry.atPlaces(places)) {
      const attestation = record && (await this.#attestationOf(record));
      held.push(record && attestation && { ...record, attestation });
    }
    return held;
  }

  /** Records of a person that no log here has yet: their batch is on its way, or will be taken back. */
  async unlogged(subject: string): Promise<RegistryRecord[]> {
    const records: RegistryRecord[] = [];
    for (const record of await this.#modules.registry.ofSubject(subject))
      if (record.index >= (await this.#tree(record.log)).size) records.push(record);
    return records;
  }

  /** Whether an attestation is in a log, or was: a record may be of one that is on its way, or never will be there. */
  async isLogged({ log, index }: Place): Promise<boolean> {
    return index < (await this.#reached(log));
  }

  /** Whether an attestation is in a log of which the registry knows nothing: its holder was forgotten, or it is nobody's. */
  async isNobodys(place: Place): Promise<boolean> {
    if (place.index >= (await this.#tree(place.log)).size) return false;
    return (await this.#modules.registry.atPlace(place)) === undefined;
  }

  /**
   * Those of these places where an attestation is in a log, or was: another place may yet become somebody else's. None of a log that is in
   * trouble: nobody can tell. Rejects as the store.
   */
  async logged<T extends Place>(places: readonly T[]): Promise<T[]> {
    const reached = new Map<string, number>();
    for (const { log } of places)
      if (!reached.has(log)) reached.set(log, await this.#reached(log).catch(noneInTrouble));
    return places.filter(({ log, index }) => index < (reached.get(log) ?? 0));
  }

  /** All attestations of persons in a log from an index on, but for those that are given up, by index. */
  async *ofLog(log: string, from = 0): AsyncGenerator<HeldCode, void, undefined> {
    const tree = await this.#tree(log);
    let next = Math.max(from, tree.head.minimum);
    if (next >= tree.size) return;
    const leaves = tree.reader.entries(next, tree.size);
    for await (const record of this.#modules.registry.ofLog(log, next)) {
      if (record.index >= tree.size) return;
      for (let leaf = await leaves.next(); leaf.done !== true; leaf = await leaves.next()) {
        if (next++ < record.index) continue;
        yield { ...record, attestation: leaf.value };
        break;
      }
    }
  }

  /**
   * What a person holds or everybody does, in all logs or in one; before the first of them from a log, how many of that log are
   * given up.
   */
  async *of({ subject, log: wanted, from = 0 }: Wanted): AsyncGenerator<GivenUp | HeldCode, void, undefined> {
    if (subject !== undefined) {
      const isWanted = ({ log }: { readonly log: string }) => (wanted ?? log) === log;
      yield* (await this.#givenUpOf(subject)).filter(isWanted);
      yield* (await this.ofSubject(subject)).filter((held) => isWanted(held) && held.index >= from);
      return;
    }
    for await (const log of this.#modules.registry.logs()) {
      if ((wanted ?? log) !== log) continue;
      const givenUp = from === 0 ? await this.#countGivenUp(log) : 0;
      if (givenUp > 0) yield { log, givenUp };
      yield* this.ofLog(log, from);
    }
  }

  /** Whether codes of persons were ever issued in a log. */
  knows(log: string): Promise<boolean> {
    return this.#modules.registry.knows(log);
  }

  async #givenUpOf(subject: string): Promise<GivenUp[]> {
    const counts = new Map<string, number>();
    for (const { log, index } of await this.#modules.registry.ofSubject(subject)) {
      if (index < (await this.#tree(log)).head.minimum) counts.set(log, (counts.get(log) ?? 0) + 1);
    }
    return [...counts].map(([log, givenUp]) => ({ log, givenUp }));
  }

  async #countGivenUp(log: string): Promise<number> {
    const { minimum } = (await this.#tree(log)).head;
    let count = 0;
    if (minimum === 0) return count;
    for await (const { index } of this.#modules.registry.ofLog(log)) {
      if (index >= minimum) break;
      count++;
    }
    return count;
  }

  async #attestationOf({ log, index }: RegistryRecord): Promise<Uint8Array | undefined> {
    const tree = await this.#tree(log);
    if (index >= tree.size || index < tree.head.minimum) return undefined;
    for await (const attestation of tree.reader.entries(index, index + 1)) return attestation;
    return undefined;
  }

  /** How far a log is, or was before its store went back, by the second place or the root: nothing below that becomes another's. */
  async #reached(log: string): Promise<number> {
    const { origin, size, shortfall } = await this.#tree(log);
    return Math.max(size, shortfall?.size ?? 0, this.#modules.named?.(origin) ?? 0);
  }

  #tree(log: string): Promise<LogTree> {
    const { region, network } = this.#names;
    return this.#modules.openTree(attestationLogOrigin(region, network, log));
  }
}

function noneInTrouble(error: unknown): number {
  if (isTroubleOfLog(error)) return 0;
  throw error;
}

/** Total: what is wrong with one log concerns no other; a store that fails, all of them. */
export function isTroubleOfLog(error: unknown): error is NodeError {
  return isNodeError(error) && /^(?:LOG|VALUE|SECOND_PLACE)_/.test(error.code);
}

/** The fields that a code opens unless fewer are wanted: all that its attestation uses, but the evidence. */
export function fieldsUsed({ opened }: Openings): FieldName[] {
  return FIELD_NAMES.filter((name, field) => name !== 'evidence' && opened[field] !== undefined);
}

/** The text of the code that opens these fields. @throws {TypeError} as `encodeCode`. */
export function codeTextOf(
  sha256: Sha256,
  { attestation, openings }: { readonly attestation: Uint8Array; readonly openings: Openings },
  fields: readonly FieldName[],
): string {
  return codeText(encodeCode(sha256, attestation, openings, fields));
}
