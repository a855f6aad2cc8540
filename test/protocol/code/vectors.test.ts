import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { scrypt } from '../../../node/crypto/scrypt.ts';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { attestationMessage } from '../../../protocol/code/attestation.ts';
import { parseCode } from '../../../protocol/code/code.ts';
import { commitmentOf, type Openings } from '../../../protocol/code/commitment.ts';
import { documentHash } from '../../../protocol/code/document.ts';
import { paddingCommitment } from '../../../protocol/code/padding.ts';
import { gradeOf } from '../../../protocol/code/presentation.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import { leafHash } from '../../../protocol/log/merkle.ts';
import { verifyWithNoble } from '../../../protocol/signature/noble.ts';
import {
  CODE_VECTOR_FILE,
  type CodeReading,
  type CodeVector,
  readCodeVectors,
} from '../../support/code-vectors.ts';
import { sha256 } from '../../support/primitives.ts';
import { codeVectorText } from '../../vectors/generate/code.ts';
import { statusVector } from '../../vectors/generate/code-craft.ts';

const { codes, commitments, padding, documents, grades } = readCodeVectors();

function isGood(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verifyWithNoble({ publicKey, message, signature });
}

/** Everything that the parser finds, in the form of the vectors. */
function readingOf({ text, network, publicKey }: CodeVector): CodeReading {
  const { attestation, status, holderKey, document, evidence, presentation } = parseCode(sha256, text);
  const { region, log, index, hour, commitment, keyId, signature, bytes } = attestation;
  const message = attestationMessage(attestation, network);
  return {
    region,
    log,
    index,
    hour,
    commitment: hexOf(commitment),
    keyId,
    attestation: hexOf(bytes),
    leaf: hexOf(leafHash(sha256, bytes)),
    message: hexOf(message),
    signature: hexOf(signature),
    signatureGood: isGood(hexBytes(publicKey), message, signature),
    status: statusVector(status),
    ...(holderKey && { holderKey: hexOf(holderKey) }),
    ...(document && { document: { salt: hexOf(document.salt), hash: hexOf(document.hash) } }),
    ...(evidence && { evidence: hexOf(evidence) }),
    ...(presentation &&
      holderKey && {
        presentation: {
          step: presentation.step,
          challenge: hexOf(presentation.challenge),
          message: hexOf(presentation.message),
          signature: hexOf(presentation.signature),
          signatureGood: isGood(holderKey, presentation.message, presentation.signature),
        },
      }),
  };
}

describe('vectors/code.json', () => {
  it('is what its script makes', () => {
    assert.equal(readFileSync(CODE_VECTOR_FILE, 'utf8'), codeVectorText());
  });

  it('has at least as many bad cases as good ones, and no name twice', () => {
    const good = codes.filter(({ expect }) => {
      if ('fault' in expect) return false;
      return expect.signatureGood && expect.presentation?.signatureGood !== false;
    });
    assert.ok(good.length > 0 && codes.length - good.length >= good.length);
    assert.equal(new Set(codes.map(({ name }) => name)).size, codes.length);
  });

  for (const vector of codes) {
    const { name, text, expect } = vector;
    if ('fault' in expect) {
      it(`parseCode refuses as ${expect.fault}: ${name}`, () => {
        assert.throws(
          () => parseCode(sha256, text),
          (error) => isProtocolError(error, expect.fault) || assert.fail(String(error)),
        );
      });
    } else {
      it(`parseCode reads: ${name}`, () => assert.deepEqual(readingOf(vector), expect));
    }
  }

  for (const { name, fields, commitment } of commitments) {
    it(`commitmentOf: ${name}`, () => {
      const openings: Openings = {
        opened: fields.map((field) => ('leaf' in field ? undefined : hexBytes(field.salt + field.value))),
        unused: fields.map((field) => ('leaf' in field ? hexBytes(field.leaf) : undefined)),
      };
      assert.equal(hexOf(commitmentOf(sha256, openings)), commitment);
    });
  }

  it('paddingCommitment', () => {
    for (const { secret, commitment } of padding) {
      const made = () => hexOf(paddingCommitment(sha256, hexBytes(secret)));
      if (commitment !== null) assert.equal(made(), commitment);
      else assert.throws(made, RangeError, secret);
    }
  });

  it('documentHash', () => {
    for (const { country, number, salt, hash } of documents) {
      const made = () => hexOf(documentHash(scrypt, { country, number }, hexBytes(salt)));
      if (hash !== null) assert.equal(made(), hash, number);
      else assert.throws(made, (error) => isProtocolError(error, 'SCHEMA_INVALID'), number);
    }
  });

  it('T7: gradeOf', () => {
    for (const { step, challenge, given, now, grade } of grades) {
      const claims = { step, challenge: hexBytes(challenge) };
      const answer = gradeOf(claims, given === null ? undefined : hexBytes(given), now);
      assert.equal(answer.grade, grade, `${now - 30 * step} s, ${challenge}, ${given}`);
    }
  });
});
