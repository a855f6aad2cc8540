/** Taking evidence of any kind, as an operator gives it. */
import { parseEvidence } from '../../protocol/evidence/evidence.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type Followed } from '../sync/followed.ts';
import { type EvidenceBook } from './evidence-book.ts';

export interface HearEvidenceModules {
  readonly evidence: EvidenceBook;
  readonly logs: () => ReadonlyMap<string, Followed>;
}

/**
 * Keeps evidence and tells it to peers; false if it proves nothing that is not known.
 * @throws {ProtocolError} as `EvidenceBook.take` and `Followed.accuse`; PIN_MISMATCH for the fork of a log that is not followed.
 */
export async function hearEvidence(
  file: Uint8Array,
  { evidence, logs }: HearEvidenceModules,
): Promise<boolean> {
  const parsed = parseEvidence(file);
  if (parsed.kind !== 'fork') return evidence.take(file);
  const { size, sides } = parsed;
  const { origin } = readNote(sides[0].note).checkpoint;
  const log = logs().get(origin);
  if (log === undefined) throw new ProtocolError('PIN_MISMATCH', `${origin} is no log that is followed here`);
  const before = log.forks.length;
  await log.accuse({ size, sides });
  return log.forks.length > before;
}
