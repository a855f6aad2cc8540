/** Errors as they cross threads: a structured clone would forget their class and code. */
import { type FaultCode, isProtocolError, ProtocolError } from '../../../protocol/fault.ts';
import { isNodeError, NodeError, type NodeErrorCode } from '../../node-error.ts';

export type PlainError =
  | {
      readonly kind: 'node';
      readonly code: NodeErrorCode;
      readonly message: string;
      readonly retry: boolean;
      readonly fatal: boolean;
      readonly hint: string | undefined;
    }
  | { readonly kind: 'protocol'; readonly code: FaultCode; readonly message: string }
  | { readonly kind: 'other'; readonly message: string };

export function toPlainError(error: unknown): PlainError {
  if (isNodeError(error)) {
    const { code, message, retry, fatal, hint } = error;
    return { kind: 'node', code, message, retry, fatal, hint };
  }
  if (isProtocolError(error)) {
    const { code } = error.fault;
    return { kind: 'protocol', code, message: error.message.replace(`${code}: `, '') };
  }
  return { kind: 'other', message: error instanceof Error ? error.message : 'something that is no error' };
}

export function fromPlainError(plain: PlainError): Error {
  switch (plain.kind) {
    case 'node': {
      const { code, message, retry, fatal, hint } = plain;
      return new NodeError(code, message, { retry, fatal, ...(hint === undefined ? {} : { hint }) });
    }
    case 'protocol':
      return new ProtocolError(plain.code, plain.message);
    case 'other':
      return new Error(plain.message);
  }
}
