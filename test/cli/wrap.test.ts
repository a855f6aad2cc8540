import assert from 'node:assert/strict';
import { wrapped, wrappedCommand } from '../../cli/wrap.ts';

describe('wrapped', () => {
  it('breaks at spaces, keeps 80 columns and indents what follows', () => {
    const line = 'abcd '.repeat(16).trimEnd();
    assert.equal(line.length, 79);
    assert.equal(wrapped(`${line}`), line);
    assert.equal(wrapped(`${line} e`, '  '), `${line}\n  e`);
    assert.equal(wrapped(`x ${'y'.repeat(90)} z`), `x\n${'y'.repeat(90)}\nz`);
    assert.equal(wrapped('  name    what'), '  name    what', 'columns stay');
  });
});

describe('wrappedCommand', () => {
  it('continues with a backslash outside of quotation marks', () => {
    assert.equal(wrappedCommand('entente state DE', '  '), 'entente state DE');
    const command = `entente issue DE --subject 'Person 00001' --colour green --document-number C01X00T47 --paper`;
    const lines = wrappedCommand(command, '  ').split('\n');
    assert.deepEqual(lines, [
      "entente issue DE --subject 'Person 00001' --colour green --document-number \\",
      '  C01X00T47 --paper',
    ]);
    assert.equal(lines.map((line) => line.replace(/ \\$/, '').trim()).join(' '), command);
  });
});
