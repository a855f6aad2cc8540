/** Claims and permits of a synthetic region, signed by a key that follows from a number. */
import { type Claim, type Permit, type SignedWord, signWord } from '../../protocol/writer/word.ts';
import { testKey } from './keys.ts';

export const TRUST = 'CN-33.test/trust';
export const ATTEST = 'CN-33.test/attest/2026-11';
export const CHECKPOINT_KEY = testKey(1);

/** Who writes: a machine and one of its processes, each by a number. */
export interface Reign {
  readonly epoch: number;
  readonly machine?: number;
  readonly session?: number;
}

export function claimOf(
  { epoch, machine = 1, session = machine }: Reign,
  changes: Partial<Claim> = {},
  key = CHECKPOINT_KEY,
): SignedWord<Claim> {
  const writer = testKey(100 + machine).publicKey;
  const word = {
    kind: 'claim',
    origin: TRUST,
    epoch,
    writer,
    session: sessionOf(session),
    at: 1_795_436_400,
  };
  return signWord<Claim>({ ...(word as Claim), ...changes }, key);
}

export function permitOf(
  { epoch, machine = 1, session = machine }: Reign,
  { from, size, tree = 0, origin = TRUST }: { from: number; size: number; tree?: number; origin?: string },
  key = CHECKPOINT_KEY,
): SignedWord<Permit> {
  const root = new Uint8Array(32).fill(tree);
  const word: Permit = { kind: 'permit', origin, epoch, session: sessionOf(session), from, size, root };
  return signWord<Permit>(word, key);
}

function sessionOf(number: number): Uint8Array {
  return new Uint8Array(16).fill(number);
}
