import { ANY_PLACE, parseCode, verify } from '../../protocol/index.ts';
import { checksOf } from '../../protocol/verdict/judge.ts';
import { type SignatureCheck } from '../../protocol/primitives.ts';
import { keyNamed, presentCode } from '../support/code-fixture.ts';
import { Federation, NOW_S } from '../support/snapshot-fixture.ts';
import { type Bench, interleaved, perSecond } from './bench.ts';
import { nativeModules, regionNames } from './federation.ts';

const INPUTS = 100_000;
const WARM_UP = 5_000;
const ROUNDS = 20;
/** Devices: a gate meets most of them once. */
const DEVICES = 1_000;

async function prepare(progress: (text: string) => void) {
  const modules = await nativeModules();
  const federation = new Federation(...regionNames);
  const home = regionNames[0] ?? '';
  const issuers = regionNames.slice(1);
  for (const name of issuers) {
    federation.region(name).revoke(Array.from({ length: 1_000 }, (_, i) => INPUTS + WARM_UP + 7 * i));
  }
  const { trust } = federation.apply(home, await federation.snapshot()).holdings;
  const statics: string[] = [];
  const lives: string[] = [];
  for (let index = 0; index < INPUTS + WARM_UP; index++) {
    const device = keyNamed(`device ${index % DEVICES}`);
    const issuer = issuers[index % issuers.length] ?? '';
    const code = federation.issue(issuer, index, { fields: { holderKey: device.publicKey } });
    statics.push(code.text);
    lives.push(presentCode(code, device, NOW_S));
    if ((index + 1) % 35_000 === 0) progress(`${index + 1} codes and presentations made`);
  }
  return { modules, trust, statics, lives };
}

export const verifyBench: Bench = {
  name: 'verify',
  about:
    '100,000 distinct codes of 33 regions, judged whole (parse, commitment, signatures, trust, revocation, ages), against checking only the issuer signatures of the same codes; one core',
  async run(progress) {
    const { modules, trust, statics, lives } = await prepare(progress);
    const context = { place: ANY_PLACE, mode: 'offline' } as const;
    const checks = statics.map((text) => {
      const [check] = checksOf(parseCode(modules.sha256, text), trust);
      if (check === undefined) throw new Error('expected a known issuer');
      return check;
    });
    const passes = (texts: readonly string[]) => (from: number, to: number) => {
      let passed = 0;
      for (let i = from; i < to; i++) {
        if (verify(modules, texts[i] ?? '', trust, context, NOW_S).outcome === 'pass') passed++;
      }
      return passed;
    };
    const taken = interleaved(
      [
        {
          name: 'signature',
          work: (from, to) => {
            let good = 0;
            for (let i = from; i < to; i++) if (modules.verifySignature(checks[i] as SignatureCheck)) good++;
            return good;
          },
        },
        { name: 'static', work: passes(statics) },
        { name: 'live', work: passes(lives) },
      ],
      { inputs: INPUTS, warmUp: WARM_UP, rounds: ROUNDS },
    );
    const seconds = (name: string) => {
      const { seconds: value, checksum } = taken.get(name) ?? { seconds: NaN, checksum: 0 };
      if (checksum !== INPUTS) throw new Error(`${name}: ${checksum} of ${INPUTS} passed`);
      return value;
    };
    const signature = seconds('signature');
    return [
      { name: `issuer signature only (${modules.name})`, value: perSecond(INPUTS, signature) },
      {
        name: 'static code',
        value: perSecond(INPUTS, seconds('static')),
        ratio: signature / seconds('static'),
        of: 'signature only',
        floor: '75 %',
        goal: '90 %',
      },
      {
        name: 'live presentation (two signatures)',
        value: perSecond(INPUTS, seconds('live')),
        ratio: (2 * signature) / seconds('live'),
        of: 'half of signature only',
        floor: '70 %',
        goal: '80 %',
      },
    ];
  },
};
