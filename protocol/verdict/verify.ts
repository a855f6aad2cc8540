/** From the scanned text to the verdict in one call. Spec: SPEC.md 11. */
import { parseCode } from '../code/code.ts';
import { type Fault, ProtocolError } from '../fault.ts';
import { type Primitives } from '../primitives.ts';
import { checksOf, judge } from './judge.ts';
import { type Trust } from './knowledge.ts';
import { outcomeOf, type Reason, reasonOf } from './reasons.ts';
import { type Verdict, type VerdictContext } from './verdict.ts';

/**
 * The verdict on `text` at `nowS`. Total: whatever the text, it answers and never throws.
 * A caller with a faster back end composes `parseCode`, `checksOf` and `judge` itself.
 */
export function verify(
  primitives: Primitives,
  text: string,
  trust: Trust,
  context: VerdictContext,
  nowS: number,
): Verdict {
  let parsed;
  try {
    parsed = parseCode(primitives.sha256, text);
  } catch (error) {
    if (error instanceof ProtocolError) return refuseText(error.fault, nowS);
    throw error;
  }
  const results = checksOf(parsed, trust).map((check) => primitives.verifySignature(check));
  return judge(parsed, results, trust, context, nowS);
}

/** The verdict on a text that `parseCode` refused with `fault`. */
export function refuseText(fault: Fault, nowS: number): Verdict {
  const reasons = [reasonOfFault(fault)];
  return {
    outcome: outcomeOf(reasons),
    reasons,
    atS: nowS,
    code: undefined,
    colour: undefined,
    measure: undefined,
    rule: undefined,
    expiresAtS: undefined,
    grade: undefined,
    knowledge: [],
  };
}

function reasonOfFault({ code, details }: Fault): Reason {
  if (code === 'CODE_VERSION_UNKNOWN') return reasonOf('VERSION_UNKNOWN');
  if (code === 'COMMITMENT_MISMATCH') return reasonOf('COMMITMENT_MISMATCH');
  return reasonOf('MALFORMED', undefined, { ...details, fault: code });
}
