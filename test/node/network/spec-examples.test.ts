import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'it-length-prefixed';
import { encodeHello } from '../../../node/network/hello.ts';
import { peerNameOf } from '../../../node/network/peer-name.ts';
import { encodeFrame } from '../../../node/network/result-code.ts';
import { encodeLogRequest } from '../../../node/sync/log-messages.ts';
import { encodeAnswer, encodeRequest } from '../../../node/sync/messages.ts';
import { sha256 } from '../../support/primitives.ts';
import { projectRoot } from '../../support/project.ts';

const ORIGIN = 'DE.demo/trust';
const hello = { network: 'demo', region: 'DE', software: 'entente 0.1.0', versions: [1] };
const busy = encodeAnswer({ kind: 'refused', reason: 'busy' });

describe('The examples of SPEC.md 14', () => {
  /** Without blanks, as the document sets them for reading. */
  const section =
    readFileSync(join(projectRoot, 'SPEC.md'), 'utf8').split('## 14. ')[1]?.replace(/\s+/g, '') ?? '';

  for (const [what, bytes] of [
    ['a frame', encode.single(encodeFrame('end', busy)).subarray()],
    ['a hello', encodeHello({ ...hello, heads: [{ origin: ORIGIN, size: 3 }] })],
    ['a request for heads', encodeRequest({ kind: 'heads' })],
    ['a request for heads but one', encodeRequest({ kind: 'heads', known: sha256(Buffer.from('abc')) })],
    ['a request for a range', encodeRequest({ kind: 'range', origin: ORIGIN, from: 2, bytesMax: 65_536 })],
    ['a request for entries', encodeLogRequest({ kind: 'entries', origin: ORIGIN, from: 0, to: 3 })],
  ] as const) {
    it(`${what} has the bytes that are given there`, () => {
      assert.ok(section.includes(Buffer.from(bytes).toString('hex').toUpperCase()));
    });
  }

  it('the name of a key is the one that is given there', () => {
    assert.ok(section.includes(peerNameOf(new Uint8Array(32).fill(1))));
  });
});
