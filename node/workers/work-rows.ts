/**
 * What a node and its workers tell each other, as rows of the shared tables:
 *
 *   work/worker/<worker>            a count that it raises every few seconds, while it runs
 *   work/claim/<node>/<number>      `open`, the worker that has taken the order up, or `ready`
 *   work/order/<node>/<number>      what is to be prepared, sealed
 *   work/ready/<node>/<number>      what came of it, sealed
 *
 * `<node>` is drawn anew by each process of a node, so that no name is ever used twice and no row can be put in another's place. The rows
 * of an order are made by one write and go by one; whoever changes a claim names what it was. They are worth nothing once the process that
 * ordered is over: what it has not logged is issued to nobody.
 */
import { type DocumentInput } from '../../protocol/code/document.ts';
import { fieldValues, OPENING_BYTES_MAX, SALT_BYTES } from '../../protocol/code/field.ts';
import { encodeOpenings, parseOpenings } from '../../protocol/code/openings.ts';
import { parseStatus } from '../../protocol/code/status.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import { CborReader, type CborValue, encodeCbor } from '../../protocol/encoding/cbor.ts';
import { type Prepared, type Unprepared } from '../issuing/preparing.ts';
import { NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { registryCorrupt } from '../registry/registry-error.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../registry/sealer.ts';

export const WORKERS = ['work/worker/', 'work/worker/~'] as const;
export const CLAIMS = ['work/claim/', 'work/claim/~'] as const;
/** All but the workers. */
export const ORDERS = ['work/claim/', 'work/ready/~'] as const;

/** People of one order. */
export const ORDER_ITEMS_MAX = 256;

const FORM = 1;
const NUMBER_DIGITS = 8;
const ID_BYTES = 8;
const HASH_BYTES = 32;
const OPENINGS_BYTES_MAX = 4 * (OPENING_BYTES_MAX + 16) + 64;
const DOCUMENT_TEXT_BYTES_MAX = 1_024;
const NOTHING = new Uint8Array(0);

/** An order and its rows, by the node that gave it and its number there. */
export interface OrderName {
  readonly claim: string;
  readonly order: string;
  readonly ready: string;
}

/** Of a node's process, or of a worker. */
export function newWorkId(random: Random): string {
  return Buffer.from(random(ID_BYTES)).toString('hex');
}

export function orderName(node: string, number: number): OrderName {
  return namesOf(`${node}/${String(number).padStart(NUMBER_DIGITS, '0')}`);
}

/** The order that a row of claims is of. */
export function orderOfClaim(claim: string): OrderName {
  return namesOf(claim.slice(CLAIMS[0].length));
}

export function claimsOf(node: string): readonly [from: string, to: string] {
  return [`work/claim/${node}/`, `work/claim/${node}/~`];
}

export function workerName(worker: string): string {
  return WORKERS[0] + worker;
}

function namesOf(name: string): OrderName {
  return { claim: `work/claim/${name}`, order: `work/order/${name}`, ready: `work/ready/${name}` };
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Orders and what comes of them, as sealed values. */
export class WorkRows {
  readonly #sealer: Sealer;
  readonly #random: Random;

  /** `registryKey`: see `Registry.open`. */
  constructor(
    { registryKey }: { readonly registryKey: Uint8Array },
    { random }: { readonly random: Random },
  ) {
    this.#sealer = new Sealer(derivedKey(registryKey, 'work'));
    this.#random = random;
  }

  order(name: OrderName, items: readonly Unprepared[]): Uint8Array {
    return this.#seal(name.order, [FORM, items.map(itemToCbor)]);
  }

  ready(name: OrderName, prepared: readonly Prepared[]): Uint8Array {
    const parts = prepared.map(({ commitment, openings }) => [commitment, encodeOpenings(openings)]);
    return this.#seal(name.ready, [FORM, parts]);
  }

  /** @throws {NodeError} REGISTRY_CORRUPT; SCHEMA_NEWER for an order that another version of this program gave. */
  parseOrder(name: OrderName, sealed: Uint8Array): readonly Unprepared[] {
    return this.#open(name.order, sealed, (reader) => {
      const length = reader.array(6);
      if (length !== 6) throw new RangeError('expected six parts');
      return readItem(reader);
    });
  }

  /** What was prepared for `items`. @throws {NodeError} as `parseOrder`, where it is not for these. */
  parseReady(name: OrderName, sealed: Uint8Array, items: readonly Unprepared[]): readonly Prepared[] {
    const prepared = this.#open(name.ready, sealed, (reader) => {
      if (reader.array(2) !== 2) throw new RangeError('expected two parts');
      const commitment = reader.bytes(HASH_BYTES, HASH_BYTES);
      return { commitment, ...parseOpenings(reader.bytes(1, OPENINGS_BYTES_MAX)) };
    });
    const isFor =
      prepared.length === items.length && items.every((item, i) => isPreparedFor(item, prepared[i]));
    if (!isFor) throw registryCorrupt(`${name.ready} is not what was ordered`);
    return prepared;
  }

  #seal(place: string, value: CborValue): Uint8Array {
    return this.#sealer.seal(place, encodeCbor(value), this.#random(NONCE_BYTES));
  }

  #open<T>(place: string, sealed: Uint8Array, read: (reader: CborReader) => T): T[] {
    const reader = new CborReader(Uint8Array.from(this.#sealer.open(place, sealed)));
    try {
      if (reader.array(2) !== 2) throw new RangeError('expected a form and a list');
      if (reader.uint() !== FORM) throw otherForm();
      const parts = Array.from({ length: reader.array(ORDER_ITEMS_MAX) }, () => read(reader));
      reader.end();
      return parts;
    } catch (error) {
      if (error instanceof NodeError) throw error;
      // Without its cause, which may quote what speaks of a person.
      throw registryCorrupt(`${place} holds no order and nothing prepared`);
    }
  }
}

/** `[ status, holder key, evidence, salt and hash of a document, its country, its number ]`, empty where there is none. */
function itemToCbor({ fields, document }: Unprepared): CborValue {
  const [status = NOTHING] = fieldValues(fields);
  const { holderKey = NOTHING, evidence = NOTHING, document: hashed } = fields;
  const made = hashed === undefined ? NOTHING : Buffer.concat([hashed.salt, hashed.hash]);
  return [status, holderKey, evidence, made, document?.country ?? '', document?.number ?? ''];
}

function readItem(reader: CborReader): Unprepared {
  const status = parseStatus(reader.bytes(1, OPENING_BYTES_MAX));
  const holderKey = optional(reader.bytes(0, HASH_BYTES));
  const evidence = optional(reader.bytes(0, HASH_BYTES));
  const made = optional(reader.bytes(0, SALT_BYTES + HASH_BYTES));
  const country = reader.text(DOCUMENT_TEXT_BYTES_MAX);
  const number = reader.text(DOCUMENT_TEXT_BYTES_MAX);
  const hashed = made && { salt: made.subarray(0, SALT_BYTES), hash: made.subarray(SALT_BYTES) };
  const document: DocumentInput | undefined = country === '' ? undefined : { country, number };
  return { fields: { status, holderKey, evidence, document: hashed }, document };
}

function optional(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === 0 ? undefined : bytes;
}

/** A document's hash has a salt that the worker drew, and is taken on its word. */
function isPreparedFor({ fields, document }: Unprepared, prepared: Prepared | undefined): boolean {
  const values = fieldValues(fields);
  return values.every((value, field) => {
    const opening = prepared?.openings.opened[field];
    if (field === DOCUMENT && document !== undefined) return opening !== undefined;
    if (value === undefined || opening === undefined) return value === opening;
    return equalBytes(opening.subarray(SALT_BYTES), value);
  });
}

const DOCUMENT = 2;

function otherForm(): NodeError {
  return new NodeError('SCHEMA_NEWER', 'the node gives orders in another form than this worker knows', {
    fatal: true,
    hint: 'Run the same version of this program on all machines. Nothing was changed.',
  });
}
