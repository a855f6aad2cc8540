/** The protocol: bytes in, proven values or faults out. */
export { ProtocolError, isProtocolError, FAULT_CODES, type Fault, type FaultCode } from './fault.ts';
export {
  type Primitives,
  type Sha256,
  type SignatureCheck,
  type VerifySignature,
} from './primitives.ts';
