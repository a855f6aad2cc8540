/** The work of a trust log: statements that are signed as they are logged, and entries that the root has signed before. */
import {
  encodeStatement,
  signStatement,
  statementMessage,
  parseEntry,
} from '../../protocol/trust/statement.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { type SignerOfMany } from '../crypto/signing-thread.ts';
import { type Change, type Signer } from '../ports.ts';
import { logError } from './log-error.ts';
import { type BatchPlace, type LogWork, type PreparedBatch } from './log-work.ts';

/** A key of the region, and the name by which what it signs points to it. */
export interface KeyedSigner extends Signer {
  /** 16 lower-case hexadecimal digits. */
  readonly keyId: string;
  /** Where many can be signed on another thread. */
  readonly signerOfMany?: SignerOfMany;
}

type WithoutTime<S> = S extends Statement ? Omit<S, 'at'> : never;
/** A statement that is to be signed by the trust-log key; its `at` is that of its batch. */
export type StatementDraft = WithoutTime<Statement>;

/** A statement that depends on when and where it is logged. A throw refuses it alone. */
export interface StatementOrder {
  build(place: BatchPlace): { readonly statement: StatementDraft; readonly changes?: readonly Change[] };
}

/** Or an entry whole and signed, as it comes from the ceremony of the root. */
export type TrustLogItem = StatementOrder | { readonly entry: Uint8Array };

export interface TrustLogWorkModules {
  readonly verifySignature: VerifySignature;
  /** The trust-log key in force. @throws {NodeError} KEY_NOT_IN_FORCE */
  readonly trustLogKey: (atS: number) => KeyedSigner;
  /** Throws if the entry would have no effect there: it is refused then, instead of being logged for nothing. */
  readonly vet?: (entry: Uint8Array, place: BatchPlace) => void;
}

export class TrustLogWork implements LogWork<TrustLogItem> {
  readonly #origin: string;
  readonly #modules: TrustLogWorkModules;

  constructor({ origin }: { readonly origin: string }, modules: TrustLogWorkModules) {
    this.#origin = origin;
    this.#modules = modules;
  }

  prepare(items: readonly TrustLogItem[], { index, atS }: BatchPlace): PreparedBatch {
    const drafts: Uint8Array[] = [];
    const changes: Change[] = [];
    const places = items.map((item) => {
      try {
        const place = { index: index + drafts.length, atS };
        const made = 'entry' in item ? { entry: item.entry, changes: [] } : this.#sign(item, place);
        this.#modules.vet?.(made.entry, place);
        drafts.push(made.entry);
        changes.push(...made.changes);
        return place.index;
      } catch (error) {
        return error instanceof Error ? error : new TypeError('a statement was refused without a reason');
      }
    });
    return { drafts, places, changes };
  }

  /** Statements say nothing of their place, so they are signed when they are prepared. */
  finish(draft: Uint8Array): Uint8Array {
    return draft;
  }

  #sign(order: StatementOrder, place: BatchPlace): { entry: Uint8Array; changes: readonly Change[] } {
    const { statement, changes = [] } = order.build(place);
    const key = this.#modules.trustLogKey(place.atS);
    const body = encodeStatement({ ...statement, at: place.atS });
    const sign = (message: Uint8Array) => key.sign(message);
    const entry = signStatement(this.#origin, body, [{ keyId: key.keyId, sign }]);
    this.#verify(entry, key);
    return { entry, changes };
  }

  #verify(entry: Uint8Array, { publicKey }: Signer): void {
    const { body, signatures } = parseEntry(entry);
    const message = statementMessage(this.#origin, body);
    const { verifySignature } = this.#modules;
    if (signatures.every(({ signature }) => verifySignature({ publicKey, message, signature }))) return;
    throw logError('SIGNER_FAULTY', `${this.#origin}: the signature on a statement does not verify`);
  }
}
