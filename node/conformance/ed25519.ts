/** Suite `ed25519`: every back end gives the verdict of the strict rule, on the vectors under `ed25519/`. */
import { join } from 'node:path';
import { isProtocolError } from '../../protocol/fault.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { admitPublicKey, verifyWithNoble } from '../../protocol/signature/noble.ts';
import { type SignatureBackEnd } from '../crypto/back-end.ts';
import { opensslBackEnd } from '../crypto/openssl.ts';
import { readEd25519Cases, type Ed25519Case } from './ed25519-cases.ts';
import { brokenClause, isAdmissibleByRule, type Clause } from './ed25519-rule.ts';
import { jsonFilesOf } from './files.ts';
import { Tally, type Suite } from './suite.ts';

/** Clauses that RFC 8032 leaves open: where only these are broken, its verdict may differ from the rule's. */
const STRICTER_CLAUSES: readonly Clause[] = ['ENCODING', 'SMALL_ORDER'];

export const ed25519Suite: Suite = {
  name: 'ed25519',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'ed25519'));
    if (files === undefined) {
      tally.skip('there is no folder ed25519');
      return tally.result();
    }
    const backEnds = await openBackEnds(tally);
    for await (const { name, json } of files) {
      const cases = readEd25519Cases(json);
      if (cases === undefined) tally.fail(`${name} holds no list of cases`);
      cases?.forEach((one, index) => {
        const fault = one === undefined ? 'its layout is not known' : faultOf(one, backEnds);
        tally.settle(
          fault === undefined ? undefined : `${name}, ${one?.name ?? 'entry'} (entry ${index}): ${fault}`,
        );
      });
    }
    return tally.result();
  },
};

/** What is wrong with the verdicts on one case, or undefined. The rule is the judge; back ends and source obey. */
export function faultOf(
  one: Ed25519Case,
  backEnds: ReadonlyMap<string, VerifySignature>,
): string | undefined {
  const clause = brokenClause(one.check);
  const isGood = clause === undefined;
  const verdict = isGood ? 'good' : `bad (${clause})`;
  for (const [name, verify] of backEnds) {
    if (verify(one.check) !== isGood) return `${name} says ${isGood ? 'bad' : 'good'}, the rule ${verdict}`;
  }
  if (one.goodByRule !== undefined && one.goodByRule !== isGood) {
    return `the source says ${one.goodByRule ? 'good' : 'bad'}, the rule ${verdict}`;
  }
  const isStricter = clause !== undefined && STRICTER_CLAUSES.includes(clause);
  if (one.goodByRfc8032 !== undefined && one.goodByRfc8032 !== isGood && !isStricter) {
    return `RFC 8032 says ${one.goodByRfc8032 ? 'good' : 'bad'}, the rule ${verdict}`;
  }
  const isAdmissible = isAdmissibleByRule(one.check.publicKey);
  if (isAdmitted(one.check.publicKey) !== isAdmissible) {
    return `the key is ${isAdmissible ? '' : 'not '}admissible and admitPublicKey says otherwise`;
  }
  if (one.isAdmissible !== undefined && one.isAdmissible !== isAdmissible) {
    return `the source says the key is ${one.isAdmissible ? '' : 'not '}admissible, the rule says otherwise`;
  }
  return undefined;
}

/** The back ends of this machine by name: noble and openssl always, sodium where it loads. */
export async function openBackEnds(tally: Tally): Promise<ReadonlyMap<string, VerifySignature>> {
  const backEnds = new Map<string, VerifySignature>([
    ['noble', verifyWithNoble],
    ['openssl', opensslBackEnd.verifySignature],
  ]);
  const sodium = await loadSodium();
  if (sodium === undefined) tally.skip('the back end sodium does not load here');
  else backEnds.set(sodium.name, sodium.verifySignature);
  return backEnds;
}

async function loadSodium(): Promise<SignatureBackEnd | undefined> {
  try {
    return (await import('../crypto/sodium.ts')).sodiumBackEnd;
  } catch {
    return undefined;
  }
}

function isAdmitted(publicKey: Uint8Array): boolean {
  try {
    admitPublicKey(publicKey);
    return true;
  } catch (error) {
    if (isProtocolError(error, 'KEY_INVALID')) return false;
    throw error;
  }
}
