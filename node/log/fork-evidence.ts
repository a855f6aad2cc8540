/** Evidence of a fork, as the modules of syncing name it. */
export { type ForkEvidence } from '../../protocol/evidence/fork.ts';
