/**
 * Whether one operator may give somebody a colour: only what rules in force give on the facts that are told with it, and only where
 * nothing that the region itself knows of them contradicts those.
 */
import { isDeepStrictEqual } from 'node:util';
import { type DocumentInput } from '../../protocol/code/document.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type Basis, encodeBasis } from '../../protocol/disclosure/basis.ts';
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { readRuleSet } from '../../protocol/rules/rule-set.ts';
import { type TrustState } from '../../protocol/trust/trust-state.ts';
import { Gathered } from '../issuing/gathered.ts';
import { type IssueRequest } from '../issuing/issuer.ts';
import { type Ordered } from '../issuing/forgotten-marks.ts';
import { type Claim, type Contradiction, type Weighed } from '../life/claim.ts';
import { type Identity } from '../lists/identity.ts';
import { NodeError } from '../node-error.ts';

/** What an order says its colour rests on. */
export interface ToldBasis {
  /** When it was decided, seconds since 1970. */
  readonly atS: number;
  readonly facts: Readonly<Record<string, RuleValue>>;
}

export interface GateOrder {
  readonly subject: string;
  readonly status: Status;
  /** Undefined for a colour that no rules gave. */
  readonly told: ToldBasis | undefined;
  /** By which lists know the person, where they have not declared. */
  readonly identity?: Identity | undefined;
  /** To which the code is to be bound: counts as theirs where `identity` tells none. */
  readonly document?: DocumentInput | undefined;
  /** Before it was looked at, where people may be forgotten meanwhile. */
  readonly ordered?: Ordered | undefined;
}

export interface IssueGateModules {
  readonly state: () => Pick<TrustState, 'rules'> | undefined;
  /** Whether the region has named operators: from then on nobody gives a colour alone. */
  readonly areNamed: () => boolean;
  readonly nowS: () => number;
  /** What the region knows otherwise, of at most 1,024 at once: `Life.weigh`. */
  readonly weigh: (claims: readonly Claim[], areNamed: boolean) => Promise<readonly (Weighed | NodeError)[]>;
}

/** Seconds from a decision to issuing: a file of people takes a while. */
const DECIDED_S_MAX = 3_600;
/** Seconds that the clock of whoever decided may be ahead: more would end a measure before its last day does. */
const AHEAD_S_MAX = 120;

const CONTRADICTED: Readonly<Record<Contradiction, readonly [why: string, hint: string]>> = {
  stricter: [
    'with what the region knows of the person itself the rules give a stricter colour',
    'Let the region decide: entente update. Against what it knows only two operators give a colour: entente override propose.',
  ],
  open: [
    'with what the region knows of the person itself the rules give no colour',
    'See entente holder --explain. Against what it knows only two operators give a colour: entente override propose.',
  ],
  ambiguous: [
    'entries of lists may be about the person, or about another',
    'Give their papers, or mend the list. Otherwise it takes two operators: entente override propose.',
  ],
  overridden: [
    'two operators gave the person a stricter colour, which still counts',
    'It counts to its end. Who is to pass before that: revoke it, and let two operators give another (entente override propose).',
  ],
  beside: [
    'a stricter code of the person still runs',
    'It counts to its end. Better news come by lists and entente update, for who has declared (entente declare); it also mends what was wrong once an objection is upheld (entente object). A code that was given by mistake is revoked first.',
  ],
  papers: [
    'the papers are not those of this reference: the person declared, or was issued to, under another name, day of birth or document, or another reference has them',
    'See whose reference it is, and give the document where papers have none. Who has a new name or document, or was first issued to under wrong ones, declares: entente declare.',
  ],
  paper: [
    'the code is to be bound to another document than that of the person',
    'Give the document that the papers with the order tell, or, for who declared, one that they declared: entente declare.',
  ],
  told: [
    'only what is told with the order gives a colour as strict, be it facts or whose papers these are, and nothing that the region knows of the person does',
    'Let the person declare (entente declare), import the list that says it (entente lists import), or give the papers under which their code was issued, all of them. Otherwise propose it as an override: two operators (entente override propose).',
  ],
  unknown: [
    'lists of people are in force, and nothing says who this person is by papers',
    'Give name, day of birth and document with the order, or take the declaration of the person first: entente declare.',
  ],
};

export class IssueGate {
  readonly #modules: IssueGateModules;
  readonly #asked: Gathered<Claim, Weighed>;

  constructor(modules: IssueGateModules) {
    this.#modules = modules;
    this.#asked = new Gathered<Claim, Weighed>((claims) => modules.weigh(claims, modules.areNamed()));
  }

  /**
   * What is kept of why somebody gets this status, and whether it rests on what is told alone, which the basis says too; nothing where the region names no
   * operators and nothing is told.
   * @throws {NodeError} REFUSED for a colour without a rule, for one that the rules do not give on these facts, and for one that what the
   * region knows contradicts; where operators are named also for one that only the facts give to somebody of whom the region knows
   * something, or only papers that no order told before; and as `Life.weigh`.
   */
  async basisOf({
    subject,
    status,
    told,
    identity,
    document,
    ordered,
  }: GateOrder): Promise<Pick<IssueRequest, 'basis' | 'isTold'>> {
    if (told === undefined) {
      if (!this.#modules.areNamed()) return {};
      throw new NodeError('REFUSED', 'a colour without a rule takes two operators', {
        hint: 'Let rules decide (--rules), or propose it: entente override propose.',
      });
    }
    const { atS, facts } = told;
    const agoS = this.#modules.nowS() - atS;
    if (agoS > DECIDED_S_MAX || agoS < -AHEAD_S_MAX) throw refused('it was decided at another time');
    const { ruleId: rule, ruleVersion: version } = status;
    const logged = this.#modules.state()?.rules(rule);
    const ruleSet = logged?.version === version ? readRuleSet(logged).ruleSet : undefined;
    if (ruleSet === undefined) throw refused('the trust log has no such rules in this version');
    const read = readFacts(ruleSet.data.facts, facts);
    const decided = read.facts && decide(ruleSet, read.facts, atS).status;
    if (
      read.facts === undefined ||
      decided === undefined ||
      !isDeepStrictEqual(plain(decided), plain(status))
    )
      throw refused('the rules do not give this colour on these facts');
    const claim = { subject, identity, document, ruleSet, atS, facts: read.facts, status, ordered };
    const { contradiction, isTold } = await this.#asked.ask(claim);
    if (contradiction !== undefined) throw contradicted(contradiction);
    const basis: Basis = { kind: 'rules', atS, rule, version, facts, ...(isTold && { isTold }) };
    return { basis: encodeBasis(basis), isTold };
  }
}

/** Why somebody gets no such code. */
export function contradicted(contradiction: Contradiction): NodeError {
  const [why, hint] = CONTRADICTED[contradiction];
  return new NodeError('REFUSED', why, { hint });
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
