/** Why a peer that was dialled is not connected: words for its operator, made of what libp2p throws. */

export const DIAL_TROUBLES = {
  refused: 'nothing listens there',
  silent: 'no answer in time',
  'other-identity': 'another identity answers at its address',
  'not-welcome': 'it does not let this node in',
  unreachable: 'the address cannot be reached',
} as const;

export type DialTrouble = keyof typeof DIAL_TROUBLES;

/** Thrown by whoever dials where the peer answered, proved who it is, and then said no hello. */
export class NotWelcome extends Error {
  constructor() {
    super(DIAL_TROUBLES['not-welcome']);
    this.name = 'NotWelcome';
  }
}

/** The gravest where several addresses failed: one that answers as somebody else says more than one that does not answer. */
export function dialTroubleOf(error: unknown): DialTrouble {
  const found = new Set(causesOf(error).map(troubleOfOne));
  return RANKED.find((trouble) => found.has(trouble)) ?? 'unreachable';
}

const RANKED: readonly DialTrouble[] = ['other-identity', 'not-welcome', 'silent', 'refused', 'unreachable'];
const DEPTH_MAX = 4;

function causesOf(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > DEPTH_MAX) return [];
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...[...inner, error.cause].flatMap((one) => causesOf(one, depth + 1))];
}

function troubleOfOne(error: Error): DialTrouble {
  if (error instanceof NotWelcome) return 'not-welcome';
  // Noise has no error of its own for it, and libp2p keeps the text alone.
  if (/does not match expected/.test(error.message)) return 'other-identity';
  if (/ECONNREFUSED/.test(error.message)) return 'refused';
  if (/ETIMEDOUT|timed out|aborted/i.test(error.message) || /Timeout|Abort/.test(error.name)) return 'silent';
  return 'unreachable';
}
