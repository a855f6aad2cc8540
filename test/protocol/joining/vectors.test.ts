import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hexBytes, hexOf } from '../../../protocol/bytes.ts';
import { isProtocolError } from '../../../protocol/fault.ts';
import {
  confirmationMessage,
  openAnswer,
  openInvitation,
  transcriptOf,
} from '../../../protocol/joining/joining.ts';
import { verifySignature } from '../../support/keys.ts';
import { sha256 } from '../../support/primitives.ts';
import {
  JOINING_VECTOR_FILE,
  joiningVectorText,
  type MeetingVector,
  type SaidVector,
} from '../../vectors/generate/joining.ts';

const text = readFileSync(JOINING_VECTOR_FILE, 'utf8');
const { said, meetings } = JSON.parse(text) as { said: SaidVector[]; meetings: MeetingVector[] };

function opened({ kind, bytes }: Pick<SaidVector, 'kind' | 'bytes'>) {
  return (kind === 'invitation' ? openInvitation : openAnswer)(hexBytes(bytes), { verifySignature });
}

describe('test/vectors/joining.json', () => {
  it('is what its script makes', () => assert.equal(text, joiningVectorText()));

  it('has at least as many bad cases as good ones', () => {
    const good = said.filter(({ fault }) => fault === undefined).length;
    assert.ok(good > 0 && said.length >= 2 * good);
  });

  for (const vector of said)
    it(`${vector.fault ?? 'read'}: ${vector.name}`, () => {
      const { fault } = vector;
      if (fault !== undefined)
        assert.throws(
          () => opened(vector),
          (error) => isProtocolError(error, fault),
        );
      else {
        const found = Object.entries(opened(vector).said).map(([name, value]) => [
          name,
          value instanceof Uint8Array ? hexOf(value) : (value as unknown),
        ]);
        assert.deepEqual(Object.fromEntries(found), vector.said);
      }
    });

  for (const { name, invitation, answer, joining, inviting, transcript, areConfirmed } of meetings)
    it(`meeting: ${name}`, () => {
      const found = transcriptOf(sha256, hexBytes(invitation), hexBytes(answer));
      assert.equal(hexOf(found), transcript);
      const nodes = [
        opened({ kind: 'answer', bytes: answer }),
        opened({ kind: 'invitation', bytes: invitation }),
      ].map((one) => one.said.node);
      const good = (['joining', 'inviting'] as const).map((side, i) =>
        verifySignature({
          publicKey: nodes[i] ?? assert.fail(),
          message: confirmationMessage(side, found),
          signature: hexBytes({ joining, inviting }[side]),
        }),
      );
      assert.deepEqual(good, areConfirmed);
    });
});
