/**
 * Bridging: for a code of another region that passes here an attestation of this one, which names it (SPEC.md 5.6). What is bridged was checked
 * by this node itself: by the log of the region that it is from, or by an adapter of that.
 */
import { compareBytes, hexOf } from '../../protocol/bytes.ts';
import { parseCode } from '../../protocol/code/code.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { type Original } from '../../protocol/code/original.ts';
import { revocationHashesOf } from '../../protocol/foreign/revocation-hashes.ts';
import { signedAnnounced } from '../../protocol/foreign/verify-announced.ts';
import { type SignedForeign, signedLocal } from '../../protocol/foreign/verify-local.ts';
import { BRIDGED_LIFE_S_MAX, ORIGINAL_HASHES_MAX } from '../../protocol/limits.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { foreignSignerOf } from '../../protocol/trust/announced-signer.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import {
  ANY_PLACE,
  type ForeignReference,
  type Verdict,
  type VerdictContext,
} from '../../protocol/verdict/verdict.ts';
import { type Overrides } from '../abuse/overrides.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type IssueRequest } from '../issuing/issuer.ts';
import { NodeError } from '../node-error.ts';
import { sameUntilS } from './worth.ts';

export interface BridgeOptions {
  /** The own region: the platform. */
  readonly region: string;
}

export interface BridgeModules {
  readonly sha256: Sha256;
  readonly nowS: () => number;
  /** That of the verdict, or a later one. */
  readonly trust: () => Trust;
  /** The verdict of this node. */
  readonly verify: (text: string, context: VerdictContext) => Promise<Verdict>;
  readonly overrides: Pick<Overrides, 'requireFree'>;
}

/** Whatever its colour: a platform hands on what it found, and the gate decides what that means there. */
const AS_IT_IS: VerdictContext = { place: ANY_PLACE, mode: 'online', acceptance: () => [] };

/** A code that was checked, and to what it is bound. */
interface Bridged extends Pick<Fields, 'holderKey' | 'document'> {
  readonly original: Original;
}

type SignedOnce = readonly [SignedForeign, ...SignedForeign[]];

export class Bridge {
  readonly #region: string;
  readonly #modules: BridgeModules;

  constructor({ region }: BridgeOptions, modules: BridgeModules) {
    this.#region = region;
    this.#modules = modules;
  }

  /**
   * What is to be issued for a code, bound to the device and the document that the code opens, or to neither. Its subject in the registry is the original, as in `FR/2026-11/17` or `AT/` and a hash.
   * @throws {NodeError} REFUSED for a code that does not pass here, one that is bridged itself, one of the own region, one with too many hashes, one that is about to change or has just changed,
   * and one for which two operators of this region gave a stricter colour.
   */
  async requestFor(text: string): Promise<IssueRequest> {
    const verdict = await this.#modules.verify(text, AS_IT_IS);
    const { outcome, reasons, original: bridgedFor, colour, rule, measure } = verdict;
    if (bridgedFor !== undefined)
      throw refused('the code is bridged itself, and nothing comes through two platforms');
    if (outcome !== 'pass' || colour === undefined || rule === undefined) {
      const against = reasons.filter((reason) => reason.outcome !== 'note').map(({ code }) => code);
      throw refused(`the verdict on the code is ${outcome}: ${[...new Set(against)].join(', ')}`);
    }
    if ((verdict.foreign ?? verdict.code)?.region === this.#region)
      throw refused('the code is of this region, and needs no bridge');
    const { original, ...bound } = await this.#originalOf(text, verdict);
    const { nowS, trust } = this.#modules;
    const fromS = nowS();
    const endS = Math.min(verdict.expiresAtS ?? Infinity, fromS + BRIDGED_LIFE_S_MAX);
    const expiresAtS =
      verdict.foreign === undefined ? endS : await sameUntilS(text, verdict, trust(), { fromS, endS });
    if (expiresAtS === undefined)
      throw refused('the verdict on the code has changed since it was asked for; try again');
    if (expiresAtS <= fromS) throw refused('it is worth what it is for less than a second more');
    const status = {
      colour,
      measure: measure?.kind ?? 'none',
      untilS: measure?.untilS,
      expiresAtS,
      ruleId: rule.id,
      ruleVersion: rule.version,
      original,
    } as const;
    const subject = subjectOf(original);
    await this.#modules.overrides.requireFree({ subject, status });
    return { subject, fields: { status, ...bound } };
  }

  async #originalOf(text: string, { foreign }: Verdict): Promise<Bridged> {
    const { sha256 } = this.#modules;
    if (foreign === undefined) {
      const { attestation, holderKey, document } = parseCode(sha256, text);
      const { region, log, index, keyId, bytes } = attestation;
      return {
        original: { region, log, index, keyId, leafHash: leafHash(sha256, bytes) },
        holderKey,
        document,
      };
    }
    const signed = await this.#signedAs(text, foreign);
    const all = signed.flatMap(({ code }) => revocationHashesOf(sha256, code).all);
    const hashes = [...new Map(all.map((hash) => [hexOf(hash), hash])).values()].sort(compareBytes);
    if (hashes.length > ORIGINAL_HASHES_MAX)
      throw refused(
        `the code can be revoked by more than the ${ORIGINAL_HASHES_MAX} names that a bridged one holds`,
      );
    // The one that the verdict went by, of a local code that its region reads in several ways.
    const [first] = signed;
    const { key } = signed.find((one) => one.key.adapter.id === foreign.adapter) ?? first;
    // What the region can take back: its key, or the authority that vouches for the key.
    const announced = key.vouching?.check.publicKey ?? key.publicKey;
    const signer = foreignSignerOf(sha256, key.format, { ...announced });
    const { region = '', issuedAtS } = foreign;
    return {
      original: { region, hashes, signed: { signer, ...(issuedAtS !== undefined && { issuedAtS }) } },
    };
  }

  /** Where the format is a local one, by all profiles of the region by which its keys signed it: it can be revoked by what it says in any of them. */
  async #signedAs(text: string, { format, region = '' }: ForeignReference): Promise<SignedOnce> {
    const state = this.#modules.trust().regions.get(region)?.state;
    if (state === undefined) throw refused('its region is no longer known here');
    const nowS = this.#modules.nowS();
    const [first, ...more] =
      format === 'local'
        ? await signedLocal(nativeForeignPrimitives, text, state, nowS)
        : [await signedAnnounced(nativeForeignPrimitives, text, state, nowS)];
    if (first === undefined) throw refused('its region has taken the key back, or changed its profile');
    return [first, ...more.filter((one) => one !== undefined)];
  }
}

function subjectOf(original: Original): string {
  const { region } = original;
  if ('hashes' in original) return `${region}/${hexOf(original.hashes[0] ?? new Uint8Array(0))}`;
  return `${region}/${original.log}/${original.index}`;
}

function refused(why: string): NodeError {
  return new NodeError('REFUSED', `nothing was bridged: ${why}`, {
    hint: 'Let `entente verify --explain` say what is wrong with the code.',
  });
}
