/** What callers of the nodes were told: issues and revocations acknowledged, and every verdict. */
import { type Issued } from '../../node/issuing/issuer.ts';
import { type Verdict } from '../../protocol/verdict/verdict.ts';
import { demand } from './invariant.ts';
import { regionOf } from './machine.ts';
import { type SignedRecord } from './signed-record.ts';

export interface KnownCode {
  readonly region: string;
  readonly origin: string;
  readonly log: string;
  readonly index: number;
  readonly attestation: Uint8Array;
  readonly text: string;
  readonly issuedAtMs: number;
  /** Somebody asked for its revocation, whatever came of that. */
  isDoomed: boolean;
  /** Set once its revocation was acknowledged: the size that the trust log had signed by then. */
  revokedUnder: number | undefined;
  /** When all honest witnesses had vouched for a tree with the revocation in it. */
  witnessedAtMs: number | undefined;
}

export interface HistoryOptions {
  readonly network: string;
  readonly regions: readonly string[];
  readonly honest: readonly string[];
}

export interface HistoryModules {
  readonly signed: SignedRecord;
  readonly nowMs: () => number;
}

/** Seconds by which clocks of honest machines may differ while verdicts are held against each other. */
export const CLOCK_SPREAD_S = 240;

export class History {
  readonly codes: KnownCode[] = [];
  readonly counters = {
    issued: 0,
    issuesFailed: 0,
    revoked: 0,
    revocationsFailed: 0,
    pass: 0,
    act: 0,
    stop: 0,
    undetermined: 0,
  };
  readonly #options: HistoryOptions;
  readonly #modules: HistoryModules;
  readonly #honest: ReadonlySet<string>;
  /** By node: the codes that it has seen revoked. */
  readonly #seen = new Map<string, Set<KnownCode>>();

  constructor(options: HistoryOptions, modules: HistoryModules) {
    this.#options = options;
    this.#modules = modules;
    this.#honest = new Set(options.honest);
  }

  /** @throws {Violation} if the place was given to another code before. */
  issued(region: string, { log, index, attestation }: Issued, text: string): KnownCode {
    this.counters.issued++;
    const origin = `${region}.${this.#options.network}/attest/${log}`;
    const isTwice = this.codes.some((code) => code.origin === origin && code.index === index);
    demand(!isTwice, 'logged once', () => `${origin}/${index} was given out twice`);
    const issuedAtMs = this.#modules.nowMs();
    const code: KnownCode = {
      ...{ region, origin, log, index, attestation, text, issuedAtMs },
      ...{ isDoomed: false, revokedUnder: undefined, witnessedAtMs: undefined },
    };
    this.codes.push(code);
    return code;
  }

  /** A node of the issuing region has acknowledged it. */
  revoked(node: string, code: KnownCode): void {
    this.counters.revoked++;
    code.revokedUnder = Math.max(0, ...this.#modules.signed.rootsOf(this.#trustLogOf(code.region)).keys());
    this.#seenAt(node).add(code);
  }

  /** Holds a verdict against all that is known. @throws {Violation} */
  judged(node: string, code: KnownCode, verdict: Verdict): void {
    this.counters[verdict.outcome]++;
    if (!this.#honest.has(code.region) || !this.#honest.has(regionOf(node))) return;
    const what = `${node} says ${verdict.outcome} (${verdict.reasons.map((reason) => reason.code).join(' ')}) of ${code.origin}/${code.index}`;
    const isRevoked = verdict.reasons.some((reason) => reason.code === 'REVOKED');
    const isLetThrough = verdict.outcome === 'pass' || verdict.outcome === 'act';
    const seen = this.#seenAt(node);
    demand(!isLetThrough || !seen.has(code), 'revoked for good', () => `${what}, which it has seen revoked`);
    demand(!isRevoked || code.isDoomed, 'no framing', () => `${what}, which nobody revoked`);
    for (const reason of ['SIGNATURE_INVALID', 'FORKED', 'QUARANTINED'] as const) {
      demand(!verdict.reasons.some(({ code }) => code === reason), 'no framing', () => what);
    }
    if (isRevoked) seen.add(code);
    for (const report of verdict.knowledge) this.#demandAge(what, node, verdict.atS, report);
    if (isLetThrough) this.#demandFreshness(what, node, code, verdict);
  }

  /** What a node has seen revoked, to be given back to it with a backup. */
  memoryOf(node: string): ReadonlySet<KnownCode> {
    return new Set(this.#seenAt(node));
  }

  /** The node went back to a backup of that time. */
  restoreMemory(node: string, memory: ReadonlySet<KnownCode>): void {
    this.#seen.set(node, new Set(memory));
  }

  /** As many as the model's own rule asks for have cosigned exactly that tree, no longer ago than the verdict says. */
  #demandAge(
    what: string,
    node: string,
    atS: number,
    { region, size, ageS }: Verdict['knowledge'][number],
  ): void {
    if (ageS === undefined || !this.#honest.has(region)) return;
    const origin = this.#trustLogOf(region);
    let vouched = 0;
    for (const [witness, newestS] of this.#modules.signed.witnessesOf(origin, size)) {
      if (witness !== region && newestS >= atS - ageS) vouched++;
    }
    const needed = quorumOf(this.#options.regions.length - 1);
    demand(vouched >= needed, 'stated age', () => {
      return `${what}: ${vouched} of ${needed} vouch for ${region} at ${size} within ${ageS} s, as ${node} sees it`;
    });
  }

  /** Once so many honest witnesses have seen a revocation that no quorum is left without one, older knowledge has to look old. */
  #demandFreshness(what: string, node: string, code: KnownCode, verdict: Verdict): void {
    const report = verdict.knowledge.find(({ region }) => region === code.region);
    if (code.witnessedAtMs === undefined || report?.ageS === undefined) return;
    const sinceS = (this.#modules.nowMs() - code.witnessedAtMs) / 1000;
    const { ageS } = report;
    demand(ageS >= sinceS - CLOCK_SPREAD_S, 'stated age', () => {
      return `${what} on knowledge ${ageS} s old, as ${node} sees it, while all witnesses knew of its revocation for ${sinceS} s`;
    });
  }

  /** To be called now and then: notes which revocations all honest witnesses have vouched for by now. */
  noteWitnessed(): void {
    for (const code of this.codes) {
      const { revokedUnder: size } = code;
      if (size === undefined || code.witnessedAtMs !== undefined) continue;
      const origin = this.#trustLogOf(code.region);
      const isSeen = this.#options.honest.every((witness) => {
        return witness === code.region || this.#modules.signed.lastWitnessed(witness, origin) >= size;
      });
      if (isSeen) code.witnessedAtMs = this.#modules.nowMs();
    }
  }

  #trustLogOf(region: string): string {
    return `${region}.${this.#options.network}/trust`;
  }

  #seenAt(node: string): Set<KnownCode> {
    const seen = this.#seen.get(node) ?? new Set();
    this.#seen.set(node, seen);
    return seen;
  }
}

/** SPEC.md 9 in the model's own words: none of none, one of one or two, two of three, more than two thirds of more. */
export function quorumOf(witnesses: number): number {
  if (witnesses <= 2) return witnesses === 0 ? 0 : 1;
  return witnesses === 3 ? 2 : Math.floor((2 * witnesses) / 3) + 1;
}
