/**
 * Where anybody asks the witness of this region, whichever way he comes. What a log has signed and the witness does not cosign is held against the
 * copy of that log: who brings a tree that others were not shown need not know that he proves a fork. Spec: SPEC.md 14.5.3, 15.10.
 */
import { isProtocolError, type ProtocolError } from '../../protocol/fault.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { encodeSignatureLine } from '../../protocol/log/signature-line.ts';
import { type UnprovenNotes } from '../evidence/unproven-notes.ts';
import { type AddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
import { type Witness, type Witnessed } from './witness.ts';
import { type WitnessRefusal } from './witness-rule.ts';

export interface WitnessDeskModules {
  readonly witness: Pick<Witness, 'add'>;
  /** Holds what a log has signed against the copy of it. */
  readonly unproven: Pick<UnprovenNotes, 'hear'>;
}

/** An answer as C2SP tlog-witness has it. */
export interface WitnessReply {
  readonly status: number;
  readonly body: string;
  /** Of what is no request at all: no honest peer sends it. */
  readonly fault?: ProtocolError;
}

export const STATUS = {
  malformed: 400,
  unsigned: 403,
  'unknown-log': 404,
  conflict: 409,
  unproven: 422,
  unfit: 403,
  unfolded: 503,
} as const satisfies Record<WitnessRefusal, number>;

export class WitnessDesk {
  readonly #modules: WitnessDeskModules;

  constructor(modules: WitnessDeskModules) {
    this.#modules = modules;
  }

  /** What a witness answers to any bytes. @throws {NodeError} as `Witness.add`: nothing was cosigned. */
  async replyTo(request: Uint8Array): Promise<WitnessReply> {
    let asked: AddCheckpoint;
    try {
      asked = parseAddCheckpoint(request);
    } catch (fault) {
      if (!isProtocolError(fault)) throw fault;
      return { status: STATUS.malformed, body: '', fault };
    }
    const answer = await this.#modules.witness.add(asked);
    if (!answer.cosigns && answer.signed !== undefined && answer.evidence === undefined) {
      const { origin, text, lines } = answer.signed;
      // Only the good lines of the log go along, so that nothing comes of what else the bearer put there.
      await this.#modules.unproven.hear(origin, encodeNote({ text, signatures: lines }));
    }
    return replyOf(answer);
  }
}

function replyOf(answer: Witnessed): WitnessReply {
  if (answer.cosigns) return { status: 200, body: encodeSignatureLine(answer.line) };
  const { refusal, size = 0 } = answer;
  return { status: STATUS[refusal], body: refusal === 'conflict' ? `${size}\n` : '' };
}
