/** Reading a trail from its first line, each held against the one before. */
import { createReadStream } from 'node:fs';
import { NodeError } from '../node-error.ts';
import { isErrno } from '../region/files.ts';
import {
  FIRST_PREVIOUS,
  parseTrailLine,
  TRAIL_LINE_BYTES_MAX,
  type TrailEntry,
  trailHash,
} from './trail-line.ts';

export interface ReadLine {
  readonly entry: TrailEntry;
  /** Of the line, in hexadecimal. */
  readonly hash: string;
}

/**
 * The lines of a trail; none where there is no file. What lies behind the last newline was never acknowledged, and is passed over.
 * @throws {NodeError} DATA_INCONSISTENT naming the first line that is none or does not follow from the one before.
 */
export async function* readTrail(path: string): AsyncGenerator<ReadLine, void, undefined> {
  let n = 0;
  let previous = FIRST_PREVIOUS;
  for await (const line of wholeLines(path)) {
    const entry = parseTrailLine(line);
    if (entry === undefined) throw broken(path, n, 'is no line of a trail');
    if (entry.n !== n) throw broken(path, n, `has the number ${entry.n}`);
    if (entry.prev !== previous) throw broken(path, n, 'does not follow from the line before');
    previous = trailHash(line);
    yield { entry, hash: previous };
    n++;
  }
}

async function* wholeLines(path: string): AsyncGenerator<string, void, undefined> {
  let rest = '';
  try {
    for await (const part of createReadStream(path, 'utf8') as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > TRAIL_LINE_BYTES_MAX) {
        yield rest;
        return;
      }
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function broken(path: string, n: number, how: string): NodeError {
  return new NodeError('DATA_INCONSISTENT', `${path}: line ${n + 1} ${how}`, {
    hint: 'The trail was changed, or the disk is damaged: hold it against a backup.',
  });
}
