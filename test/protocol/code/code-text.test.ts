import assert from 'node:assert/strict';
import { codeText, decodeCodeText } from '../../../protocol/code/code-text.ts';
import { type FaultCode, isProtocolError } from '../../../protocol/fault.ts';

function refuses(text: string, code: FaultCode, details: Record<string, number> = {}): void {
  assert.throws(
    () => decodeCodeText(text),
    (error) => {
      assert.ok(isProtocolError(error, code), `${JSON.stringify(text.slice(0, 20))}: ${String(error)}`);
      for (const [name, value] of Object.entries(details)) assert.equal(error.fault.details[name], value);
      assert.ok(!text.includes(':') || !error.message.includes(text), 'the text is not repeated');
      return true;
    },
  );
}

describe('code text', () => {
  it('codeText and decodeCodeText are the reverse of each other', () => {
    const bytes = Uint8Array.of(0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x21, 0x21);
    assert.equal(codeText(bytes), 'ENT1:%69 VD92EX0');
    assert.deepEqual(decodeCodeText('ENT1:%69 VD92EX0'), bytes);
  });

  it('decodeCodeText B1 B2: rejects no text, and nothing behind the prefix', () => {
    refuses('', 'CODE_EMPTY');
    refuses('ENT1:', 'CODE_EMPTY');
  });

  it('decodeCodeText B3: rejects a prefix in other cases and characters in lower case', () => {
    for (const text of ['ent1:6BF', 'Ent1:6BF', 'eNT1:6BF']) refuses(text, 'CODE_UNKNOWN');
    refuses('ENT1:6bF', 'BASE45_MALFORMED', { offset: 1 });
  });

  it('decodeCodeText B4: tells a later version from what is no code', () => {
    for (const version of [0, 2, 9]) {
      refuses(`ENT${version}:`, 'CODE_VERSION_UNKNOWN', { version });
      refuses(`ENT${version}:anything`, 'CODE_VERSION_UNKNOWN', { version });
    }
    for (const text of [
      'HC1:6BF',
      'shc:/5676',
      'ENT',
      'ENT1',
      'ENT2',
      'ENT10:6BF',
      'ENTA:6BF',
      'ENT:6BF',
      ' ENT1:6BF',
      '\ufeffENT1:6BF',
      'ENT\u0661:6BF',
      'ENT2',
      'xENT2:',
    ])
      refuses(text, 'CODE_UNKNOWN');
  });

  it('decodeCodeText B5 B6 B7: rejects what base45 rejects, with the offset behind the prefix', () => {
    refuses('ENT1:A', 'BASE45_MALFORMED', { offset: 0 });
    refuses('ENT1:6BFA', 'BASE45_MALFORMED', { offset: 3 });
    refuses('ENT1::::', 'BASE45_MALFORMED', { offset: 0 });
    refuses('ENT1:6BF::', 'BASE45_MALFORMED', { offset: 3 });
    refuses('ENT1:!é', 'BASE45_MALFORMED', { offset: 0 });
    assert.deepEqual(decodeCodeText('ENT1:FGW'), Uint8Array.of(0xff, 0xff));
    refuses('ENT1:GGW', 'BASE45_MALFORMED', { offset: 0 });
  });

  it('decodeCodeText B8: does not trim', () => {
    for (const end of [' ', '\r\n', '\n', '\t']) refuses(`ENT1:6BF${end}`, 'BASE45_MALFORMED');
    refuses(' ENT1:6BF', 'CODE_UNKNOWN');
    assert.deepEqual(decodeCodeText('ENT1: 00'), Uint8Array.of(0, 36));
  });

  it('decodeCodeText B9: takes 4,296 characters, not one more, and 5 MB no slower', () => {
    const longest = 'ENT1:' + '0'.repeat(4_290);
    assert.equal(decodeCodeText(longest).length, 2_860);
    refuses('ENT1:' + '0'.repeat(4_291), 'BASE45_MALFORMED');
    refuses('ENT1:' + '0'.repeat(4_292), 'TOO_LARGE', { chars: 4_297 });
    refuses('ENT2:' + '0'.repeat(4_292), 'TOO_LARGE');
    refuses('ENT1:' + '0'.repeat(5_000_000), 'TOO_LARGE', { chars: 5_000_005 });
  });

  it('decodeCodeText B17: rejects control and right-to-left characters and never repeats them', () => {
    for (const character of ['\x1b]', '\x1b[2J', '\u202e', '\u2066', '\0', '\x7f', '\u200f']) {
      for (const [text, code] of [
        [`${character}ENT1:6BF`, 'CODE_UNKNOWN'],
        [`ENT1:${character}6BF`, 'BASE45_MALFORMED'],
        [`ENT1:6BF${character}00`, 'BASE45_MALFORMED'],
      ] as const) {
        assert.throws(
          () => decodeCodeText(text),
          (error) => isProtocolError(error, code) && /^[\x20-\x7e]*$/.test(error.message),
        );
      }
    }
  });

  it('codeText throws RangeError on what no reader would take', () => {
    assert.equal(codeText(new Uint8Array(2_860)).length, 4_295);
    assert.throws(() => codeText(new Uint8Array(2_861)), RangeError);
  });
});
