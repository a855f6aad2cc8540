/** What a witness answers to `add-checkpoint`, by whichever way. Spec: C2SP tlog-witness, SPEC.md 14.5.3. */
import { ProtocolError } from '../../protocol/fault.ts';
import { type NoteSignature, parseSignatureLines } from '../../protocol/log/signature-line.ts';
import { STATUS } from './witness-desk.ts';
import { type WitnessRefusal } from './witness-rule.ts';

/** `unsigned` stands for `unfit` as well, which the status does not tell apart. `size`: what it cosigned last, of a conflict. */
export type WitnessAnswer =
  | { readonly cosigns: true; readonly lines: readonly NoteSignature[] }
  | { readonly cosigns: false; readonly refusal: WitnessRefusal; readonly size?: number };

const REFUSALS: ReadonlyMap<number, WitnessRefusal> = new Map(
  (Object.keys(STATUS) as WitnessRefusal[])
    .filter((refusal) => refusal !== 'unfit')
    .map((refusal) => [STATUS[refusal], refusal]),
);

/**
 * Undefined for a status that no witness answers with. The body is read where the status says that there is something in it.
 * @throws {ProtocolError} NOTE_MALFORMED for a body that is not what belongs to the status, SIZE_INVALID for a size beyond 2^53-1.
 */
export function witnessAnswerOf(status: number, body: string): WitnessAnswer | undefined {
  if (status === 200) return { cosigns: true, lines: parseSignatureLines(body) };
  const refusal = REFUSALS.get(status);
  if (refusal === undefined) return undefined;
  return { cosigns: false, refusal, ...(refusal === 'conflict' && { size: sizeIn(body) }) };
}

function sizeIn(body: string): number {
  if (!/^(0|[1-9][0-9]{0,15})\n$/.test(body))
    throw new ProtocolError('NOTE_MALFORMED', 'expected the size that the witness cosigned last');
  const size = Number(body);
  if (!Number.isSafeInteger(size)) throw new ProtocolError('SIZE_INVALID', 'the size is beyond 2^53-1');
  return size;
}
