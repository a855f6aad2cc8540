/**
 * What regions that the home recognises say of one that wants to join. It is shown to the operator, who decides: no verdict ever
 * leans on it, and what a region says counts only if the home itself recognises that region directly.
 */
import { equalBytes } from '../../protocol/bytes.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';

export interface Endorsement {
  /** Regions that recognise it directly under this fingerprint, by id. */
  readonly vouching: readonly string[];
  /** Regions that know this id under another root: two regions claim one id. */
  readonly contradicting: readonly string[];
}

export function endorsementOf(
  { home, regions }: Trust,
  { region, fingerprint }: { readonly region: string; readonly fingerprint: Uint8Array },
  nowS: number,
): Endorsement {
  const recognised = [...(regions.get(home)?.state.recognitions() ?? [])]
    .filter((one) => one.standing === 'recognised' && one.way === 'direct' && isInForce(one, nowS))
    .map((one) => one.region)
    .filter((one) => one !== region && one !== home)
    .sort();
  const vouching: string[] = [];
  const contradicting: string[] = [];
  for (const of of recognised) {
    const word = regions.get(of)?.state.recognition(region);
    if (word === undefined || word.standing === 'withdrawn') continue;
    if (!equalBytes(word.fingerprint, fingerprint)) contradicting.push(of);
    else if (word.standing === 'recognised' && word.way === 'direct' && isInForce(word, nowS))
      vouching.push(of);
  }
  return { vouching, contradicting };
}

function isInForce(
  { fromS, untilS }: { readonly fromS: number; readonly untilS: number },
  nowS: number,
): boolean {
  return fromS <= nowS && nowS < untilS;
}
