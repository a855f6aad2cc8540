/** Answers to whoever asks for entries that are of no use to him. */
import { type AnswerTo, type SyncAnswer } from '../../node/sync/messages.ts';
import { RANGE_BYTES_MAX } from '../../node/sync/sync-limits.ts';
import { ENTRY_BYTES_MAX } from '../../protocol/limits.ts';

/** What becomes of entries that are asked for: none come, or they come in another order, or far more of them than fit. */
export type Spoiling = 'withhold' | 'reorder' | 'oversize';

export function spoilt(answer: AnswerTo<'range'>, spoiling: Spoiling): SyncAnswer {
  switch (spoiling) {
    case 'withhold':
      return { kind: 'refused', reason: 'not-there' };
    case 'reorder':
      return { ...answer, entries: answer.entries.toReversed() };
    case 'oversize': {
      const length = Math.ceil(RANGE_BYTES_MAX / ENTRY_BYTES_MAX) + 2;
      return { ...answer, entries: Array.from({ length }, () => new Uint8Array(ENTRY_BYTES_MAX)) };
    }
  }
}
