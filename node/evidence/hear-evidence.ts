/** Taking evidence of any kind, as an operator gives it. */
import { parseEvidence } from '../../protocol/evidence/evidence.ts';
import { ProtocolError } from '../../protocol/fault.ts';
import { readNote } from '../../protocol/log/checkpoint.ts';
import { type Followed } from '../sync/followed.ts';
import { type EvidenceBook } from './evidence-book.ts';
import { type UnheldForks } from './unheld-forks.ts';

export interface HearEvidenceModules {
  readonly evidence: EvidenceBook;
  readonly logs: () => ReadonlyMap<string, Followed>;
  readonly forks: Pick<UnheldForks, 'keep' | 'of'>;
  /** Whether a log that is not held is one of a region that is followed. */
  readonly isKnown: (origin: string) => boolean;
}

/**
 * Keeps evidence and tells it to peers; false if it proves nothing that is not known.
 * @throws {ProtocolError} as `EvidenceBook.take` and `UnheldForks.keep`; PIN_MISMATCH for the fork of a log of a region that is not followed.
 */
export async function hearEvidence(
  file: Uint8Array,
  { evidence, logs, forks, isKnown }: HearEvidenceModules,
): Promise<boolean> {
  const parsed = parseEvidence(file);
  if (parsed.kind !== 'fork') return evidence.take(file);
  const { size, sides } = parsed;
  const { origin } = readNote(sides[0].note).checkpoint;
  if (!logs().has(origin) && !isKnown(origin))
    throw new ProtocolError('PIN_MISMATCH', `${origin} is no log of a region that is followed here`);
  const held = () => (logs().get(origin)?.forks ?? forks.of(origin)).length;
  const before = held();
  await forks.keep(origin, { size, sides });
  return held() > before;
}
