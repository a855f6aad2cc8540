/** Holds the colours that two operators gave against what these signed, and against the operators that the region names. */
import { equalBytes, hexOf } from '../../protocol/bytes.ts';
import { type Status } from '../../protocol/code/status.ts';
import { encodeBasis, evidenceOf, type OverrideBasis } from '../../protocol/disclosure/basis.ts';
import { type DisclosedOperator } from '../../protocol/disclosure/disclosure.ts';
import {
  isSignedByTwo,
  type OverrideNames,
  type OverrideSignature,
  overrideStatus,
} from '../../protocol/disclosure/override.ts';
import { CLOCK_AHEAD_S_MAX, PROPOSAL_S_MAX } from '../../protocol/limits.ts';
import { type Primitives } from '../../protocol/primitives.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { isSameStatus } from './same-status.ts';

export type OverrideFault =
  | 'OVERRIDE_SIGNATURE'
  | 'OVERRIDE_UNKNOWN_OPERATOR'
  | 'OVERRIDE_INVALID'
  | 'OVERRIDE_DIFFERS'
  | 'OVERRIDE_MORE';

/** One that both signed, whom to ask about it, and how many leaves it has within the range. */
export interface AuditedOverride {
  readonly id: string;
  readonly reason: string;
  readonly colour: string;
  readonly days: number;
  /** For how many it was signed. */
  readonly people: number;
  readonly leaves: number;
  readonly proposed: AuditedSignature;
  readonly confirmed: AuditedSignature;
}

export interface AuditedSignature {
  readonly name: string;
  readonly keyId: string;
  readonly atS: number;
}

interface Counted {
  readonly basis: OverrideBasis;
  /** Hexadecimal digits: what all its leaves commit to. */
  readonly evidence: string;
  leaves: number;
}

export class OverrideAudit {
  readonly #names: OverrideNames;
  readonly #operators: readonly DisclosedOperator[];
  readonly #modules: Primitives;
  /** By evidence: one override may have thousands of leaves. */
  readonly #faults = new Map<string, OverrideFault | undefined>();
  readonly #byId = new Map<string, Counted>();

  constructor(
    { operators, ...names }: OverrideNames & { readonly operators: readonly DisclosedOperator[] },
    modules: Primitives,
  ) {
    this.#names = names;
    this.#operators = operators;
    this.#modules = modules;
  }

  /** What does not fit at a leaf of this status; undefined where all does, and then it counts. */
  faultOf(status: Status, basis: OverrideBasis): OverrideFault | undefined {
    const evidence = hexOf(evidenceOf(this.#modules.sha256, encodeBasis(basis)));
    if (!this.#faults.has(evidence)) this.#faults.set(evidence, this.#faultOfBasis(basis));
    const fault = this.#faults.get(evidence);
    if (fault !== undefined) return fault;
    if (!isSameStatus(status, overrideStatus(basis, basis.atS))) return 'OVERRIDE_DIFFERS';
    const counted = this.#byId.get(basis.id) ?? { basis, evidence, leaves: 0 };
    if (counted.evidence !== evidence) return 'OVERRIDE_INVALID';
    this.#byId.set(basis.id, counted);
    return ++counted.leaves > basis.people ? 'OVERRIDE_MORE' : undefined;
  }

  /** Those that had a leaf, in the order in which these came. */
  get overrides(): readonly AuditedOverride[] {
    const signatory = ({ name, publicKey, atS }: OverrideSignature) => ({
      name,
      keyId: keyIdOf(this.#modules.sha256, publicKey),
      atS,
    });
    return [...this.#byId.values()].map(({ leaves, basis }) => {
      const { id, reason, colour, days, people, proposed, confirmed } = basis;
      const by = { proposed: signatory(proposed), confirmed: signatory(confirmed) };
      return { id, reason, colour, days, people, leaves, ...by };
    });
  }

  #faultOfBasis(basis: OverrideBasis): OverrideFault | undefined {
    const { proposed, confirmed } = basis;
    if (!isSignedByTwo(this.#modules, this.#names, basis)) return 'OVERRIDE_SIGNATURE';
    if (!this.#isOperator(proposed) || !this.#isOperator(confirmed)) return 'OVERRIDE_UNKNOWN_OPERATOR';
    const afterS = confirmed.atS - proposed.atS;
    const isInTime = afterS >= -CLOCK_AHEAD_S_MAX && afterS <= PROPOSAL_S_MAX + CLOCK_AHEAD_S_MAX;
    return isInTime ? undefined : 'OVERRIDE_INVALID';
  }

  /** The clocks of whoever signs and of the node may differ. */
  #isOperator({ name, publicKey, atS }: OverrideSignature): boolean {
    return this.#operators.some(
      (one) =>
        one.name === name &&
        equalBytes(one.publicKey, publicKey) &&
        one.scopes.includes('issue') &&
        one.fromS - CLOCK_AHEAD_S_MAX <= atS &&
        atS <= (one.untilS ?? Infinity) + CLOCK_AHEAD_S_MAX,
    );
  }
}
