import assert from 'node:assert/strict';
import fc from 'fast-check';
import { utf8Bytes } from '../../../protocol/encoding/utf8.ts';
import { isProtocolError, type FaultCode } from '../../../protocol/fault.ts';
import { signCheckpoint } from '../../../protocol/log/checkpoint.ts';
import { signCosignature } from '../../../protocol/log/cosignature.ts';
import { encodeNote } from '../../../protocol/log/note.ts';
import { parsePolicy } from '../../../protocol/log/policy.ts';
import {
  encodeLogProof,
  parseLogProof,
  verifyLogProof,
  type LogProof,
} from '../../../protocol/log/tlog-proof.ts';
import { encodeVerifierKey } from '../../../protocol/log/verifier-key.ts';
import { logKey, verifySignature, witnessKey } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { ReferenceTree } from '../../support/reference-tree.ts';

const primitives = { sha256, verifySignature };
const faults = (code: FaultCode) => (error: unknown) => isProtocolError(error, code);
const tree = ReferenceTree.ofSize(9);
const entry = tree.entries[5] as Uint8Array;

const log = logKey('CN-33.demo/trust', 1);
const witnesses = [witnessKey('DE.demo/witness', 2), witnessKey('FR.demo/witness', 3)];
const policy = parsePolicy(
  sha256,
  utf8Bytes(
    [
      `log ${encodeVerifierKey(log.key)}`,
      ...witnesses.map(({ key }, i) => `witness w${i} ${encodeVerifierKey(key)}`),
      'group g all w0 w1',
      'quorum g',
    ].join('\n'),
  ),
);

function checkpointOf(size: number, cosigners = witnesses): Uint8Array {
  const note = signCheckpoint({ origin: log.key.name, size, root: tree.root(size) }, log.key, log.sign);
  const cosignatures = cosigners.map(({ key, sign }) => signCosignature(key, note.text, 1000, sign));
  return encodeNote({ text: note.text, signatures: [...note.signatures, ...cosignatures] });
}

const proof: LogProof = { extra: undefined, index: 5, path: tree.path(5), checkpoint: checkpointOf(9) };
const text = Buffer.from(encodeLogProof(proof)).toString();
const refuses = (proofText: string, code: FaultCode = 'PROOF_INVALID') =>
  assert.throws(
    () => parseLogProof(utf8Bytes(proofText)),
    faults(code),
    JSON.stringify(proofText.slice(0, 80)),
  );

describe('encodeLogProof and parseLogProof', () => {
  it('write the header, the index, the hashes from the leaf, an empty line and the checkpoint', () => {
    const hashes = tree.path(5).map((hash) => Buffer.from(hash).toString('base64'));
    const note = Buffer.from(checkpointOf(9)).toString();
    assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 5\n${hashes.join('\n')}\n\n${note}`);
    assert.deepEqual(parseLogProof(utf8Bytes(text)), proof);
  });

  it('carry extra data, and an empty path', () => {
    const single = { extra: Uint8Array.of(1, 2), index: 0, path: [], checkpoint: checkpointOf(1) };
    const bytes = encodeLogProof(single);
    assert.ok(
      Buffer.from(bytes).toString().startsWith('c2sp.org/tlog-proof@v1\nextra AQI=\nindex 0\n\nCN-33'),
    );
    assert.deepEqual(parseLogProof(bytes), single);
  });

  it('A23: refuse hashes of another length and more than 54', () => {
    const [hash = ''] = text.split('\n').slice(2);
    const withHashes = (lines: readonly string[]) =>
      `c2sp.org/tlog-proof@v1\nindex 0\n${lines.join('\n')}\n\nx`;
    assert.equal(parseLogProof(utf8Bytes(withHashes(Array<string>(54).fill(hash)))).path.length, 54);
    refuses(withHashes(Array<string>(55).fill(hash)));
    for (const bad of [
      'AAAA',
      hash.slice(0, -4),
      `${hash.slice(0, -1)}A`,
      `${hash} `,
      hash.replaceAll(/[+/]/g, '-').replace('A', '_'),
      hash.slice(0, -1),
    ]) {
      refuses(withHashes([bad]));
    }
    const path = Array.from({ length: 55 }, () => new Uint8Array(32));
    assert.throws(() => encodeLogProof({ ...proof, path }), RangeError);
    assert.throws(() => encodeLogProof({ ...proof, path: [new Uint8Array(31)] }), RangeError);
  });

  it('A23: refuse every other way to write an index, and one beyond 2^53-1', () => {
    for (const index of ['05', '+5', '-5', '5 ', '0x5', '5e0', '', ' 5', '5.0', '9'.repeat(21)]) {
      refuses(text.replace('index 5', `index ${index}`));
    }
    assert.equal(
      parseLogProof(utf8Bytes(text.replace('index 5', 'index 9007199254740991'))).index,
      2 ** 53 - 1,
    );
    for (const index of ['9007199254740992', '18446744073709551615']) {
      refuses(text.replace('index 5', `index ${index}`), 'SIZE_INVALID');
    }
    for (const index of [-1, 0.5, 2 ** 53])
      assert.throws(() => encodeLogProof({ ...proof, index }), RangeError);
  });

  it('refuse other headers, missing, repeated and misplaced lines, and CRLF', () => {
    for (const bad of [
      text.replace('@v1', '@v2'), text.replace('c2sp', 'C2SP'), `\n${text}`, ` ${text}`, text.replace('index 5\n', ''),
      text.replace('index 5\n', 'index 5\nindex 5\n'), text.replace('index 5\n', 'index 5\nextra AQI=\n'),
      text.replace('index 5\n', 'extra AQI=\nextra AQI=\nindex 5\n'), text.replaceAll('\n', '\r\n'), '', '\n\n', 'c2sp.org/tlog-proof@v1\n\n',
      text.slice(0, text.indexOf('\n\n') + 1), text.replace('index 5\n', '# why\nindex 5\n'), text.replace('index 5\n', '\nindex 5\n'),
    ]) refuses(bad); // prettier-ignore
  });

  it('A28: refuse extra data that is empty, not canonical or above 4,096 bytes, and proofs above 75,000 bytes', () => {
    const withExtra = (base64: string) => text.replace('index 5\n', `extra ${base64}\nindex 5\n`);
    assert.deepEqual(parseLogProof(utf8Bytes(withExtra('AQI='))).extra, Uint8Array.of(1, 2));
    for (const bad of ['', '=', 'AQJ=', 'AQI', 'AQ-_', 'AQI= ', Buffer.alloc(4097).toString('base64')])
      refuses(withExtra(bad));
    assert.equal(
      parseLogProof(utf8Bytes(withExtra(Buffer.alloc(4096).toString('base64')))).extra?.length,
      4096,
    );
    for (const length of [0, 4097]) {
      assert.throws(() => encodeLogProof({ ...proof, extra: new Uint8Array(length) }), RangeError);
    }
    const ofLength = (length: number) => text + 'x'.repeat(length - utf8Bytes(text).length);
    assert.equal(parseLogProof(utf8Bytes(ofLength(75_000))).index, 5);
    refuses(ofLength(75_001), 'TOO_LARGE');
  });

  it('property: random bytes and lines throw nothing but faults', () => {
    const piece = fc.constantFrom(...text.split('\n').slice(0, 4), 'extra AQI=', '\n', '\n', '\n\n', 'x');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const bytes = utf8Bytes(pieces.join(''));
        try {
          assert.deepEqual(encodeLogProof(parseLogProof(bytes)), bytes);
        } catch (error) {
          assert.ok(isProtocolError(error), String(error));
        }
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) =>
        assert.throws(() => parseLogProof(bytes), faults('PROOF_INVALID')),
      ),
    );
  });
});

describe('verifyLogProof', () => {
  const verify = (changes: Partial<LogProof>, leaf = entry, by = policy) =>
    verifyLogProof(primitives, { ...proof, ...changes }, leaf, by);

  it('proves every entry of every size, and says under which checkpoint', () => {
    for (let size = 1; size <= 9; size++) {
      const checkpoint = checkpointOf(size);
      for (let index = 0; index < size; index++) {
        const proven = verify({ index, path: tree.path(index, size), checkpoint }, tree.entries[index]);
        assert.equal(proven.index, index);
        assert.deepEqual([proven.checkpoint.origin, proven.checkpoint.size], ['CN-33.demo/trust', size]);
        assert.equal(proven.checkpoint.cosignatures.length, 2);
      }
    }
  });

  it('A23: refuses another entry, index, path and checkpoint', () => {
    assert.throws(() => verify({}, tree.entries[4]), faults('PROOF_INVALID'));
    assert.throws(() => verify({ index: 4 }), faults('PROOF_INVALID'));
    assert.throws(() => verify({ index: 9 }), faults('SIZE_INVALID'));
    assert.throws(() => verify({ path: proof.path.slice(1) }), faults('PROOF_INVALID'));
    assert.throws(() => verify({ checkpoint: checkpointOf(8) }), faults('PROOF_INVALID'));
  });

  it('A12, A13: refuses a checkpoint that the log signed and no quorum saw', () => {
    assert.throws(() => verify({ checkpoint: checkpointOf(9, []) }), faults('NOTE_UNSIGNED'));
    const [first] = witnesses;
    assert.ok(first);
    assert.throws(() => verify({ checkpoint: checkpointOf(9, [first, first]) }), faults('NOTE_UNSIGNED'));
  });

  it('A19: refuses a log that the policy does not name', () => {
    const other = parsePolicy(
      sha256,
      utf8Bytes(`log ${encodeVerifierKey(logKey('CN-32.demo/trust', 1).key)}\nquorum none\n`),
    );
    assert.throws(() => verify({}, entry, other), faults('NOTE_UNSIGNED'));
  });

  it('property A23: any flipped bit of the file is refused, up to the unsigned extra data', () => {
    const bytes = utf8Bytes(text);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        assert.throws(
          () => verifyLogProof(primitives, parseLogProof(changed), entry, policy),
          (error) => isProtocolError(error),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
