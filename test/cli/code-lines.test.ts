import assert from 'node:assert/strict';
import { codeLinesOf } from '../../cli/code-lines.ts';

const MAX = 200;

async function texts(input: string): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { text } of codeLinesOf(streamOf(input), MAX)) found.push(text);
  return found;
}

async function* streamOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) yield Uint8Array.of(await Promise.resolve(byte));
}

describe('codeLinesOf', () => {
  it('gives lines as they are', async () => {
    assert.deepEqual(await texts('ENT1:A\r\n\n HC1:B \n{"a":"}{"}\n'), [
      'ENT1:A',
      '',
      ' HC1:B ',
      '{"a":"}{"}',
    ]);
    assert.deepEqual(await texts(''), []);
  });

  it('joins the lines of one object, and goes on behind it', async () => {
    const spread = JSON.stringify({ a: [1, { b: '{"\\' }, {}], c: {}, d: 'ENT1:X' }, undefined, 2)
      .split('\n')
      // A line that is a mere number may be a code.
      .filter((line) => line.trim() !== '1,')
      .join('\n');
    assert.ok(spread.includes('\n'));
    assert.deepEqual(await texts(`ENT1:A\n${spread}\nENT1:B\n${spread}`), [
      'ENT1:A',
      spread,
      'ENT1:B',
      spread,
    ]);
    assert.deepEqual(await texts('{\n\n"a":\n{}\n}\n'), ['{\n\n"a":\n{}\n}']);
    assert.deepEqual(await texts('{\r\n"a":\n"b"\r\n}\r\nENT1:C'), ['{\r\n"a":\n"b"\r\n}', 'ENT1:C']);
  });

  it('gives each line for itself where they are no object together, so that none is lost or waits', async () => {
    for (const lines of [
      ['{', 'ENT1:A', '{"b":1}'],
      ['{', '4711', 'DE-1'],
      ['{', '{"data":1}', 'HC1:B'],
      ['{"a":1', '{"b":1}'],
      ['{"a', '"b":1}'],
      ['{', '"a":1} x', '}'],
      ['{}x', '}'],
      ['{', '"a":1,'],
      ['{', '"', '}'],
      ['{', ...Array.from({ length: 30 }, () => '"abcdef":1,'), '}'],
    ])
      assert.deepEqual(await texts(`${lines.join('\n')}\n`), lines);
    const [, second] = await texts('{\nENT1:A\n{\n}\n');
    assert.equal(second, 'ENT1:A');
  });
});
