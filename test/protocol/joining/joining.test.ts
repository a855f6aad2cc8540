import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordsOf } from '../../../node/joining/words.ts';
import { asciiBytes, hexBytes } from '../../../protocol/bytes.ts';
import { encodeCbor } from '../../../protocol/encoding/cbor.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  type Answer,
  confirmationMessage,
  type Invitation,
  openAnswer,
  openInvitation,
  signJoining,
  transcriptOf,
} from '../../../protocol/joining/joining.ts';
import { testKey, verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import { projectRoot } from '../../support/project.ts';

const [de, fr] = [testKey(1), testKey(2)];
const INVITATION: Invitation = {
  kind: 'invitation',
  region: 'DE',
  network: 'demo',
  name: 'Germany',
  fingerprint: new Uint8Array(32).fill(3),
  node: de.publicKey,
  addresses: ['/ip4/192.0.2.1/tcp/4600'],
  http: 'https://de.example',
  from: 1_795_000_000,
  until: 1_795_086_400,
  id: new Uint8Array(16).fill(4),
};
const invited = signJoining(INVITATION, (message) => de.sign(message));
const ANSWER: Answer = {
  kind: 'answer',
  region: 'FR',
  network: 'demo',
  name: 'France',
  fingerprint: new Uint8Array(32).fill(5),
  node: fr.publicKey,
  addresses: [],
  invitation: sha256(invited.bytes),
  at: 1_795_000_060,
  nonce: new Uint8Array(16).fill(6),
};
const answered = signJoining(ANSWER, (message) => fr.sign(message));

describe('joining', () => {
  it('SPEC 20.3 has these bytes', () => {
    const spec = readFileSync(join(projectRoot, 'SPEC.md'), 'utf8').split('\n## 20. ')[1] ?? '';
    const rows = (/```\n([^]*?)\n```/.exec(spec)?.[1] ?? '').split(/\n(?=[a-z])/);
    const example = new Map(
      rows.map((row) => [row.split(' ')[0], row.replace(/^\w+ +/, '').replace(/\s*\n\s*/g, '')]),
    );
    const bytesOf = (name: string) => hexBytes(example.get(name) ?? assert.fail(name));
    assert.deepEqual(bytesOf('invitation'), invited.bytes);
    assert.deepEqual(bytesOf('answer'), answered.bytes);
    const transcript = transcriptOf(sha256, invited.bytes, answered.bytes);
    assert.deepEqual(bytesOf('transcript'), transcript);
    assert.equal(wordsOf(transcript), example.get('words'));
    assert.deepEqual(bytesOf('joining'), fr.sign(confirmationMessage('joining', transcript)));
    assert.deepEqual(bytesOf('inviting'), de.sign(confirmationMessage('inviting', transcript)));
  });

  it('openInvitation and openAnswer give back what was signed, and refuse each other', () => {
    assert.deepEqual(openInvitation(invited.bytes, { verifySignature }).said, INVITATION);
    assert.deepEqual(openAnswer(answered.bytes, { verifySignature }).said, ANSWER);
    const isMalformed = (error: unknown) => isProtocolError(error, 'JOINING_MALFORMED');
    assert.throws(() => openInvitation(answered.bytes, { verifySignature }), isMalformed);
    assert.throws(() => openAnswer(invited.bytes, { verifySignature }), isMalformed);
  });

  const other = (change: Partial<Record<keyof Invitation, unknown>> & Record<string, unknown>) => {
    const body = encodeCbor({ ...INVITATION, ...change } as Parameters<typeof encodeCbor>[0]);
    const label = asciiBytes('entente/joining-invitation/v1\n');
    return encodeCbor([body, de.sign(Buffer.concat([label, body]))]);
  };
  for (const [what, change] of [
    ['a region that is none', { region: 'de' }],
    ['look-alike letters in a region', { region: 'CN-СН' }],
    ['another network form', { network: 'De Mo' }],
    ['no name', { name: '' }],
    ['a name of 65 bytes', { name: 'x'.repeat(65) }],
    ['a fingerprint of 31 bytes', { fingerprint: new Uint8Array(31) }],
    ['nine addresses', { addresses: Array<string>(9).fill('/ip4/192.0.2.1/tcp/4600') }],
    ['an address of 257 bytes', { addresses: ['x'.repeat(257)] }],
    ['an end that is its beginning', { until: INVITATION.from }],
    ['an end 30 days and a second after its beginning', { until: INVITATION.from + 30 * 86_400 + 1 }],
    ['an id of 17 bytes', { id: new Uint8Array(17) }],
    ['a further member', { more: 1 }],
  ] as const) {
    it(`openInvitation refuses ${what}`, () => {
      assert.throws(
        () => openInvitation(other(change), { verifySignature }),
        (error) => isProtocolError(error, 'JOINING_MALFORMED'),
      );
    });
  }

  it('openInvitation takes the largest of each, and refuses a signature by another node and 4,097 bytes', () => {
    const largest = {
      name: 'x'.repeat(64),
      addresses: Array<string>(8).fill('x'.repeat(256)),
      until: INVITATION.from + 30 * 86_400,
    };
    openInvitation(other(largest), { verifySignature });
    assert.throws(
      () => openInvitation(other({ node: fr.publicKey }), { verifySignature }),
      (error) => isProtocolError(error, 'SIGNATURE_INVALID'),
    );
    assert.throws(
      () => openInvitation(new Uint8Array(4_097), { verifySignature }),
      (error) => isProtocolError(error, 'TOO_LARGE'),
    );
  });
});
