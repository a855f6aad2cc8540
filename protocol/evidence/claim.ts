/** What evidence says of itself, before anything is proven: cheap to read, and what a proof of it would say. Spec: SPEC.md 18.2. */
import { parseAttestation } from '../code/attestation.ts';
import { ProtocolError } from '../fault.ts';
import { readNote } from '../log/checkpoint.ts';
import { attestationLogOrigin, trustLogOrigin } from '../log/origin.ts';
import { minuteOf, openLookupHead } from '../lookup/head.ts';
import { parseEntry } from '../trust/statement.ts';
import { type Evidence } from './evidence.ts';
import { type ProvenEvidence } from './verify-evidence.ts';

export type EvidenceClaim = Pick<ProvenEvidence, 'kind' | 'region' | 'origin' | 'at'>;

/**
 * As `verifyEvidence` names it if it proves anything.
 * @throws {ProtocolError} as `verifyEvidence` for statements, notes, attestations and heads that are none.
 */
export function claimOf(evidence: Evidence): EvidenceClaim {
  const { kind } = evidence;
  const { region, network } = accusedOf(evidence);
  switch (evidence.kind) {
    case 'fork':
    case 'cosignatures': {
      const { origin } = readNote(evidence.sides[0].note).checkpoint;
      return { kind, region, origin, at: evidence.size };
    }
    case 'leaf':
    case 'index': {
      const bytes = evidence.kind === 'leaf' ? evidence.attestation : evidence.attestations[0];
      const { log, index } = parseAttestation(bytes);
      return { kind, region, origin: attestationLogOrigin(region, network, log), at: index };
    }
    case 'hours':
    case 'entry': {
      const { origin } = readNote(evidence.note).checkpoint;
      const at =
        evidence.kind === 'entry' ? evidence.index : parseAttestation(evidence.entries[1].attestation).index;
      return { kind, region, origin, at };
    }
    case 'tables': {
      const { head } = openLookupHead(evidence.heads[0], { verifySignature: () => true });
      return { kind, region, origin: trustLogOrigin(region, network), at: minuteOf(head) };
    }
  }
}

function accusedOf(evidence: Evidence): { readonly region: string; readonly network: string } {
  const { statement } = parseEntry(evidence.grounds[0]?.[0] ?? new Uint8Array());
  if (statement.kind !== 'root') throw new ProtocolError('EVIDENCE_MALFORMED', 'expected a root');
  const { region, network } = statement;
  return evidence.kind === 'cosignatures' ? { region: evidence.witness, network } : { region, network };
}
