/**
 * Signatures of big batches, made on a second thread while this one prepares the next: they are the largest part of issuing, and need nothing but
 * the key. Ed25519 is deterministic, so that it tells nobody which thread made one. Whatever that thread does not answer is signed here. Owner of the
 * thread and of the secret keys that it is told.
 */
import { extname } from 'node:path';
import { SIGNATURE_BYTES } from '../../protocol/signature/strict-ed25519.ts';
import {
  helperScript,
  HelperThread,
  type HelperThreadModules,
  type SpawnHelper,
} from '../threads/helper-thread.ts';
import { packBytes } from '../threads/packed-bytes.ts';
import { type Signer } from './back-end.ts';
import { type SigningJob } from './signing-worker.ts';

/** What signs so many messages, in their order; undefined where they are to be signed one by one for now. */
export type SignerOfMany = (count: number) => SignMany | undefined;
export type SignMany = (messages: readonly Uint8Array[]) => Promise<Uint8Array[]>;

export interface SigningThreadModules extends Pick<HelperThreadModules, 'onTrouble' | 'nowMs'> {
  /** Undefined where there is no processor for a second thread. */
  readonly spawn?: SpawnHelper;
}

/** Messages for which the thread is started, which takes as long as to sign thousands; and for which one that runs is asked. */
const STARTED_FOR = 2_048;
const ASKED_FOR = 256;
/** Messages of one job: what comes back is used while the thread signs the next. */
const TOGETHER = 2_048;
/** Signed here before others get a turn: some 5 ms of work. */
const SLICE = 256;
/** Milliseconds without work after which the thread ends, and with it the keys that it knows. */
const IDLE_MS = 30_000;
/** Milliseconds without an answer after which the thread is given up: a hundred times what a job takes. */
const SILENT_MS = 10_000;
const SPAWN = helperScript(
  new URL(`./signing-worker${extname(import.meta.url)}`, import.meta.url),
  'signing',
);

export class SigningThread {
  readonly #thread: HelperThread<SigningJob, Uint8Array>;
  readonly #secretKeys = new Map<string, Uint8Array>();
  /** Key ids that the thread has been told, and whether it has said so. */
  readonly #told = new Map<string, 'asked' | 'known'>();

  constructor(modules: SigningThreadModules = {}) {
    const spawn = 'spawn' in modules ? modules.spawn : SPAWN;
    const { onTrouble, nowMs } = modules;
    const onEnd = () => this.#told.clear();
    this.#thread = new HelperThread(
      { name: 'signatures', idleMs: IDLE_MS, silentMs: SILENT_MS },
      { spawn, onEnd, onTrouble, nowMs },
    );
  }

  /** `secretKey`: 32 bytes, copied; `signer` is that of the same key. */
  signerOfMany(keyId: string, secretKey: Uint8Array, signer: Signer): SignerOfMany {
    this.#secretKeys.set(keyId, secretKey.slice());
    return (count) => {
      if (count < (this.#told.size === 0 ? STARTED_FOR : ASKED_FOR)) return undefined;
      if (this.#told.get(keyId) === 'known') return (messages) => this.#signMany(keyId, messages, signer);
      void this.#introduce(keyId);
      return undefined;
    };
  }

  /** Wipes a key that is to sign nothing more. */
  forget(keyId: string): void {
    this.#secretKeys.get(keyId)?.fill(0);
    this.#secretKeys.delete(keyId);
    if (this.#told.delete(keyId)) void this.#thread.ask({ keyId });
  }

  /** Ends the thread and wipes all keys; what was in hand is signed here. Safe to call twice. */
  async stop(): Promise<void> {
    for (const secretKey of this.#secretKeys.values()) secretKey.fill(0);
    this.#secretKeys.clear();
    await this.#thread.stop();
  }

  async #introduce(keyId: string): Promise<void> {
    const secretKey = this.#secretKeys.get(keyId);
    if (secretKey === undefined || this.#told.has(keyId)) return;
    this.#told.set(keyId, 'asked');
    const answer = await this.#thread.ask({ keyId, secretKey });
    if (answer === undefined) this.#told.delete(keyId);
    else if (this.#told.has(keyId)) this.#told.set(keyId, 'known');
  }

  async #signMany(keyId: string, messages: readonly Uint8Array[], signer: Signer): Promise<Uint8Array[]> {
    const jobs: {
      readonly messages: readonly Uint8Array[];
      readonly answer: Promise<Uint8Array | undefined>;
    }[] = [];
    for (let at = 0; at < messages.length; at += TOGETHER) {
      const some = messages.slice(at, at + TOGETHER);
      const packed = packBytes(some);
      jobs.push({ messages: some, answer: this.#thread.ask({ keyId, messages: packed }, [packed.buffer]) });
    }
    const signatures: Uint8Array[] = [];
    for (const { messages: some, answer } of jobs) {
      const made = await answer;
      if (made?.length === some.length * SIGNATURE_BYTES) {
        for (let at = 0; at < made.length; at += SIGNATURE_BYTES)
          signatures.push(made.subarray(at, at + SIGNATURE_BYTES));
        continue;
      }
      if (this.#told.get(keyId) === 'known') this.#told.delete(keyId);
      for (const [i, message] of some.entries()) {
        if (i % SLICE === SLICE - 1) await new Promise(setImmediate);
        signatures.push(signer.sign(message));
      }
    }
    return signatures;
  }
}
