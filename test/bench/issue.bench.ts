import { randomFillSync } from 'node:crypto';
import { encodeAttestation } from '../../protocol/code/attestation-draft.ts';
import { attestationMessage, parseAttestation } from '../../protocol/code/attestation.ts';
import { codeText } from '../../protocol/code/code-text.ts';
import { encodeCode } from '../../protocol/code/code.ts';
import { commitFields } from '../../protocol/code/openings.ts';
import { Frontier } from '../../protocol/log/frontier.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { sha256 as plainSha256 } from '../support/primitives.ts';
import { type Bench, interleaved, perSecond } from './bench.ts';
import { nativeModules } from './federation.ts';

const INPUTS = 100_000;
const WARM_UP = 5_000;
const ROUNDS = 20;
const HOUR = 498_900;
const NETWORK = 'bench';

/** Random bytes drawn by the page: a system call each time would be a third of the cost. */
function pooledRandom(): (length: number) => Uint8Array {
  const pool = new Uint8Array(64 * 1024);
  let used = pool.length;
  return (length) => {
    if (used + length > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += length;
    return pool.slice(used - length, used);
  };
}

export const issueBench: Bench = {
  name: 'issue',
  about:
    '100,000 codes issued in memory (salts, commitment, attestation, signature, leaf, tree, code text), against the bare signatures',
  async run() {
    const { sha256, signerOf, name } = await nativeModules();
    const signer = signerOf(plainSha256(Uint8Array.of(1)));
    const keyId = keyIdOf(sha256, signer.publicKey);
    const sign = (message: Uint8Array) => signer.sign(message);
    const random = pooledRandom();
    const tree = Frontier.empty(sha256);
    const issue = (index: number): number => {
      const status = {
        colour: 'green',
        measure: 'none',
        expiresAtS: HOUR * 3_600 + 604_800,
        ruleId: 'baseline',
        ruleVersion: 1,
      } as const;
      const evidence = random(32);
      const { commitment, openings } = commitFields(sha256, { status, evidence }, random);
      const claims = { region: 'CN-33', log: '2026-11', index, hour: HOUR, commitment };
      const attestation = encodeAttestation(claims, keyId, NETWORK, sign);
      tree.append(leafHash(sha256, attestation));
      return codeText(encodeCode(sha256, attestation, openings, ['status'])).length;
    };
    const messages = Array.from({ length: INPUTS + WARM_UP }, (_, index) => {
      const claims = { region: 'CN-33', log: '2026-11', index, hour: HOUR, commitment: random(32) };
      const unsigned = encodeAttestation(claims, keyId, NETWORK, () => new Uint8Array(64));
      return attestationMessage(parseAttestation(unsigned), NETWORK);
    });
    const over = (work: (index: number) => number) => (from: number, to: number) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += work(i);
      return sum;
    };
    const taken = interleaved(
      [
        { name: 'sign', work: over((i) => sign(messages[i] as Uint8Array).length) },
        { name: 'issue', work: over(issue) },
      ],
      { inputs: INPUTS, warmUp: WARM_UP, rounds: ROUNDS },
    );
    const seconds = (version: string) => taken.get(version)?.seconds ?? NaN;
    return [
      { name: `signature only (${name})`, value: perSecond(INPUTS, seconds('sign')) },
      {
        name: 'code issued',
        value: perSecond(INPUTS, seconds('issue')),
        ratio: seconds('sign') / seconds('issue'),
        of: 'signature only',
      },
    ];
  },
};
