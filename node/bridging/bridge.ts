/**
 * Bridging: for a code of another region that passes here an attestation of this one, which names it (SPEC.md 5.6). What is bridged was checked
 * by this node itself: by the log of the region that it is from, or by an adapter of that.
 */
import { compareBytes, hexOf } from '../../protocol/bytes.ts';
import { parseCode } from '../../protocol/code/code.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { type Original } from '../../protocol/code/original.ts';
import { revocationHashesOf } from '../../protocol/foreign/revocation-hashes.ts';
import { type ForeignCode } from '../../protocol/foreign/foreign-code.ts';
import { readForeign } from '../../protocol/foreign/verify-foreign.ts';
import { signedLocal } from '../../protocol/foreign/verify-local.ts';
import { BRIDGED_LIFE_S_MAX, ORIGINAL_HASHES_MAX } from '../../protocol/limits.ts';
import { leafHash } from '../../protocol/log/merkle.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Trust } from '../../protocol/verdict/knowledge.ts';
import {
  ANY_PLACE,
  type ForeignReference,
  type Verdict,
  type VerdictContext,
} from '../../protocol/verdict/verdict.ts';
import { nativeForeignPrimitives } from '../crypto/foreign-primitives.ts';
import { type IssueRequest } from '../issuing/issuer.ts';
import { NodeError } from '../node-error.ts';

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
}

/** Whatever its colour: a platform hands on what it found, and the gate decides what that means there. */
const AS_IT_IS: VerdictContext = { place: ANY_PLACE, mode: 'online', acceptance: () => [] };

/** A code that was checked, and to what it is bound. */
interface Bridged extends Pick<Fields, 'holderKey' | 'document'> {
  readonly original: Original;
}

export class Bridge {
  readonly #region: string;
  readonly #modules: BridgeModules;

  constructor({ region }: BridgeOptions, modules: BridgeModules) {
    this.#region = region;
    this.#modules = modules;
  }

  /**
   * What is to be issued for a code, bound to the device and the document that the code opens, or to neither. Its subject in the registry is the original, as in `FR/2026-11/17` or `AT/` and a hash.
   * @throws {NodeError} REFUSED for a code that does not pass here, one that is bridged itself, one of the own region, and one with too many hashes.
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
    const { original, ...bound } = await this.#originalOf(text, verdict);
    if (original.region === this.#region) throw refused('the code is of this region, and needs no bridge');
    const { nowS } = this.#modules;
    const expiresAtS = Math.min(verdict.expiresAtS ?? Infinity, nowS() + BRIDGED_LIFE_S_MAX);
    const status = {
      colour,
      measure: measure?.kind ?? 'none',
      untilS: measure?.untilS,
      expiresAtS,
      ruleId: rule.id,
      ruleVersion: rule.version,
      original,
    } as const;
    return { subject: subjectOf(original), fields: { status, ...bound } };
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
    const codes = await this.#readAs(text, foreign);
    const all = codes.flatMap((code) => revocationHashesOf(sha256, code).all);
    const hashes = [...new Map(all.map((hash) => [hexOf(hash), hash])).values()].sort(compareBytes);
    if (hashes.length > ORIGINAL_HASHES_MAX)
      throw refused(
        `the code can be revoked by more than the ${ORIGINAL_HASHES_MAX} names that a bridged one holds`,
      );
    return { original: { region: foreign.region ?? '', hashes } };
  }

  /** Where the format is a local one, by all profiles of the region by which its keys signed it: it can be revoked by what it says in any of them. */
  async #readAs(text: string, { format, region = '' }: ForeignReference): Promise<readonly ForeignCode[]> {
    if (format !== 'local') return [await readForeign(nativeForeignPrimitives, text)];
    const state = this.#modules.trust().regions.get(region)?.state;
    const codes = state && (await signedLocal(nativeForeignPrimitives, text, state, this.#modules.nowS()));
    if (codes === undefined || codes.length === 0)
      throw refused('its region has announced another profile meanwhile');
    return codes;
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
