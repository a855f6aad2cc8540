/** The hash that tests pass in where the protocol asks for one. */
import { createHash } from 'node:crypto';
import { type Sha256 } from '../../protocol/primitives.ts';

export const sha256: Sha256 = (data) => new Uint8Array(createHash('sha256').update(data).digest());
