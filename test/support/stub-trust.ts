/** What a verifier knows, made of literals, for tests of the verdict that need no log behind it. */
import { asciiBytes } from '../../protocol/bytes.ts';
import { type Recognition } from '../../protocol/trust/trust-state.ts';
import { type Cosigned, type RegionKnowledge } from '../../protocol/verdict/knowledge.ts';
import { keyNamed, NETWORK } from './code-fixture.ts';
import { sha256 } from './primitives.ts';
import { type StubKey, type StubState, stubState } from './stub-state.ts';

export function stubFingerprint(region: string): Uint8Array {
  return sha256(asciiBytes(`fingerprint of ${region}`));
}

export function recognised(
  region: string,
  changes: Partial<Extract<Recognition, { standing: 'recognised' | 'suspended' }>> = {},
): Recognition {
  return {
    standing: 'recognised',
    region,
    version: 1,
    fingerprint: stubFingerprint(region),
    way: 'direct',
    rules: null,
    fromS: 0,
    untilS: 1e12,
    ...changes,
  };
}

/** A cosignature by the key named `<region> witness` or another. */
export function cosigned(region: string, timestampS: number, keyName = `${region} witness`): Cosigned {
  return { region, keyId: keyNamed(keyName).keyId, timestampS };
}

/** Witness and checkpoint keys are there unless `keys` says otherwise. */
export function stubKnowledge(
  state: StubState,
  cosignatures: readonly Cosigned[],
  changes: Partial<RegionKnowledge> = {},
): RegionKnowledge {
  const { region } = state;
  const keys: StubKey[] = [
    { key: keyNamed(`${region} witness`), role: 'witness' },
    { key: keyNamed(`${region} checkpoint`), role: 'checkpoint' },
  ];
  return {
    state: stubState({
      fingerprint: stubFingerprint(region),
      ...state,
      keys: [...keys, ...(state.keys ?? [])],
    }),
    checkpoint: { origin: `${region}.${NETWORK}/trust`, size: 7, root: sha256(asciiBytes(region)) },
    note: new Uint8Array(0),
    logKeyIds: [keyNamed(`${region} checkpoint`).keyId],
    cosignatures,
    standing: 'good',
    ...changes,
  };
}
