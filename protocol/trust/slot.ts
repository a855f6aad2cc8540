/** The places of a trust state that statements fill, each by the newest that passed. Spec: SPEC.md 8.2. */
import { hexOf } from '../bytes.ts';
import { type Entry } from './statement.ts';
import { type Statement } from './statement-schema.ts';

/** Whose authority an entry has: enough root keys together, or one trust-log key. */
export type Signer = 'root' | 'trust-log';

/** An entry whose statement passed, in its place. */
export interface Slot {
  readonly index: number;
  readonly entry: Entry;
  readonly signer: Signer;
}

/** A statement of a kind that fills a slot. */
export type SlotStatement = Exclude<Statement, { kind: 'revocation' | 'state' }>;

/** The name of the slot that a statement at `index` fills. */
export function slotName(statement: SlotStatement, index: number): string {
  switch (statement.kind) {
    case 'root':
      return rootSlot(statement.version);
    case 'keys':
      return `keys/${index}`;
    case 'limits':
      return 'limits';
    case 'recognition':
    case 'withdrawal':
      return recognitionSlot(statement.region);
    case 'suspension':
      return suspensionSlot(statement.region);
    case 'compromise':
      return compromiseSlot(hexOf(statement.key));
    case 'retirement':
      return retirementSlot(hexOf(statement.key));
    case 'rules':
      return rulesSlot(statement.id);
    case 'adapter':
      return adapterSlot(statement.id);
    case 'foreign-revocation':
      return `foreign-revocation/${index}`;
    case 'log':
      return logSlot(statement.log);
    case 'node':
      return nodeSlot(statement.key);
    case 'tally':
      return tallySlot(statement.log);
  }
}

export const rootSlot = (version: number) => `root/${version}`;
export const recognitionSlot = (region: string) => `recognition/${region}`;
export const suspensionSlot = (region: string) => `suspension/${region}`;
export const compromiseSlot = (keyId: string) => `compromise/${keyId}`;
export const retirementSlot = (keyId: string) => `retirement/${keyId}`;
export const rulesSlot = (id: string) => `rules/${id}`;
export const adapterSlot = (id: string) => `adapter/${id}`;
export const logSlot = (log: string) => `log/${log}`;
export const tallySlot = (log: string) => `tally/${log}`;
export const nodeSlot = (publicKey: Uint8Array) => `node/${hexOf(publicKey)}`;
