/** Codes for tests: issued, opened and shown the way an issuer and a holder's device do it, with keys made from names. */
import { createHash } from 'node:crypto';
import { asciiBytes } from '../../protocol/bytes.ts';
import { encodeAttestation } from '../../protocol/code/attestation-draft.ts';
import { codeText } from '../../protocol/code/code-text.ts';
import { encodeCode } from '../../protocol/code/code.ts';
import { type FieldName, type Fields } from '../../protocol/code/field.ts';
import { commitFields } from '../../protocol/code/openings.ts';
import { encodePresentation, presentationMessage, stepAt } from '../../protocol/code/presentation.ts';
import { type Status } from '../../protocol/code/status.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { sha256 } from './primitives.ts';

export const NETWORK = 'demo';
export const HOUR_S = 3_600;
export const DAY_S = 86_400;

export interface FixtureKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

const keys = new Map<string, FixtureKey>();

/** The same name gives the same key. */
export function keyNamed(name: string): FixtureKey {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const signer = opensslBackEnd.signerOf(sha256(asciiBytes(`fixture key ${name}`)));
  const key: FixtureKey = {
    keyId: keyIdOf(sha256, signer.publicKey),
    publicKey: signer.publicKey,
    sign: (message) => signer.sign(message),
  };
  keys.set(name, key);
  return key;
}

/** Entropy of a code: the same for the same claims, so that vectors made of such codes stay the same. */
function entropyOf(claims: string): (length: number) => Uint8Array {
  return (length) =>
    new Uint8Array(
      createHash('shake256', { outputLength: length }).update(`fixture entropy ${claims}`).digest(),
    );
}

/** The log whose month holds `atS`. */
export function logAt(atS: number): string {
  return new Date(atS * 1000).toISOString().slice(0, 7);
}

export function greenStatus(issuedAtS: number): Status {
  return {
    colour: 'green',
    measure: 'none',
    expiresAtS: issuedAtS + 7 * DAY_S,
    ruleId: 'baseline',
    ruleVersion: 1,
  };
}

export interface IssueOptions {
  readonly region: string;
  readonly key: FixtureKey;
  readonly index: number;
  readonly issuedAtS: number;
  readonly log?: string;
  readonly network?: string;
  readonly status?: Partial<Status>;
  readonly fields?: Omit<Fields, 'status'>;
  /** All fields that are used, without it. */
  readonly opened?: readonly FieldName[];
  /** Another text gives the same claims other salts. */
  readonly salting?: string;
}

export interface IssuedCode {
  /** The log's entry. */
  readonly attestation: Uint8Array;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** The same options give the same code. */
export function issueCode(options: IssueOptions): IssuedCode {
  const { region, key, index, issuedAtS, log = logAt(issuedAtS), network = NETWORK, fields = {} } = options;
  const status = { ...greenStatus(issuedAtS), ...options.status };
  const entropy = entropyOf(JSON.stringify([region, log, index, issuedAtS, status, options.salting]));
  const { commitment, openings } = commitFields(sha256, { status, ...fields }, entropy);
  const hour = Math.floor(issuedAtS / HOUR_S);
  const attestation = encodeAttestation(
    { region, log, index, hour, commitment },
    key.keyId,
    network,
    key.sign,
  );
  const used: FieldName[] = ['status'];
  if (fields.holderKey) used.push('holder');
  if (fields.document) used.push('document');
  if (fields.evidence) used.push('evidence');
  const bytes = encodeCode(sha256, attestation, openings, options.opened ?? used);
  return { attestation, bytes, text: codeText(bytes) };
}

/** The code as the device with `key` shows it at `atS`. */
export function presentCode(
  { attestation, bytes }: IssuedCode,
  key: FixtureKey,
  atS: number,
  challenge: Uint8Array = new Uint8Array(0),
): string {
  const claims = { step: stepAt(atS), challenge };
  const signature = key.sign(presentationMessage(sha256, attestation, claims));
  return codeText(encodePresentation({ code: bytes, ...claims, signature }));
}
