/**
 * Who asks at the admin address. The secret of the node is the bootstrap identity: all that can be done until operators are named,
 * and from then on no more than looking on and naming operators. Operators prove each request by their key.
 */
import { type IncomingMessage } from 'node:http';
import { hexBytes } from '../../protocol/bytes.ts';
import { type VerifySignature } from '../../protocol/primitives.ts';
import { mayWithoutKey } from '../operators/acting.ts';
import { type Operators } from '../operators/operators.ts';
import {
  isContentDigest,
  parseProof,
  PROOF_AGE_S_MAX,
  proofMessage,
  type RequestProof,
} from '../operators/request-proof.ts';
import { type Actor } from '../operators/scopes.ts';
import { type SecretFile } from './admin-secret.ts';
import { isJson } from './input.ts';
import { RequestError } from './problem.ts';

export interface AdminAccessOptions {
  readonly region: string;
}

export interface AdminAccessModules {
  readonly secret: Pick<SecretFile, 'bears'>;
  readonly operators: Operators;
  readonly verifySignature: VerifySignature;
  readonly nowS: () => number;
}

/** Proofs that are remembered, each for the time that it counts. */
const PROOFS_MAX = 1_000_000;

export class AdminAccess {
  readonly #options: AdminAccessOptions;
  readonly #modules: AdminAccessModules;
  readonly #actors = new WeakMap<IncomingMessage, Actor>();
  /** Values that were used, of two spans of time: a proof is good in one of them or the next. */
  #used: ReadonlySet<string> = new Set();
  #using = new Set<string>();
  #spanS = 0;
  /** Of what was used before, nobody knows any more. */
  readonly #startedS: number;

  constructor(options: AdminAccessOptions, modules: AdminAccessModules) {
    this.#options = options;
    this.#modules = modules;
    this.#startedS = modules.nowS();
  }

  /** Finds out who asks. @throws {RequestError} UNAUTHORISED, OVERLOADED */
  admit(request: IncomingMessage): void {
    this.#actors.set(request, this.#identify(request));
  }

  /** Who asks, once admitted. */
  actorOf(request: IncomingMessage): Actor {
    const actor = this.#actors.get(request);
    if (actor === undefined) throw new TypeError('the request was not admitted');
    return actor;
  }

  #identify({ headers, method = '', url: path = '' }: IncomingMessage): Actor {
    const { authorization, 'content-type': type, 'content-digest': given = '' } = headers;
    const { operators, secret } = this.#modules;
    if (secret.bears(authorization)) return { name: 'bootstrap', may: mayWithoutKey(operators) };
    const proof = parseProof(authorization ?? '');
    const operator = proof && operators.find(proof.name);
    if (proof === undefined || operator === undefined) throw unauthorised();
    const digest = String(given);
    const message = proofMessage({ region: this.#options.region, method, path, digest }, proof);
    const publicKey = hexBytes(operator.publicKey);
    const { signature } = proof;
    if (!this.#modules.verifySignature({ publicKey, message, signature })) throw unauthorised();
    if (isJson(type) && !isContentDigest(digest))
      throw new RequestError(
        'UNAUTHORISED',
        'the proof does not cover the body: expected content-digest, sha-256',
      );
    this.#use(proof);
    return operators.actor(operator);
  }

  /** A proof counts once, near its time, and not after the process that it was made for. */
  #use({ name, nonce, atS }: RequestProof): void {
    const nowS = this.#modules.nowS();
    if (Math.abs(nowS - atS) > PROOF_AGE_S_MAX)
      throw new RequestError('UNAUTHORISED', `the proof is of a time more than ${PROOF_AGE_S_MAX} s away`);
    if (atS < this.#startedS)
      throw new RequestError(
        'UNAUTHORISED',
        'the proof is of a time before this node has started: ask again',
      );
    if (Math.abs(nowS - this.#spanS) > 2 * PROOF_AGE_S_MAX) {
      this.#used = this.#using;
      this.#using = new Set();
      this.#spanS = nowS;
    }
    const value = `${name} ${nonce}`;
    if (this.#used.has(value) || this.#using.has(value))
      throw new RequestError('UNAUTHORISED', 'the proof was used before');
    if (this.#using.size >= PROOFS_MAX)
      throw new RequestError('OVERLOADED', 'too many requests of operators at once');
    this.#using.add(value);
  }
}

function unauthorised(): RequestError {
  return new RequestError(
    'UNAUTHORISED',
    'expected the secret of this node as a bearer token, or the proof of an operator',
  );
}
