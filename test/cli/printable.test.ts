import assert from 'node:assert/strict';
import { printable, printableLines, shortened } from '../../cli/printable.ts';

describe('printable', () => {
  it('keeps letters of any script and spaces', () => {
    assert.equal(printable('Person 00001, 浙江, Łódź, العربية'), 'Person 00001, 浙江, Łódź, العربية');
  });

  it('B17: shows control characters, escape sequences and turned directions as numbers', () => {
    assert.equal(
      printable('a\u001b]0;x\u0007\r\n\u202e\u2066\u009b\u2028\ufeff\u200b\u007f'),
      'a\\u{1b}]0;x\\u{7}\\u{d}\\u{a}\\u{202e}\\u{2066}\\u{9b}\\u{2028}\\u{feff}\\u{200b}\\u{7f}',
    );
    assert.equal(printable('\ud800'), '\\u{d800}');
  });

  it('B17: shows letters that are drawn as blanks as numbers', () => {
    assert.equal(
      printable('a\u3164\u2800\u115f\u1160\uffa0b'),
      'a\\u{3164}\\u{2800}\\u{115f}\\u{1160}\\u{ffa0}b',
    );
  });

  it('printableLines keeps newlines alone', () => {
    assert.equal(printableLines('a\nb\r\n\tc'), 'a\nb\\u{d}\n\\u{9}c');
  });

  it('shortened ends in an ellipsis only where it cut', () => {
    assert.equal(shortened('12345', 5), '12345');
    assert.equal(shortened('123456', 5), '1234…');
  });
});
