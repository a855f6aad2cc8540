/**
 * The part of issuing that needs no place in a log and no key that signs: the hash of a document, salts, openings, commitment. Whoever
 * does it learns what a code will say, and of whom only what the document's number tells.
 */
import {
  type DocumentInput,
  documentHash,
  documentPassword,
  type ScryptParams,
} from '../../protocol/code/document.ts';
import { type Fields, fieldValues, SALT_BYTES } from '../../protocol/code/field.ts';
import { commitFields, type Openings } from '../../protocol/code/openings.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Random } from '../ports.ts';

export interface Unprepared {
  readonly fields: Fields;
  /** The code is for paper: bound to this document, whose hash is still to be made. In place of `fields.document`. */
  readonly document?: DocumentInput | undefined;
}

export interface Prepared {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly openings: Openings;
}

export interface PreparingModules {
  readonly sha256: Sha256;
  readonly random: Random;
  readonly scrypt: (password: Uint8Array, salt: Uint8Array, params: ScryptParams) => Promise<Uint8Array>;
  /** Told how many more documents are hashed, for progress. Must not throw. */
  readonly onHashed?: (documents: number) => void;
}

/** Prepares many; the answers stand in the order of what was asked. */
export type Prepare = (items: readonly Unprepared[]) => Promise<readonly Prepared[]>;

/** Hashes of documents at once: each takes a thread of libuv's pool and 32 MiB. */
const HASHES_AT_ONCE = 4;

/** @throws {TypeError} on fields that have no encoding. @throws {ProtocolError} SCHEMA_INVALID on a document that has none. */
export function requirePreparable({ fields, document }: Unprepared): void {
  fieldValues(fields);
  if (document !== undefined) documentPassword(document);
}

/** All of them in this process. Rejects as `requirePreparable`. */
export async function prepareHere(
  items: readonly Unprepared[],
  { sha256, random, scrypt, onHashed }: PreparingModules,
): Promise<readonly Prepared[]> {
  const prepared = new Array<Prepared>(items.length);
  const onPaper: number[] = [];
  const commit = (at: number, fields: Fields) => (prepared[at] = commitFields(sha256, fields, random));
  items.forEach(({ fields, document }, at) => {
    if (document === undefined) commit(at, fields);
    else onPaper.push(at);
  });
  const hash = async () => {
    for (let at = onPaper.pop(); at !== undefined; at = onPaper.pop()) {
      const { fields, document } = items[at] as Unprepared & { readonly document: DocumentInput };
      const salt = random(SALT_BYTES);
      commit(at, { ...fields, document: { salt, hash: await documentHash(scrypt, document, salt) } });
      onHashed?.(1);
    }
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, hash));
  return prepared;
}
