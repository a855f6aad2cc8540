/** Giving a node the order of a batch of codes. */
import { type AdminClient, AdminProblem } from '../../node/http/admin-client.ts';
import { type IssuedCode as IssuedLine } from '../../node/http/admin-schemas.ts';
import { type Problem } from '../../node/http/problem.ts';
import { type IssuedCode } from '../people/codes-file.ts';
import { type Person } from '../people/person.ts';
import { orderOf } from '../people/request.ts';
import { type BatchOrder } from './desk.ts';
import { linesOf, PartlyIssued, type RefusedPerson, told } from './node-answers.ts';

export interface GiveOptions {
  /** Hears how many codes have come. */
  readonly onSigned: (done: number) => void;
  /** Whether nothing of it can be in hand by an earlier try. */
  readonly isFirst: boolean;
}

/** What a node says of somebody before anything is issued to them; whatever else it says, a code may have come of the order. */
const BEFORE_ISSUING: ReadonlySet<string> = new Set(['REFUSED', 'INPUT_INVALID', 'SCOPE_MISSING']);

/**
 * The codes of an order, in no order. Whoever was forgotten is left out.
 * @throws {PartlyIssued} where somebody else got none; and as `AdminClient.lines`.
 */
export async function giveOrder(
  client: Pick<AdminClient, 'lines'>,
  lines: readonly (Person | undefined)[],
  { key, atS, since }: BatchOrder,
  { onSigned, isFirst }: GiveOptions,
): Promise<IssuedCode[]> {
  const request = { method: 'POST', path: '/v1/issue/batch', idempotencyKey: key } as const;
  const people = lines.filter((person) => person !== undefined);
  const orders = linesOf(lines, (person) => person && orderOf(person, atS, since));
  const of = people.length;
  const issued: IssuedCode[] = [];
  const problems: Problem[] = [];
  const refused: RefusedPerson[] = [];
  let [done, forgotten] = [0, 0];
  try {
    for await (const answer of client.lines(request, orders)) {
      const { problem, log, index, code } = answer as IssuedLine & { readonly problem?: Problem };
      const { subject } = people[done++] as Person;
      if (problem === undefined) {
        issued.push({ subject, log, index, code });
        onSigned(issued.length);
      } else if (problem.code === 'FORGOTTEN') forgotten++;
      else problems.push(problem);
      if (problem?.code === 'REFUSED') refused.push({ subject, reason: problem.detail });
    }
  } catch (error) {
    // As a whole, before any line: of an earlier try some may be in hand.
    if (!isFirst || !(error instanceof AdminProblem) || error.problem.retry !== false) throw told(error);
    throw new PartlyIssued({ issued, of, problem: error.problem, refused, isRefused: true });
  }
  const [problem] = problems;
  if (problem === undefined && issued.length + forgotten === of) return issued;
  const areRefused = done === of && refused.length === problems.length;
  const isRefused = problems.length === of && problems.every(({ code }) => BEFORE_ISSUING.has(code));
  throw new PartlyIssued({ issued, of, problem, refused: areRefused ? refused : [], isRefused });
}
