/** Entries that belong together are tried before any is logged: one that would have no effect must not leave the others behind. */
import { requireInTime } from '../../node/trust/late-retirement.ts';
import { NodeError } from '../../node/node-error.ts';
import { type Finding } from '../../protocol/trust/trust-state.ts';
import { parseEntry } from '../../protocol/trust/statement.ts';

/** @throws {NodeError} REFUSED if there is a finding, or a retirement comes too late; `entries` would stand in the log from index `from` on. */
export function requireEffect(
  entries: readonly Uint8Array[],
  from: number,
  finding: Finding | undefined,
  nowS: number,
): void {
  for (const entry of entries) requireInTime(entry, nowS);
  const place = finding === undefined ? -1 : finding.index - from;
  const entry = entries[place];
  if (finding === undefined || entry === undefined) return;
  const { kind } = parseEntry(entry).statement;
  throw new NodeError(
    'REFUSED',
    `statement ${place + 1} of ${entries.length}, ${kind}, would have no effect: ${finding.reason}`,
    {
      hint: 'Nothing was logged. The log has gone on since it was drafted, or says otherwise: draft it anew.',
    },
  );
}
