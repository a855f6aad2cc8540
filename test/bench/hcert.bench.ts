import { type ForeignCheck } from '../../protocol/foreign/signature-check.ts';
import { foreignChecksOf, ForeignKeys } from '../../protocol/foreign/foreign-keys.ts';
import { INFLATED_BYTES_MAX } from '../../protocol/foreign/foreign-limits.ts';
import { judgeForeign } from '../../protocol/foreign/foreign-verdict.ts';
import { parseHcert, unwrapHcert } from '../../protocol/foreign/hcert.ts';
import { nativeForeignPrimitives as primitives } from '../../node/crypto/foreign-primitives.ts';
import { encodeBase64 } from '../../protocol/encoding/base64.ts';
import { makeEcSigner } from '../support/foreign-keys.ts';
import { hcertKey, ISSUED_S, makeHcert, VACCINATION } from '../support/hcert-fixture.ts';
import { type Bench, interleaved, perSecond } from './bench.ts';

const INPUTS = 100_000;
const WARM_UP = 2_000;
const ROUNDS = 20;
/** Signers, as many as a federation of states has. */
const SIGNERS = 200;

function prepare(progress: (text: string) => void) {
  const signers = Array.from({ length: SIGNERS }, (_, i) => ({
    signer: makeEcSigner(),
    keyId: Uint8Array.of(i >> 8, i & 0xff, 2, 3, 4, 5, 6, 7),
  }));
  const keys = new ForeignKeys(
    signers.map(({ signer, keyId }) => hcertKey(signer, { keyId: encodeBase64(keyId) })),
  );
  const texts = Array.from({ length: INPUTS + WARM_UP }, (_, i) => {
    const { signer, keyId } = signers[i % SIGNERS] ?? signers[0]!;
    if ((i + 1) % 34_000 === 0) progress(`${i + 1} certificates made`);
    const certificate = { ...VACCINATION, v: [{ ...VACCINATION.v[0], ci: `URN:UVCI:01:AT:${i}#A` }] };
    const protectedHeader = new Map<number, unknown>([
      [1, -7],
      [4, keyId],
    ]);
    return makeHcert(signer, { certificate, protectedHeader });
  });
  return { keys, texts };
}

/** The steps of `verifyForeign`, without its promises: those of this machine's primitives answer at once. */
function read(text: string) {
  return parseHcert(primitives.inflate(unwrapHcert(text), 'zlib', INFLATED_BYTES_MAX));
}

function isGenuine(text: string, keys: ForeignKeys): boolean {
  const code = read(text);
  const candidates = keys.candidatesFor(code);
  const results = foreignChecksOf(code, candidates).map(primitives.verifyForeign);
  return judgeForeign(code, candidates, results, ISSUED_S).outcome === 'genuine';
}

export const hcertBench: Bench = {
  name: 'hcert',
  about: `${INPUTS.toLocaleString('en-US')} distinct health certificates (HC1, ES256) of ${SIGNERS} signers, judged whole from their text, against checking only the signatures of the same certificates; one core`,
  run(progress) {
    const { keys, texts } = prepare(progress);
    const checks = texts.map((text) => {
      const code = read(text);
      return foreignChecksOf(code, keys.candidatesFor(code))[0] as ForeignCheck;
    });
    const counting = (isGood: (index: number) => boolean) => (from: number, to: number) => {
      let good = 0;
      for (let i = from; i < to; i++) if (isGood(i)) good++;
      return good;
    };
    const taken = interleaved(
      [
        { name: 'signature', work: counting((i) => primitives.verifyForeign(checks[i] as ForeignCheck)) },
        { name: 'whole', work: counting((i) => isGenuine(texts[i] ?? '', keys)) },
      ],
      { inputs: INPUTS, warmUp: WARM_UP, rounds: ROUNDS },
    );
    const seconds = (name: string) => {
      const { seconds: value, checksum } = taken.get(name) ?? { seconds: NaN, checksum: 0 };
      if (checksum !== INPUTS) throw new Error(`${name}: ${checksum} of ${INPUTS} are genuine`);
      return value;
    };
    return Promise.resolve([
      { name: 'signature only (openssl)', value: perSecond(INPUTS, seconds('signature')) },
      {
        name: 'certificate judged whole',
        value: perSecond(INPUTS, seconds('whole')),
        ratio: seconds('signature') / seconds('whole'),
        of: 'signature only',
        floor: '4,000/s',
      },
    ]);
  },
};
