/** From a person and a status given by hand to what a region issues. */
import { type z } from 'zod';
import { type IssueGate } from '../../node/abuse/issue-gate.ts';
import { type issueOrder } from '../../node/http/admin-schemas.ts';
import { type Ordered } from '../../node/issuing/forgotten-marks.ts';
import { type IssueRequest } from '../../node/issuing/issuer.ts';
import { isNodeError, type NodeError } from '../../node/node-error.ts';
import { equalBytes, hexBytes, hexOf } from '../../protocol/bytes.ts';
import { type ParsedCode } from '../../protocol/code/code.ts';
import { encodeStatus, type Status } from '../../protocol/code/status.ts';
import { paperOf, type Person } from './person.ts';

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Of a status that the operator gives without rules. */
const MANUAL_RULE = { ruleId: 'manual', ruleVersion: 1 } as const;
const DAYS_BY_DEFAULT = { green: 7, yellow: 7, red: 14 } as const;
const MEASURES = { green: 'none', yellow: 'home', red: 'isolate' } as const;

/** What is to be issued, and who is refused that: each in the order of the people. */
export interface Requested {
  readonly requested: readonly { readonly person: Person; readonly request: IssueRequest }[];
  readonly refused: readonly { readonly person: Person; readonly error: NodeError }[];
}

/** Requests for people; rejects as `basisOf`, but for those whom that refuses. Times are rounded up to the hour, so that a code does not tell when in the hour it was issued. */
export async function requestsOf(
  people: readonly Person[],
  nowS: number,
  { basisOf }: RequestsModules,
): Promise<Requested> {
  const all = await Promise.all(
    people.map(async (person) => {
      const { subject, device, told, identity } = person;
      const status = statusOf(person, nowS);
      const holderKey = device === undefined ? undefined : hexBytes(device);
      const document = paperOf(person);
      try {
        const grounds = await basisOf({ subject, status, told, identity, document });
        return { person, request: { subject, fields: { status, holderKey }, document, ...grounds } };
      } catch (error) {
        if (!isNodeError(error, 'REFUSED')) throw error;
        return { person, error };
      }
    }),
  );
  return {
    requested: all.flatMap(({ person, request }) => (request === undefined ? [] : [{ person, request }])),
    refused: all.flatMap(({ person, error }) => (error === undefined ? [] : [{ person, error }])),
  };
}

export interface RequestsModules {
  /** See `IssueGate.basisOf`. */
  readonly basisOf: IssueGate['basisOf'];
}

type OrderFacts = NonNullable<z.input<typeof issueOrder>['basis']>['facts'];

/** The order for a person as the admin address of a node takes it, of now; `ordered` as there. */
export function orderOf(
  person: Person,
  nowS: number,
  ordered: Ordered | undefined,
): z.input<typeof issueOrder> {
  const { subject, device, told, identity } = person;
  const document = paperOf(person);
  return {
    subject,
    status: statusOf(person, nowS),
    ...(ordered !== undefined && { ordered }),
    ...(identity !== undefined && { identity }),
    ...(told !== undefined && { basis: { atS: told.atS, facts: { ...told.facts } as OrderFacts } }),
    ...(device !== undefined && { holderKey: device.toLowerCase() }),
    ...(document !== undefined && { document }),
  };
}

/**
 * Whether a code is what was ordered for this person. Where the row gives the colour: from `sinceS` to the hour of its attestation, since signing may
 * have to wait; without `sinceS` from the hour before. Where rules decided it has that status.
 */
export function isAsOrdered(
  person: Person,
  { attestation, status, holderKey }: Pick<ParsedCode, 'attestation' | 'status' | 'holderKey'>,
  sinceS = (attestation.hour - 1) * HOUR_S,
): boolean {
  const { colour, days = DAYS_BY_DEFAULT[colour], device, status: decided } = person;
  if ((holderKey && hexOf(holderKey)) !== device?.toLowerCase()) return false;
  if (decided !== undefined) return equalBytes(encodeStatus(decided), encodeStatus(status));
  const firstHour = Math.floor(sinceS / HOUR_S);
  const hour = (status.expiresAtS - days * DAY_S) / HOUR_S - 1;
  return (
    firstHour <= hour &&
    hour <= Math.max(firstHour, attestation.hour) &&
    equalBytes(encodeStatus(statusOf(person, hour * HOUR_S)), encodeStatus(status))
  );
}

/** How many of the people get a code on paper. */
export function countOnPaper(people: readonly Person[]): number {
  return people.filter((person) => person.document_number !== undefined).length;
}

function statusOf({ colour, days = DAYS_BY_DEFAULT[colour], status }: Person, nowS: number): Status {
  if (status !== undefined) return status;
  const expiresAtS = (Math.floor(nowS / HOUR_S) + 1) * HOUR_S + days * DAY_S;
  const measure = MEASURES[colour];
  return { colour, measure, untilS: measure === 'none' ? undefined : expiresAtS, expiresAtS, ...MANUAL_RULE };
}
