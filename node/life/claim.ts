/** What is asked of an order by rules, and what it comes to beside what is known here. */
import { type DocumentInput } from '../../protocol/code/document.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type Facts } from '../../protocol/rules/facts.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Ordered } from '../issuing/forgotten-marks.ts';
import { type Identity } from '../lists/identity.ts';

/** A colour that somebody is to get by rules, on facts that are told with it. */
export interface Claim {
  readonly subject: string;
  /** Who it is by papers, where nobody of that reference has declared. */
  readonly identity?: Identity | undefined;
  /** To which document the code is to be bound; where `identity` tells none it is that. */
  readonly document?: DocumentInput | undefined;
  readonly ruleSet: RuleSet;
  readonly atS: number;
  readonly facts: Facts;
  readonly status: Status;
  /** Before it was looked at: of whom is forgotten since no papers are kept. */
  readonly ordered?: Ordered | undefined;
}

/**
 * `stricter`: with what is known here the rules give a stricter colour; `open`: they give none; `ambiguous`: entries of lists may be about
 * them, or about another; `unknown`: lists of people are in force, and nothing says who it is; `overridden`: they have a stricter code
 * that no rule gave, and that runs; `beside`: they have one that rules gave, and that runs; `papers`: who declared, or was
 * issued to before, did or was so under another name, day of birth or document, or another reference has these papers; `paper`: the code is to be bound to
 * another document than that of the person; `told`: it demands more than all that is known here of somebody of whom something is, as one who declared or has a code, or of whom a list in force would say it; or lists do, under papers
 * that nobody but the order says to be theirs, be it that their declaration cannot be read. Where nobody is named one person gives any colour, and that is none.
 */
export type Contradiction =
  'stricter' | 'open' | 'ambiguous' | 'unknown' | 'overridden' | 'beside' | 'papers' | 'paper' | 'told';

/** What a claim comes to beside what is known here. */
export interface Weighed {
  readonly contradiction: Contradiction | undefined;
  /**
   * The colour is not green, and nothing that is known here demands as much for as long by the rules for people, or, where there are none, by those that the
   * order names: it rests on what is told with it alone. Or lists do, under papers that nobody but the order says to be those of somebody who never declared
   * and has a looser code; or they do by name and day of birth alone, while a document is told too.
   */
  readonly isTold: boolean;
}
