/**
 * The enrolled verifiers of a node: for whom numbers are looked up, and whose share is counted. Each has a token that only it knows; here
 * is its hash. In a file of the region's directory, written only by who holds the region open.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { encodeBase64Url } from '../../protocol/encoding/base64-url.ts';
import { NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { readFileIfPresent, writeFileAtomically } from '../region/files.ts';
import { Turns } from '../turns.ts';

/** Verifiers that a node may have: each adds some 150 bytes to the file. */
export const VERIFIERS_MAX = 1_024;
const FILE_BYTES_MAX = 524_288;
const TOKEN_BYTES = 32;
const TOKEN = /^entv_[A-Za-z0-9_-]{43}$/;

export const verifierSchema = z.strictObject({
  name: z.string().refine(isVerifierName, 'expected 1 to 32 of a-z, 0-9 and -, a letter first'),
  /** SHA-256 of the token, in hexadecimal. */
  tokenHash: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
  addedAtS: z.int().min(0),
});
export type Verifier = Readonly<z.infer<typeof verifierSchema>>;

const fileSchema = z.strictObject({
  format: z.literal(1),
  verifiers: z.array(verifierSchema).max(VERIFIERS_MAX),
});

/** Total. */
export function isVerifierName(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(text);
}

/** A token that nobody can guess, for the gate alone. */
export function makeVerifierToken(random: Random): string {
  return `entv_${encodeBase64Url(random(TOKEN_BYTES))}`;
}

/** Total: whether a text has the form of one. */
export function isVerifierToken(text: string): boolean {
  return TOKEN.test(text);
}

export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export class Verifiers {
  readonly #path: string;
  readonly #turns = new Turns();
  #byHash: ReadonlyMap<string, Verifier>;

  private constructor(path: string, all: readonly Verifier[]) {
    this.#path = path;
    this.#byHash = byHash(all);
  }

  /** Those that the file names; none where there is no file. @throws {NodeError} DATA_INCONSISTENT */
  static async open(path: string): Promise<Verifiers> {
    const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
    return new Verifiers(path, bytes === undefined ? [] : parseFile(path, bytes));
  }

  get all(): readonly Verifier[] {
    return [...this.#byHash.values()];
  }

  /** Whose token an `authorization` header has; undefined for nobody's. */
  nameOf(authorization: string): string | undefined {
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    return isVerifierToken(token) ? this.#byHash.get(hashOfToken(token))?.name : undefined;
  }

  /** @throws {NodeError} REFUSED for a name or a token that is there already, or one verifier too many. */
  add(verifier: Verifier): Promise<void> {
    return this.#turns.take('write', async () => {
      const { all } = this;
      if (all.some(({ name }) => name === verifier.name))
        throw refused(
          `there is a verifier ${verifier.name} already`,
          'Choose another name, or remove that one.',
        );
      if (this.#byHash.has(verifier.tokenHash))
        throw refused('another verifier has this token', 'Each has one of its own.');
      if (all.length >= VERIFIERS_MAX)
        throw refused(`a node has at most ${VERIFIERS_MAX} verifiers`, 'Remove those that are gone.');
      await this.#write([...all, verifier]);
    });
  }

  /** @throws {NodeError} NOT_FOUND */
  remove(name: string): Promise<void> {
    return this.#turns.take('write', async () => {
      const left = this.all.filter((one) => one.name !== name);
      if (left.length === this.all.length)
        throw new NodeError('NOT_FOUND', 'there is no verifier of that name', {
          hint: 'See `entente verifier list`.',
        });
      await this.#write(left);
    });
  }

  async #write(all: readonly Verifier[]): Promise<void> {
    const text = `${JSON.stringify({ format: 1, verifiers: all }, undefined, 2)}\n`;
    await writeFileAtomically(this.#path, text, { mode: 0o600 });
    this.#byHash = byHash(all);
  }
}

function byHash(all: readonly Verifier[]): ReadonlyMap<string, Verifier> {
  return new Map(all.map((one) => [one.tokenHash, one]));
}

function parseFile(path: string, bytes: Uint8Array): readonly Verifier[] {
  try {
    return fileSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).verifiers;
  } catch (cause) {
    throw new NodeError('DATA_INCONSISTENT', `${path} does not name verifiers as it should`, {
      cause,
      hint: 'Restore it from a backup; or remove it, and give each gate a new token with `entente verifier add`.',
    });
  }
}

function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', message, { hint });
}
