import assert from 'node:assert/strict';
import { isWritten, RepeatedCommitments } from '../../../node/audit/commitment-lint.ts';
import { AuditedFixture, faultsIn, publish } from '../../support/audit-fixture.ts';
import { sha256 } from '../../support/primitives.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const hashOf = (text: string): Uint8Array => sha256(Buffer.from(text));

/** What a region might put into the place of a commitment: 32 bytes that end in these, or begin with them and are filled up. */
function filled(text: string, with_ = 0): Uint8Array {
  const bytes = new Uint8Array(32).fill(with_);
  bytes.set(Buffer.from(text).subarray(0, 32));
  return bytes;
}

function within(hash: Uint8Array, text: string): Uint8Array {
  const bytes = hash.slice();
  bytes.set(Buffer.from(text), 9);
  return bytes;
}

describe('commitments of an attestation log', () => {
  const folder = temporaryFolders();

  const READABLE: Readonly<Record<string, Uint8Array>> = {
    'an identity number, filled up': filled('33010619900101123X'),
    'a telephone number amid random bytes': within(hashOf('salt'), '13800138000'),
    'a name, filled up with spaces': filled('王小明', 0x20),
    'a sentence': Buffer.from('Erika Mustermann, Hauptstrasse 1'),
    'a name in two scripts': Buffer.from('张三丰 born 1990-01-01 Hangzh'),
    nothing: new Uint8Array(32),
  };
  for (const [what, commitment] of Object.entries(READABLE))
    it(`A32 isWritten: ${what}`, () => {
      assert.equal(commitment.length, 32);
      assert.equal(isWritten(commitment), true);
    });

  it('isWritten: ten digits in a row and seven equal bytes may be chance, and no hash of many is written', () => {
    assert.equal(isWritten(within(hashOf('salt'), '1380013800')), false);
    assert.equal(isWritten(within(hashOf('salt'), '\0'.repeat(7))), false);
    for (let i = 0; i < 50_000; i++) assert.equal(isWritten(hashOf(`salted ${i}`)), false);
  });

  it('RepeatedCommitments: names what was there before, wherever that was', () => {
    const repeated = new RepeatedCommitments();
    const both = Buffer.concat([hashOf('one'), hashOf('other')]);
    assert.deepEqual(repeated.take(both, 'log', 0), []);
    const found = repeated.take(Buffer.concat([hashOf('third'), hashOf('one')]), 'log', 256);
    assert.deepEqual(
      found.map(({ code, index }) => [code, index]),
      [['COMMITMENT_REPEATED', 257]],
    );
    assert.match(found[0]?.message ?? '', /as at 0/);
    assert.deepEqual(repeated.take(new Uint8Array(64), 'log', 512), [], 'zeros are none');
  });

  it('RepeatedCommitments: of more than it remembers it still finds some of what is repeated', () => {
    const repeated = new RepeatedCommitments({ max: 64 });
    const all = Array.from({ length: 1_000 }, (_, i) => hashOf(`person ${i}`));
    assert.deepEqual(repeated.take(Buffer.concat(all), 'log', 0), []);
    const again = repeated.take(Buffer.concat(all), 'log', 1_000);
    assert.ok(again.length > 16 && again.length <= 64, `${again.length}`);
  });

  it('A32 an audit fails at what is readable, and at what is committed to twice', async () => {
    const fixture = new AuditedFixture(258);
    fixture.attest({ commitment: filled('33010619900101123X') });
    // Of one person twice, without a salt.
    for (let i = 0; i < 2; i++) fixture.attest({ commitment: hashOf('330106199001011234') });
    fixture.attest({ commitment: hashOf('commitment 3') });
    const directory = folder();
    publish(fixture, directory);
    assert.deepEqual(await faultsIn(directory), [
      'COMMITMENT_READABLE attest 258',
      'COMMITMENT_REPEATED attest 260',
      'COMMITMENT_REPEATED attest 261',
    ]);
  });
});
