/** What goes wrong with a request, as HTTP says it: one table from fault to status, and `application/problem+json` (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import { type FaultCode, isProtocolError } from '../../protocol/fault.ts';
import { isNodeError, type NodeErrorCode } from '../node-error.ts';

/** Faults of requests themselves. Stable API, listed in SPEC.md 15.8. */
export const REQUEST_FAULTS = [
  'BODY_MALFORMED',
  'BODY_TOO_LARGE',
  'BODY_TYPE',
  'INPUT_INVALID',
  'PATH_UNKNOWN',
  'METHOD_UNKNOWN',
  'UNAUTHORISED',
  'RATE_EXCEEDED',
  'OVERLOADED',
  'KNOWLEDGE_STALE',
] as const;

export type RequestFault = (typeof REQUEST_FAULTS)[number];
export type ProblemCode = RequestFault | FaultCode | NodeErrorCode;

/** The status of each fault. Of codes that stand nowhere here faults of foreign bytes are 422, our own errors 500. */
export const CODES_BY_STATUS: Readonly<Record<number, readonly ProblemCode[]>> = {
  400: ['BODY_MALFORMED'],
  401: ['UNAUTHORISED'],
  403: ['SCOPE_MISSING'],
  404: ['PATH_UNKNOWN', 'NOT_FOUND', 'ORIGIN_INVALID', 'TILE_INVALID', 'LOG_NOT_ANNOUNCED'],
  405: ['METHOD_UNKNOWN'],
  409: ['REFUSED', 'ORDER_DIFFERS', 'FORGOTTEN', 'STATEMENT_CONFLICT', 'LOG_SEALED'],
  410: ['LOG_PRUNED', 'LOG_OVER'],
  413: ['BODY_TOO_LARGE'],
  415: ['BODY_TYPE'],
  422: ['INPUT_INVALID'],
  429: ['RATE_EXCEEDED', 'REVOCATIONS_EXCEEDED'],
  503: [
    'OVERLOADED',
    'KNOWLEDGE_STALE',
    'KEY_NOT_IN_FORCE',
    'PEER_UNREACHABLE',
    'NODE_SILENT',
    'DISK_FULL',
    'DISK_IO',
    'DISK_CLOSED',
    'STORE_WRITE_UNKNOWN',
    'STORE_BUSY',
    'STORE_FULL',
    'STORE_DOWN',
    'STORE_READ_ONLY',
    'STORE_CLOSED',
    'REGISTRY_AWAY',
    'REGISTRY_TAKEN',
    'REGISTRY_BEHIND',
    'LOG_BEHIND',
    'LOG_CONTRADICTED',
    'LOG_FENCED',
    'LOG_UNCHECKED',
    'LOG_BUSY',
    'LOG_UNSETTLED',
    'LOG_NOT_WRITTEN',
    'LOG_STOPPED',
    'CLOCK_BEHIND',
    'CLOCK_ASTRAY',
  ],
};

const STATUS_OF = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);

/** Where in the input, as `/` and the names that lead there, joined by `/`, and what was expected there. */
export interface InputError {
  readonly at: string;
  readonly detail: string;
}

/** A request that cannot be served as it is. `message` never repeats what was sent. */
export class RequestError extends Error {
  readonly code: RequestFault;
  readonly errors: readonly InputError[];

  constructor(code: RequestFault, message: string, errors: readonly InputError[] = []) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.errors = errors;
  }
}

/** The members of RFC 9457, and ours: `code` for programs, `errors` with the places, `hint` and `retry` where there are such. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly InputError[];
  readonly hint?: string;
  /** The same request may succeed later. */
  readonly retry?: boolean;
}

/** `teller`: the operator hears all that is known; everybody else nothing about this machine. */
export function problemOf(error: unknown, hearer: 'public' | 'operator'): Problem {
  if (error instanceof RequestError) {
    const { code, message, errors } = error;
    return { ...problem(code, message), ...(errors.length > 0 && { errors }) };
  }
  if (isProtocolError(error))
    return problem(error.fault.code, error.message.slice(error.fault.code.length + 2), 422);
  if (isNodeError(error)) {
    const { code, message, hint, retry } = error;
    const told = problem(code, message);
    if (hearer === 'operator') return { ...told, retry, ...(hint !== undefined && { hint }) };
    return told.status < 500 ? told : { ...told, detail: 'the node cannot serve this now', retry };
  }
  return problem('INTERNAL', 'a failure of this node: its log says more');
}

function problem(code: ProblemCode | 'INTERNAL', detail: string, otherwise = 500): Problem {
  const status = (code === 'INTERNAL' ? undefined : STATUS_OF.get(code)) ?? otherwise;
  return { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, code, detail };
}
