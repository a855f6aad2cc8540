/** From a person and a status given by hand to what a region issues. */
import { type z } from 'zod';
import { type IssueGate } from '../../node/abuse/issue-gate.ts';
import { scryptInPool } from '../../node/crypto/scrypt.ts';
import { type issueOrder } from '../../node/http/admin-schemas.ts';
import { type IssueRequest } from '../../node/issuing/issuer.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { documentHash } from '../../protocol/code/document.ts';
import { type DocumentField, SALT_BYTES } from '../../protocol/code/field.ts';
import { type Status } from '../../protocol/code/status.ts';
import { type Person } from './person.ts';

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Of a status that the operator gives without rules. */
const MANUAL_RULE = { ruleId: 'manual', ruleVersion: 1 } as const;
const DAYS_BY_DEFAULT = { green: 7, yellow: 7, red: 14 } as const;
const MEASURES = { green: 'none', yellow: 'home', red: 'isolate' } as const;

/** Document hashes that are computed at once; each takes a thread of libuv's pool and 32 MiB. */
const HASHES_AT_ONCE = 4;

/**
 * Requests for people, in their order. Documents cost 50 ms each; `onHashed` hears how many are done.
 * Times are rounded up to the hour, so that a code does not tell when in the hour it was issued.
 */
export async function requestsOf(
  people: readonly Person[],
  nowS: number,
  random: (bytes: number) => Uint8Array,
  { basisOf, onHashed }: RequestsModules,
): Promise<IssueRequest[]> {
  const documents = new Array<DocumentField | undefined>(people.length);
  const onPaper = people.flatMap((person, i) => (person.document_number === undefined ? [] : [i]));
  for (let at = 0; at < onPaper.length; at += HASHES_AT_ONCE) {
    const batch = onPaper.slice(at, at + HASHES_AT_ONCE);
    const fields = await Promise.all(batch.map((i) => documentField(people[i] as Person, random)));
    batch.forEach((i, n) => (documents[i] = fields[n]));
    onHashed?.(Math.min(at + HASHES_AT_ONCE, onPaper.length));
  }
  return people.map((person, i) => {
    const status = statusOf(person, nowS);
    const holderKey = person.device === undefined ? undefined : hexBytes(person.device);
    const basis = basisOf(status, person.told);
    return { subject: person.subject, fields: { status, holderKey, document: documents[i] }, basis };
  });
}

export interface RequestsModules {
  /** See `IssueGate.basisOf`. */
  readonly basisOf: IssueGate['basisOf'];
  readonly onHashed?: (done: number) => void;
}

type OrderFacts = NonNullable<z.input<typeof issueOrder>['basis']>['facts'];

/** The order for a person as the admin address of a node takes it. */
export function orderOf(person: Person, nowS: number): z.input<typeof issueOrder> {
  const { subject, device, document_country: country, document_number: number, told } = person;
  return {
    subject,
    status: statusOf(person, nowS),
    ...(told !== undefined && { basis: { atS: told.atS, facts: { ...told.facts } as OrderFacts } }),
    ...(device !== undefined && { holderKey: device.toLowerCase() }),
    ...(country !== undefined && number !== undefined && { document: { country, number } }),
  };
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

async function documentField(person: Person, random: (bytes: number) => Uint8Array): Promise<DocumentField> {
  const { document_country: country = '', document_number: number = '' } = person;
  const salt = random(SALT_BYTES);
  return { salt, hash: await documentHash(scryptInPool, { country, number }, salt) };
}
