/**
 * What a region publishes as static files, as the answers of a peer: its own logs, and what its witness saw of others. Nothing
 * is proven by having been read; no lock is needed, since a file is replaced whole and a checkpoint comes after its tiles.
 */
import { join } from 'node:path';
import { isProtocolError, ProtocolError } from '../../protocol/fault.ts';
import { ENTRY_BYTES_MAX, NOTE_BYTES_MAX } from '../../protocol/limits.ts';
import { parseCheckpoint } from '../../protocol/log/checkpoint.ts';
import { consistencyProof, inclusionProof, rootOf } from '../../protocol/log/merkle-proof.ts';
import { parseNote } from '../../protocol/log/note.ts';
import { isAttestationLogId, parseOrigin } from '../../protocol/log/origin.ts';
import { type LoggedStatement, namingStatements } from '../../protocol/trust/naming.ts';
import { type Entry, parseEntry } from '../../protocol/trust/statement.ts';
import { signerOf } from '../trust/log-keys.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { isNodeError } from '../node-error.ts';
import { type AnswerTo, type LogHeadMessage, type SyncAnswer, type SyncRequest } from '../sync/messages.ts';
import { forkMessage } from '../sync/sync-server.ts';
import { ANSWER_BYTES_MAX, HEADS_MAX, RANGE_BYTES_MAX, RANGE_ENTRIES_MAX } from '../sync/sync-limits.ts';
import { namesIn, readPublishedFile } from './files.ts';
import { attestationLogsPath, cosignaturesPath, trustLogPath } from './layout.ts';
import { LogFiles } from './log-files.ts';
import { readForks } from './published-forks.ts';
import { nothingPublished } from './public-region.ts';

const NOT_THERE = { kind: 'refused', reason: 'not-there' } as const;

export class PublishedRegion {
  readonly path: string;
  readonly #sha256: Sha256;

  /** `path`: of the public directory. */
  constructor(path: string, { sha256 }: { readonly sha256: Sha256 }) {
    this.path = path;
    this.#sha256 = sha256;
  }

  /**
   * @throws {NodeError} PEER_UNREACHABLE if no region publishes there.
   * @throws {ProtocolError} what a note is refused for; TILE_INVALID where files are missing or cut short.
   */
  async answer(request: SyncRequest): Promise<SyncAnswer> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (!isNodeError(error, 'DATA_INCONSISTENT')) throw error;
      throw new ProtocolError('TILE_INVALID', error.message);
    }
  }

  async #answer(request: SyncRequest): Promise<SyncAnswer> {
    if (request.kind === 'heads') return { kind: 'heads', heads: await this.#heads() };
    if (request.kind === 'forks')
      return { kind: 'forks', forks: (await readForks(this.path, request.origin)).map(forkMessage) };
    // What a directory shows are logs.
    if (request.kind === 'evidence') return { kind: 'evidence', files: [] };
    const files = await this.#files(request.origin);
    const note = await files?.checkpoint();
    if (files === undefined || note === undefined) return { kind: 'refused', reason: 'unknown-log' };
    const { size } = parseCheckpoint(parseNote(note).text);
    switch (request.kind) {
      case 'range':
        return request.from < size ? this.#range(files, note, size, request) : NOT_THERE;
      case 'claim':
        return request.size <= size ? this.#claim(files, note, size, request.size) : NOT_THERE;
      case 'naming':
        return { kind: 'naming', statements: await this.#naming(files, note, size), note };
      case 'leaf':
        return request.index < request.size && request.size <= size
          ? this.#leaf(files, size, request)
          : NOT_THERE;
    }
  }

  async #heads(): Promise<LogHeadMessage[]> {
    const trust = await new LogFiles(trustLogPath(this.path)).checkpoint();
    if (trust === undefined) throw nothingPublished(this.path);
    const heads: LogHeadMessage[] = [];
    let bytes = 0;
    for await (const note of this.#notes(trust)) {
      bytes += note.length + ENTRY_BYTES_MAX / HEADS_MAX;
      if (heads.length === HEADS_MAX || bytes > ANSWER_BYTES_MAX / 2) break;
      heads.push({ note, forks: await this.#forks(note) });
    }
    return heads;
  }

  async #forks(note: Uint8Array): Promise<number> {
    const origin = originOfNote(note);
    return origin === undefined ? 0 : (await readForks(this.path, origin)).length;
  }

  /** All that it has signed or cosigned. Notes that are none are left out, but for that of its trust log: without it there is no region. */
  async *#notes(trust: Uint8Array): AsyncGenerator<Uint8Array> {
    yield trust;
    for (const log of await namesIn(attestationLogsPath(this.path))) {
      const note = isAttestationLogId(log) ? await this.#logFiles(log).checkpoint() : undefined;
      if (note !== undefined && originOfNote(note) !== undefined) yield note;
    }
    for await (const [, note] of this.cosignatures()) yield note;
  }

  /** What its witness said of others' logs: origin, and the note. */
  async *cosignatures(): AsyncGenerator<readonly [origin: string, note: Uint8Array]> {
    const folder = cosignaturesPath(this.path);
    for (const region of await namesIn(folder)) {
      const attested = (await namesIn(join(folder, region, 'attest'))).map((log) => join('attest', log));
      for (const name of ['trust', ...attested]) {
        const note = await readPublishedFile(join(folder, region, name), NOTE_BYTES_MAX);
        const origin = note && originOfNote(note);
        if (note !== undefined && origin !== undefined) yield [origin, note];
      }
    }
  }

  /** The files of one of its own logs. */
  async #files(origin: string): Promise<LogFiles | undefined> {
    const asked = parseOrigin(origin);
    const trust = new LogFiles(trustLogPath(this.path));
    const note = await trust.checkpoint();
    if (note === undefined) return undefined;
    const own = parseOrigin(parseCheckpoint(parseNote(note).text).origin);
    if (asked.region !== own.region || asked.network !== own.network) return undefined;
    if (asked.kind === 'attest') return this.#logFiles(asked.log);
    return asked.kind === 'trust' ? trust : undefined;
  }

  #logFiles(log: string): LogFiles {
    return new LogFiles(join(attestationLogsPath(this.path), log));
  }

  async #naming(files: LogFiles, note: Uint8Array, size: number): Promise<LoggedStatement[]> {
    const entries: { readonly index: number; readonly entry: Entry }[] = [];
    let index = 0;
    for await (const bytes of files.entries(0, size, size)) {
      const entry = statementIn(bytes);
      if (entry !== undefined) entries.push({ index, entry });
      index++;
    }
    return namingStatements(entries, signerOf(note, this.#sha256), this.#sha256);
  }

  async #range(
    files: LogFiles,
    note: Uint8Array,
    size: number,
    { from, bytesMax }: { readonly from: number; readonly bytesMax: number },
  ): Promise<AnswerTo<'range'>> {
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for await (const entry of files.entries(from, Math.min(size, from + RANGE_ENTRIES_MAX), size)) {
      entries.push(entry);
      bytes += entry.length;
      if (bytes >= Math.min(bytesMax, RANGE_BYTES_MAX)) break;
    }
    const end = from + entries.length;
    return { kind: 'range', from, entries, note, path: await this.#pathBetween(files, end, size) };
  }

  async #claim(files: LogFiles, note: Uint8Array, newSize: number, size: number): Promise<AnswerTo<'claim'>> {
    const sha256 = this.#sha256;
    const root = await files.withHashes(sha256, size, (source) => rootOf(sha256, size, source), newSize);
    return { kind: 'claim', size, root, path: await this.#pathBetween(files, size, newSize), note };
  }

  async #leaf(
    files: LogFiles,
    treeSize: number,
    { index, size }: { readonly index: number; readonly size: number },
  ): Promise<AnswerTo<'leaf'>> {
    const sha256 = this.#sha256;
    return files.withHashes(
      sha256,
      size,
      (source) => ({
        kind: 'leaf',
        leafHash: source(0, index),
        path: inclusionProof(sha256, { index, size }, source),
      }),
      treeSize,
    );
  }

  async #pathBetween(files: LogFiles, oldSize: number, newSize: number): Promise<Uint8Array[]> {
    if (oldSize === newSize) return [];
    const sha256 = this.#sha256;
    return files.withHashes(sha256, newSize, (source) =>
      consistencyProof(sha256, { oldSize, newSize }, source),
    );
  }
}

/** Undefined for what is no note of a log. */
function originOfNote(bytes: Uint8Array): string | undefined {
  try {
    return parseCheckpoint(parseNote(bytes).text).origin;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}

/** Undefined for one that is none, or of no use for `namingStatements`. */
function statementIn(bytes: Uint8Array): Entry | undefined {
  try {
    const entry = parseEntry(bytes);
    return ['root', 'keys', 'compromise'].includes(entry.statement.kind) ? entry : undefined;
  } catch (error) {
    if (isProtocolError(error)) return undefined;
    throw error;
  }
}
