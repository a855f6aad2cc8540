/** What a database says of itself, as the errors of a node. None repeats its words, which may hold an address, a password or a value. */
import { isNodeError, NodeError } from '../node-error.ts';

/** SQLSTATE (PostgreSQL, appendix A) or the code of the operating system. */
export function sqlStateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Two transactions were in each other's way: the same again succeeds. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlStateOf(error));
}

/** The server answered and refused, so that what was asked for has not happened. */
export function isAnswered(error: unknown): boolean {
  const state = sqlStateOf(error);
  return /^[0-9A-Z]{5}$/.test(state) && !/^(08|57P)/.test(state) && !/^E[A-Z]{4}$/.test(state);
}

/** Nobody answers, or not as a database that can be used. What this node says by itself stays as it is. */
export function registryAway(error: unknown): NodeError {
  if (isNodeError(error)) return error;
  const state = sqlStateOf(error);
  const isPlain = error instanceof Error && error.message === NO_TLS;
  const known = isPlain ? PLAIN : Object.entries(WORDS).find(([start]) => state.startsWith(start))?.[1];
  const [why, hint] = known ?? [
    state === '' ? 'it does not answer' : `it does not answer (${state})`,
    'Start PostgreSQL, or mend the way to it: what was asked for can be asked again then.',
  ];
  return new NodeError('REGISTRY_AWAY', `the database of the registry cannot be used: ${why}`, {
    retry: true,
    hint,
  });
}

export function writeUnknown(): NodeError {
  const message = 'the database of the registry went away while it wrote: the change was made or not';
  return new NodeError('REGISTRY_AWAY', message, { retry: true, hint: 'Do the same again once it is back.' });
}

export function registryBusy(): NodeError {
  return new NodeError('STORE_BUSY', 'others write into the database of the registry at the same place', {
    retry: true,
    hint: 'Try again.',
  });
}

export function registryFull(): NodeError {
  return new NodeError('STORE_BUSY', 'too much waits for the database of the registry already', {
    retry: true,
    hint: 'Ask again.',
  });
}

export function schemaOther(version: string): NodeError {
  const message = `the tables in the database of the registry have the form ${version}, and this program knows 1`;
  return new NodeError('SCHEMA_NEWER', message, {
    fatal: true,
    hint: 'Use the version of this program that wrote them. Nothing was changed.',
  });
}

/** As `pg` says it. */
const NO_TLS = 'The server does not support SSL connections';
const PLAIN = [
  'it does not speak TLS, and registry.caFile demands it',
  'Turn ssl on in postgresql.conf, with a certificate of these authorities.',
] as const;

const CERTIFICATE = [
  'its certificate is from none of the authorities that are named, or for another name',
  'Look at registry.caFile, and at the name in the connection string.',
] as const;

/** By the beginning of the SQLSTATE, or of another code. */
const WORDS: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  // Of node:tls and OpenSSL, by which a certificate was not taken.
  SELF_SIGNED_CERT: CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED: CERTIFICATE,
  UNABLE_TO: CERTIFICATE,
  CERT_: CERTIFICATE,
  ERR_TLS_CERT: CERTIFICATE,
  '28': ['it does not let this user in', 'Look at the connection string and at pg_hba.conf.'],
  '3D000': ['there is no database of that name', 'Make it: createdb NAME.'],
  '42501': ['the user may not do that there', 'Give the user the right to create and to use its table.'],
  '53': ['it has no room or no connections left (53)', 'Give it room, or a lower registry.connectionsMax.'],
  '25006': ['it is read-only', 'Name the primary, not a copy.'],
};
