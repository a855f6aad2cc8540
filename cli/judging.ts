/** Judging one text with everything that the command line can fetch: the hash of a document, a leaf's proof from a mirror. */
import { join } from 'node:path';
import { nativeForeignPrimitives } from '../node/crypto/foreign-primitives.ts';
import { scryptInPool } from '../node/crypto/scrypt.ts';
import { attestationLogsPath } from '../node/region/layout.ts';
import { LogFiles } from '../node/region/log-files.ts';
import { NodeError } from '../node/node-error.ts';
import { type Attestation } from '../protocol/code/attestation.ts';
import { parseCode, type ParsedCode } from '../protocol/code/code.ts';
import { documentHash, type DocumentInput } from '../protocol/code/document.ts';
import { isProtocolError } from '../protocol/fault.ts';
import { AnnouncedCodes } from '../protocol/foreign/announced-codes.ts';
import { refuseUnread } from '../protocol/foreign/refuse-unread.ts';
import { verifyAnnounced } from '../protocol/foreign/verify-announced.ts';
import { foreignFormatOf } from '../protocol/foreign/verify-foreign.ts';
import { verifyLocal } from '../protocol/foreign/verify-local.ts';
import { inclusionProof } from '../protocol/log/merkle-proof.ts';
import { areLeanedOn, numberAnnouncers } from '../protocol/lookup/announced-numbers.ts';
import { judgeNumber, numberOrLocal } from '../protocol/lookup/judge-number.ts';
import { type Primitives, type Sha256 } from '../protocol/primitives.ts';
import { type LeafProof } from '../protocol/verdict/cut-off.ts';
import { checksOf, judge } from '../protocol/verdict/judge.ts';
import { type Trust } from '../protocol/verdict/knowledge.ts';
import { type Verdict, type VerdictContext } from '../protocol/verdict/verdict.ts';

export interface JudgingOptions {
  readonly trust: Trust;
  readonly context: VerdictContext;
  readonly nowS: number;
  /** The identity document that the person shows. */
  readonly document?: DocumentInput | undefined;
  /** Public directory of a mirror of the issuing region's logs. */
  readonly mirror?: string | undefined;
}

/** The verdict on `text`. A mirror that is unreachable, or whose tiles lead nowhere, leaves the verdict as it is without one. */
export async function judgeText(
  primitives: Primitives,
  text: string,
  options: JudgingOptions,
): Promise<Verdict> {
  const { context: forOthers } = options;
  const announced = new AnnouncedCodes(options.trust);
  if (foreignFormatOf(text) !== undefined)
    return verifyAnnounced(nativeForeignPrimitives, text, announced, forOthers, options.nowS);
  const input = { announced, context: forOthers, nowS: options.nowS };
  const local = await verifyLocal(nativeForeignPrimitives, text, input);
  const announcers = numberAnnouncers(options.trust, text, options.nowS);
  if (local !== undefined && (local.found === 'signed' || !areLeanedOn(options.trust, announcers)))
    return local.verdict;
  if (announcers.length > 0) {
    const answer = { failure: { code: 'NUMBER_NEEDS_NODE' } } as const;
    const number = judgeNumber(announcers.map((announcer) => ({ ...options, announcer, answer })));
    return numberOrLocal(number, local?.verdict);
  }
  let parsed: ParsedCode;
  try {
    parsed = parseCode(primitives.sha256, text);
  } catch (error) {
    if (isProtocolError(error)) return refuseUnread(text, error.fault, options);
    throw error;
  }
  const { trust, nowS, mirror } = options;
  const context = { ...options.context, documentHash: await documentHashFor(parsed, options.document) };
  const results = checksOf(parsed, trust).map((check) => primitives.verifySignature(check));
  const verdict = judge(parsed, results, trust, context, nowS);
  const isNeeded = results[0] === true && verdict.reasons.some(({ code }) => code === 'PROOF_NEEDED');
  if (mirror === undefined || !isNeeded) return verdict;
  const proof = await fetchProof(primitives.sha256, parsed.attestation, trust, mirror);
  return proof === undefined ? verdict : judge(parsed, results, trust, { ...context, proofs: [proof] }, nowS);
}

async function documentHashFor(
  { document: opened }: ParsedCode,
  shown: DocumentInput | undefined,
): Promise<Uint8Array | undefined> {
  return opened && shown && (await documentHash(scryptInPool, shown, opened.salt));
}

async function fetchProof(
  sha256: Sha256,
  { region, log, index, keyId }: Attestation,
  trust: Trust,
  mirror: string,
): Promise<LeafProof | undefined> {
  const size = trust.regions.get(region)?.state.key(keyId)?.compromise?.cutOffs.get(log)?.size;
  if (size === undefined) return undefined;
  const files = new LogFiles(join(attestationLogsPath(mirror), log));
  const leaf = { index, size };
  try {
    return await files.withHashes(
      sha256,
      size,
      (source) => ({ log, ...leaf, leafHash: source(0, index), path: inclusionProof(sha256, leaf, source) }),
      await files.claimedSize(),
    );
  } catch (error) {
    if (error instanceof NodeError || isProtocolError(error)) return undefined;
    throw error;
  }
}
