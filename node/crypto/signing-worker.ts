/** A thread that signs: is told keys, then gets messages, some thousands at a time, and answers with their signatures. */
import { parentPort } from 'node:worker_threads';
import { SIGNATURE_BYTES } from '../../protocol/signature/strict-ed25519.ts';
import { answerJobs } from '../threads/answering-jobs.ts';
import { unpackBytes } from '../threads/packed-bytes.ts';
import { type Signer } from './back-end.ts';
import { openNativeCrypto } from './native.ts';

/** A key to be known from then on or, without `secretKey`, no more; or messages to be signed with one (`packBytes`). */
export type SigningJob =
  | { readonly keyId: string; readonly secretKey?: Uint8Array }
  | { readonly keyId: string; readonly messages: Uint8Array };

const { signerOf } = await openNativeCrypto();
const signers = new Map<string, Signer>();

answerJobs(parentPort, (job: SigningJob) => {
  const signatures = 'messages' in job ? signed(job.keyId, job.messages) : told(job);
  return { answer: signatures, transfer: [signatures.buffer] };
});

function told({ keyId, secretKey }: { readonly keyId: string; readonly secretKey?: Uint8Array }) {
  signers.delete(keyId);
  if (secretKey !== undefined) signers.set(keyId, signerOf(secretKey));
  secretKey?.fill(0);
  return new Uint8Array(0);
}

/** One behind the other; none for a key that is not known. */
function signed(keyId: string, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const signer = signers.get(keyId);
  const messages = signer === undefined ? [] : unpackBytes(packed);
  const signatures = new Uint8Array(messages.length * SIGNATURE_BYTES);
  messages.forEach((message, i) => signer && signatures.set(signer.sign(message), i * SIGNATURE_BYTES));
  return signatures;
}
