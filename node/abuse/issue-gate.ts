/** Whether one operator may give somebody a colour: only what rules in force give on the facts that are told with it. */
import { isDeepStrictEqual } from 'node:util';
import { type Status } from '../../protocol/code/status.ts';
import { type Basis, encodeBasis } from '../../protocol/disclosure/basis.ts';
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { readRuleSet } from '../../protocol/rules/rule-set.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { NodeError } from '../node-error.ts';

/** What an order says its colour rests on. */
export interface ToldBasis {
  /** When it was decided, seconds since 1970. */
  readonly atS: number;
  readonly facts: Readonly<Record<string, RuleValue>>;
}

export interface IssueGateModules {
  readonly state: () => Pick<TrustState, 'rules'> | undefined;
  /** Whether the region has named operators: from then on nobody gives a colour alone. */
  readonly areNamed: () => boolean;
  readonly nowS: () => number;
}

/** Seconds by which the time of a decision and that of issuing may differ: a file of people takes a while. */
const DECIDED_S_MAX = 3_600;

export class IssueGate {
  readonly #modules: IssueGateModules;

  constructor(modules: IssueGateModules) {
    this.#modules = modules;
  }

  /**
   * What is kept of why somebody gets this status; undefined where the region names no operators and nothing is told.
   * @throws {NodeError} REFUSED for a colour without a rule, and for one that the rules do not give on these facts.
   */
  basisOf(status: Status, told: ToldBasis | undefined): Uint8Array | undefined {
    if (told === undefined) {
      if (!this.#modules.areNamed()) return undefined;
      throw new NodeError('REFUSED', 'a colour without a rule takes two operators', {
        hint: 'Let rules decide (--rules), or propose it: entente override propose.',
      });
    }
    const { atS, facts } = told;
    if (Math.abs(this.#modules.nowS() - atS) > DECIDED_S_MAX) throw refused('it was decided at another time');
    const { ruleId: rule, ruleVersion: version } = status;
    const logged = this.#modules.state()?.rules(rule);
    const ruleSet = logged?.version === version ? readRuleSet(logged).ruleSet : undefined;
    if (ruleSet === undefined) throw refused('the trust log has no such rules in this version');
    const read = readFacts(ruleSet.data.facts, facts);
    const decided = read.facts && decide(ruleSet, read.facts, atS).status;
    if (decided === undefined || !isDeepStrictEqual(plain(decided), plain(status)))
      throw refused('the rules do not give this colour on these facts');
    return encodeBasis({ kind: 'rules', atS, rule, version, facts } satisfies Basis);
  }
}

/** Members that are undefined and those that are absent are the same. */
function plain(status: Status): object {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}

function refused(why: string): NodeError {
  return new NodeError('REFUSED', why, {
    hint: 'Issue by the rules in force: entente issue --rules. A colour without a rule takes two operators: entente override propose.',
  });
}
