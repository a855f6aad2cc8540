/** Asking for what is kept of many, where what is damaged of one says nothing of the others. */
import { type NodeError } from '../node-error.ts';
import { isRegistryDamage } from './registry-error.ts';

/**
 * The answers of `ask` to these questions, in their order; for one that it rejects with damage when it is asked that alone, this error. All are asked together, and
 * where something is damaged by halves: with k such among n it is asked some k log n times. Rejects as `ask`, but for damage.
 */
export async function answersPastDamage<Q, A>(
  questions: readonly Q[],
  ask: (some: readonly Q[]) => Promise<readonly A[]>,
): Promise<readonly (A | NodeError)[]> {
  if (questions.length === 0) return [];
  try {
    return await ask(questions);
  } catch (error) {
    if (!isRegistryDamage(error)) throw error;
    if (questions.length === 1) return [error];
    const half = Math.ceil(questions.length / 2);
    const before = await answersPastDamage(questions.slice(0, half), ask);
    return [...before, ...(await answersPastDamage(questions.slice(half), ask))];
  }
}
