/** What is shown of a colour without a rule: where it stands, and who signed it. */
import { hexBytes } from '../../protocol/bytes.ts';
import { PROPOSAL_S_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import {
  codeOf,
  isConfirmed,
  type Kept,
  type KeptSignature,
  type OverrideSeen,
  type Signatory,
} from './override-kept.ts';

export function seenOf(
  id: string,
  all: Kept,
  { sha256, nowS }: { readonly sha256: Sha256; readonly nowS: number },
): OverrideSeen {
  const { reason, colour, days, people, digest, proposed, confirmed, missed } = all;
  const signatory = (by: KeptSignature): Signatory => ({
    ...by,
    keyId: keyIdOf(sha256, hexBytes(by.publicKey)),
  });
  return {
    id,
    ...{ reason, colour, days, people, digest },
    proposed: signatory(proposed),
    ...(confirmed && { confirmed: signatory(confirmed) }),
    ...(missed !== undefined && { missed }),
    state: stateOf(id, all, nowS),
  };
}

function stateOf(id: string, kept: Kept, nowS: number): OverrideSeen['state'] {
  const { subjects, isBrokenOff = false } = kept;
  if (subjects.length === 0 && !isBrokenOff) return 'done';
  if (!isConfirmed(kept)) return nowS - kept.proposed.atS > PROPOSAL_S_MAX ? 'lapsed' : 'proposed';
  return codeOf(id, kept).status.expiresAtS <= nowS ? 'over' : 'broken-off';
}
