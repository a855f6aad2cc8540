/**
 * Codes that others issued: read as they are, checked and judged. An entry of its own, so that a verifier of this network's codes alone does not
 * carry it. SPEC.md 17 says what is taken.
 */
export { isProtocolError, ProtocolError } from '../fault.ts';
export { type ForeignCode, type ForeignFormat, type Json, type KeyUsage } from './foreign-code.ts';
export { type ForeignPrimitives, type Inflate } from './foreign-primitives.ts';
export { type ForeignCheck, type ForeignPublicKey, type VerifyForeign } from './signature-check.ts';
export { type Adapter, adapterData, type AdapterDraft, readAdapter } from './adapter.ts';
export { AnnouncedCodes } from './announced-codes.ts';
export { verifyAnnounced } from './verify-announced.ts';
export { refuseUnread } from './refuse-unread.ts';
export { type LocalProfile } from './local-profile.ts';
export { type LocalVerdict } from './judge-local.ts';
export { readLocal } from './local-code.ts';
export { verifyLocal } from './verify-local.ts';
export { webForeignPrimitives } from './web-primitives.ts';

export { type Candidates, foreignChecksOf, type ForeignKey, ForeignKeys } from './foreign-keys.ts';
export { FOREIGN_REASONS, type ForeignOutcome, type ForeignReason } from './foreign-reasons.ts';
export { type ForeignVerdict, judgeForeign } from './foreign-verdict.ts';
export { foreignFormatOf, readForeign, verifyForeign } from './verify-foreign.ts';

export { hcertRevocationIds, type HcertRevocationIds } from './hcert-revocation.ts';
export { type RevocationHashes, revocationHashesOf } from './revocation-hashes.ts';
export { hcertUsagesOf } from './hcert-usage.ts';
export { parseHcert, readHcert, unwrapHcert } from './hcert.ts';
export { cardKeysOf, type CardRevocations, isCardRevoked, parseCardRevocations } from './card-keys.ts';
export { cardRevocationId, readCard } from './health-card.ts';
export { publicKeyOfJwk, thumbprintOf } from './jwk.ts';
export { parseSeal, type Seal } from './seal.ts';
export { type Certificate, parseCertificate } from './x509.ts';
export { inflateStatuses, makeStatusList, STATUS, StatusList } from './status-list.ts';
export {
  draftStatusCwt,
  draftStatusJwt,
  parseStatusToken,
  type StatusClaims,
  type StatusToken,
} from './status-token.ts';
