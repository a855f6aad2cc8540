import assert from 'node:assert/strict';
import { linesOf } from '../../../node/rows/lines.ts';

async function* pieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function read(content: string | Uint8Array, bytesMax = 10): Promise<(string | undefined)[]> {
  const results: (string | undefined)[][] = [];
  for (const size of [1, 3, 1_000_000]) {
    const lines: (string | undefined)[] = [];
    for await (const { line, text } of linesOf(pieces(Buffer.from(content as string), size), bytesMax)) {
      lines.push(text);
      assert.equal(line, lines.length);
    }
    results.push(lines);
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
  return results[0] ?? [];
}

describe('linesOf', () => {
  it('splits at LF and CRLF, whatever the pieces, and keeps spaces', async () => {
    assert.deepEqual(await read('a \r\n\n b\nc'), ['a ', '', ' b', 'c']);
    assert.deepEqual(await read(''), []);
    assert.deepEqual(await read('\n'), ['']);
  });

  it('gives undefined for a line of one byte too many, and goes on', async () => {
    assert.deepEqual(
      await read(`${'a'.repeat(10)}\r\n${'b'.repeat(11)}\n${'c'.repeat(5_000)}\nd\n${'e'.repeat(12)}`),
      ['a'.repeat(10), undefined, undefined, 'd', undefined],
    );
  });

  it('gives undefined for bytes that are not UTF-8', async () => {
    assert.deepEqual(await read(Buffer.from('ff0a61', 'hex')), [undefined, 'a']);
  });

  it('tells a line that is too long from one that is not UTF-8', async () => {
    const told: boolean[] = [];
    const content = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${'a'.repeat(11)}\nb\n`)]);
    for await (const { isTooLong } of linesOf(pieces(content, 4), 10)) told.push(isTooLong);
    assert.deepEqual(told, [false, true, false]);
  });
});
