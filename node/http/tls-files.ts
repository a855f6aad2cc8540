/** Certificate and key of the public interface, from files that something else renews. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readFileIfPresent } from '../region/files.ts';
import { type Log } from '../logging/log.ts';
import { NodeError } from '../node-error.ts';

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface TlsFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Milliseconds between two looks at the files; 10 s by default. */
  readonly lookMs?: number;
}

const FILE_BYTES_MAX = 262_144;

export class TlsFiles {
  readonly #options: TlsFilesOptions;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #take: ((pair: TlsPair) => void) | undefined;
  #seen = '';

  constructor(options: TlsFilesOptions, { log }: { readonly log: Log }) {
    this.#options = options;
    this.#log = log;
  }

  /** @throws {NodeError} KEY_FILE_MISSING, KEY_FILE_INVALID unless both files are there and belong together. */
  async read(): Promise<TlsPair> {
    const { certFile, keyFile } = this.#options;
    this.#seen = await this.#stamp();
    const [cert, key] = [await textOf(certFile), await textOf(keyFile)];
    try {
      if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
    } catch (error) {
      throw invalid(`${certFile} and ${keyFile} are not a certificate and its key in PEM`, error);
    }
    throw invalid(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
  }

  /** Hands on every new pair, until `unwatch`. A pair that cannot be used is logged, and the one before stays. */
  watch(take: (pair: TlsPair) => void): void {
    const { lookMs = 10_000 } = this.#options;
    this.#take = take;
    this.#timer = setInterval(() => void this.look(), lookMs).unref();
  }

  unwatch(): void {
    clearInterval(this.#timer);
  }

  /** Looks now, as it does by itself every now and then. Never rejects. */
  async look(): Promise<void> {
    try {
      if ((await this.#stamp()) === this.#seen) return;
      this.#take?.(await this.read());
      this.#log.info('a new certificate is in use');
    } catch (error) {
      this.#log.error('the new certificate cannot be used', { error });
    }
  }

  /** Changes whenever one of the files does, also where they are links that are moved on. */
  async #stamp(): Promise<string> {
    const { certFile, keyFile } = this.#options;
    const stats = await Promise.all([certFile, keyFile].map((path) => stat(path).catch(() => undefined)));
    return stats.map((one) => (one === undefined ? '-' : `${one.ino} ${one.size} ${one.mtimeMs}`)).join(' ');
  }
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFileIfPresent(path, FILE_BYTES_MAX);
  if (bytes === undefined) throw new NodeError('KEY_FILE_MISSING', `there is no file ${path}`);
  return Buffer.from(bytes).toString('utf8');
}

function invalid(message: string, cause?: unknown): NodeError {
  return new NodeError('KEY_FILE_INVALID', message, {
    cause,
    hint: 'Name a matching pair in http.tls of entente.yaml.',
  });
}
