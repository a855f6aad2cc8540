/** The secrets of the admin interface: in files that nobody else can read, made where there is none. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Log } from '../logging/log.ts';
import { NodeError } from '../node-error.ts';
import { type Random } from '../ports.ts';
import { modeOf, readFileIfPresent, writeFileAtomically } from '../region/files.ts';
import { Turns } from '../turns.ts';

const SECRET_BYTES = 32;
const FILE_BYTES_MAX = 1_024;
const SECRET = /^[A-Za-z0-9_-]{32,512}$/;
const OTHERS = 0o077;

/**
 * The secret in the file; a new one is made if there is no file.
 * @throws {NodeError} KEY_FILE_MODE if others may read it, KEY_FILE_INVALID if it is not 32 to 512 of `A-Za-z0-9_-`.
 */
export async function openSecret(path: string, random: Random): Promise<string> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined) {
    const secret = Buffer.from(random(SECRET_BYTES)).toString('base64url');
    await writeFileAtomically(path, `${secret}\n`, { mode: 0o600 });
    return secret;
  }
  const mode = (await modeOf(path)) ?? 0;
  if ((mode & OTHERS) !== 0) {
    throw new NodeError('KEY_FILE_MODE', `${path} can be read by others: its mode is ${mode.toString(8)}`, {
      hint: `Run chmod 600 ${path}, and remove it if somebody may have read it: a new one is made.`,
    });
  }
  const secret = Buffer.from(bytes).toString('latin1').trim();
  if (SECRET.test(secret)) return secret;
  throw new NodeError('KEY_FILE_INVALID', `${path} holds no secret of 32 to 512 letters, digits, _ and -`, {
    hint: 'Remove it: a new one is made at the next start, or by SIGHUP.',
  });
}

export interface SecretFileModules {
  readonly random: Random;
  readonly log: Log;
}

/** The secret that counts: what stood in its file when that was last read. */
export class SecretFile {
  readonly #path: string;
  readonly #modules: SecretFileModules;
  readonly #turns = new Turns();
  #secret: string;

  private constructor(path: string, secret: string, modules: SecretFileModules) {
    this.#path = path;
    this.#secret = secret;
    this.#modules = modules;
  }

  /** Rejects as `openSecret`. */
  static async open(path: string, modules: SecretFileModules): Promise<SecretFile> {
    return new SecretFile(path, await openSecret(path, modules.random), modules);
  }

  /** As `bears`, of the secret that counts now. */
  bears(header: string | undefined): boolean {
    return bears(header, this.#secret);
  }

  /** Reads the file again. One that `openSecret` does not take is logged, and the secret before it counts on. Never rejects. */
  reload(): Promise<void> {
    return this.#turns.take('', async () => {
      const { random, log } = this.#modules;
      const file = this.#path;
      try {
        const secret = await openSecret(file, random);
        if (secret === this.#secret) return;
        this.#secret = secret;
        log.info('a new secret is in use', { file });
      } catch (error) {
        log.error('the new secret cannot be used', { file, error });
      }
    });
  }
}

/** Whether an `Authorization` header bears the secret. Takes the same time wherever they differ. */
export function bears(header: string | undefined, secret: string): boolean {
  const [, given] = /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(header ?? '') ?? [];
  return timingSafeEqual(digest(given ?? ''), digest(secret)) && given !== undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
