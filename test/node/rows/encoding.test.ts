import assert from 'node:assert/strict';
import { FileRefused, inUtf8, type Encoding } from '../../../node/rows/encoding.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, encoding: Encoding, size = 3): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of inUtf8(pieces(bytes, size), encoding)) parts.push(part);
  return Buffer.concat(parts).toString();
}

const refusedAt = (line: number) => (error: unknown) =>
  error instanceof FileRefused && error.fault.line === line;
/** 张三, 王五 and, of four bytes, 㐀 in GB18030. */
const NAMES = Buffer.from('d5c5c8fd0acdf5cee50a8139ee390a', 'hex');

describe('inUtf8', () => {
  it('B69: turns GB18030 into UTF-8, wherever the bytes are cut', async () => {
    for (const size of [1, 2, 3, 1_000]) assert.equal(await read(NAMES, 'gb18030', size), '张三\n王五\n㐀\n');
  });

  it('B69: names the line of bytes that are no GB18030', async () => {
    for (const [hex, line] of [
      ['d5c5ff0a', 1],
      ['d5c5c8fd0a410acdff0a', 3],
      ['d5c50ad5', 2],
    ] as const)
      await assert.rejects(read(Buffer.from(hex, 'hex'), 'gb18030'), refusedAt(line), hex);
  });

  it('B69: refuses Chinese in UTF-8 that is given as GB18030, which has no fault there', async () => {
    await assert.rejects(read(Buffer.from('name\n张三\n王五\n'), 'gb18030'), refusedAt(0));
  });

  it('takes ASCII in both', async () => {
    for (const encoding of ['utf-8', 'gb18030'] as const)
      assert.equal(await read(Buffer.from('a,b\n'), encoding), 'a,b\n');
  });

  it('hands UTF-8 on as it is, to be checked cell by cell', async () => {
    assert.equal(await read(Buffer.from('张三'), 'utf-8'), '张三');
  });
});
