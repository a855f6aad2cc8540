/** A witness that is no region of the network, and policies that ask for it. */
import { type Clock, type HttpPost } from '../../node/ports.ts';
import { ADD_CHECKPOINT_BYTES_MAX } from '../../node/witness/add-checkpoint.ts';
import { Witness } from '../../node/witness/witness.ts';
import { WitnessDesk } from '../../node/witness/witness-desk.ts';
import { utf8Bytes } from '../../protocol/encoding/utf8.ts';
import { signCosignature } from '../../protocol/log/cosignature.ts';
import { encodeNote, parseNote } from '../../protocol/log/note.ts';
import { type Policy, parsePolicy } from '../../protocol/log/policy.ts';
import { type NoteSignature } from '../../protocol/log/signature-line.ts';
import { encodeVerifierKey, type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { testKey, verifySignature, witnessKey } from './keys.ts';
import { MemorySecondPlace } from './memory-second-place.ts';
import { sha256 } from './primitives.ts';
import { medium, startedStore } from './store-fixture.ts';

const { key, sign } = witnessKey('w.example/witness', 77);

export const OUTSIDE = key;
export const OUTSIDE_VKEY = encodeVerifierKey(key);

/** It asks for this witness alone. */
export const OUTSIDE_POLICY = `witness w ${OUTSIDE_VKEY}\nquorum w\n`;

export const OUTSIDE_URL = 'http://w.example/tlog';

/** The same, and where it is asked. */
export const ADDRESSED_POLICY = `witness w ${OUTSIDE_VKEY} ${OUTSIDE_URL}\nquorum w\n`;

/** The witness outside as it is asked by HTTP. */
export interface OutsideDesk {
  readonly post: HttpPost;
  /** Of each request the first line, whether a proof follows, and the size of the checkpoint. */
  readonly asked: string[];
  readonly stop: () => Promise<void>;
}

/** It knows logs by `keysOf`, and remembers what it cosigned. */
export async function outsideDesk(
  clock: Clock,
  keysOf: (origin: string) => readonly VerifierKey[] | undefined,
): Promise<OutsideDesk> {
  const store = await startedStore(medium());
  const witness = new Witness(
    { name: OUTSIDE.name },
    {
      store,
      secondPlace: new MemorySecondPlace(),
      clock,
      sha256,
      verifySignature,
      key: () => testKey(77),
      vet: () => ({ isFolded: true, objection: undefined }),
      keysOf,
    },
  );
  const desk = new WitnessDesk({ witness, unproven: { hear: () => Promise.resolve() } });
  const asked: string[] = [];
  return {
    asked,
    post: async (url, request) => {
      const [head = '', checkpoint = ''] = Buffer.from(request).toString().split('\n\n');
      const [old = '', ...hashes] = head.split('\n');
      const [, size = ''] = checkpoint.split('\n');
      asked.push(`${old}${hashes.length > 0 ? ' proven' : ''} to ${size}`);
      if (url !== `${OUTSIDE_URL}/add-checkpoint` || request.length > ADD_CHECKPOINT_BYTES_MAX)
        throw new TypeError(`nobody is at ${url}`);
      const { status, body } = await desk.replyTo(request);
      const type = status === 409 ? 'text/x.tlog.size' : 'text/plain';
      return { status, type, body: utf8Bytes(body) };
    },
    stop: () => store.stop(),
  };
}

export function outsideLine(text: string, atS: number): NoteSignature {
  return signCosignature(key, text, atS, sign);
}

/** The note with one more line. */
export function cosignedOutside(note: Uint8Array, atS: number): Uint8Array {
  const { text, signatures } = parseNote(note);
  return encodeNote({ text, signatures: [...signatures, outsideLine(text, atS)] });
}

export function policyOf(text: string): Policy {
  return parsePolicy(sha256, utf8Bytes(text));
}

export function witnessPolicyOf(text: string, network: string): WitnessPolicy {
  return new WitnessPolicy(policyOf(text), { network }, { sha256 });
}
