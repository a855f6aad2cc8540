/** What evidence proves, in words that follow the name of a region. */
import { type EvidenceKind } from '../protocol/evidence/evidence.ts';
import { figure } from './output.ts';
import { printable } from './printable.ts';

const TOLD: Readonly<Record<Exclude<EvidenceKind, 'tables'>, (at: string) => string>> = {
  fork: (at) => `signed two trees, which differ within ${at} entries, of`,
  cosignatures: (at) => `cosigned two trees, which differ within ${at} entries, of`,
  leaf: (at) => `signed an attestation for index ${at} where another leaf is, in the log`,
  index: (at) => `signed two attestations for index ${at} of`,
  hours: (at) => `has logged an attestation at index ${at} behind one of a later hour, in the log`,
  entry: (at) => `has logged what is no attestation for index ${at}, in the log`,
};

export function accusationText({
  kind,
  origin,
  at,
}: {
  readonly kind: EvidenceKind;
  readonly origin: string;
  readonly at: number;
}): string {
  if (kind === 'tables') {
    const time = new Date(at * 60_000).toISOString().replace(':00.000', '');
    return `signed two tables of numbers for the minute ${time}, by keys of ${printable(origin)}`;
  }
  return `${TOLD[kind](figure(at))} ${printable(origin)}`;
}
