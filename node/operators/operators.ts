/**
 * The operators of a region: who they are, by which key they are known, and what each may do, and who they were before: what somebody
 * signed can be told from what nobody did once they are gone, too. In a file of the region's directory, written only by who holds the
 * region open.
 */
import { z } from 'zod';
import { admitPublicKey } from '../../protocol/signature/noble.ts';
import { keyIdOf } from '../../protocol/signature/key-id.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { DISCLOSED_OPERATORS_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { NodeError } from '../node-error.ts';
import { readFileIfPresent, writeFileAtomically } from '../region/files.ts';
import { Turns } from '../turns.ts';
import { type Actor, isOperatorName, type Needed, SCOPES } from './scopes.ts';

/** Operators that a region may have: each adds some 200 bytes to the file. */
export const OPERATORS_MAX = 256;
/** Those who were taken back: of more the first are forgotten. */
export const FORMER_OPERATORS_MAX = DISCLOSED_OPERATORS_MAX - OPERATORS_MAX;
/** Of such a file: each of them takes some 350 bytes. */
export const OPERATORS_BYTES_MAX = 1_048_576;

export const operatorSchema = z.strictObject({
  name: z.string().refine(isOperatorName, 'expected 1 to 32 of a-z, 0-9 and -, a letter first'),
  /** Ed25519, 64 hexadecimal digits. */
  publicKey: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  addedAtS: z.int().min(0),
});
export type Operator = Readonly<z.infer<typeof operatorSchema>>;

const formerSchema = operatorSchema.extend({ removedAtS: z.int().min(0) });
export type FormerOperator = Readonly<z.infer<typeof formerSchema>>;

const fileSchema = z.strictObject({
  format: z.literal(1),
  operators: z.array(operatorSchema).max(OPERATORS_MAX),
  /** Who was taken back, the last one last. */
  former: z.array(formerSchema).max(FORMER_OPERATORS_MAX).default([]),
});
type Named = Omit<z.infer<typeof fileSchema>, 'format'>;

export interface OperatorsOptions {
  /** Whether whoever is no operator has little to say also where there is no file. */
  readonly areRequired?: boolean;
}

export interface OperatorsModules {
  readonly sha256: Sha256;
  /** See `TrustModules`. */
  readonly admitPublicKey?: (publicKey: Uint8Array) => void;
}

export class Operators {
  readonly #path: string;
  readonly #modules: OperatorsModules;
  readonly #turns = new Turns();
  #all: readonly Operator[];
  #former: readonly FormerOperator[];
  #areNamed: boolean;

  private constructor(
    path: string,
    modules: OperatorsModules,
    { operators, former }: Named,
    areNamed: boolean,
  ) {
    this.#path = path;
    this.#modules = modules;
    this.#all = operators;
    this.#former = former;
    this.#areNamed = areNamed;
  }

  /** Those that the file names; none where there is no file. @throws {NodeError} DATA_INCONSISTENT */
  static async open(
    path: string,
    modules: OperatorsModules,
    { areRequired = false }: OperatorsOptions = {},
  ): Promise<Operators> {
    const bytes = await readFileIfPresent(path, OPERATORS_BYTES_MAX);
    if (bytes === undefined) return new Operators(path, modules, { operators: [], former: [] }, areRequired);
    return new Operators(path, modules, parseFile(path, bytes), true);
  }

  get all(): readonly Operator[] {
    return this.#all;
  }

  /** Those who were taken back, the last one last. */
  get former(): readonly FormerOperator[] {
    return this.#former;
  }

  /** Whether any was ever named: from the first one on, whoever is none has little to say, also once the last one is gone. */
  get areNamed(): boolean {
    return this.#areNamed;
  }

  find(name: string): Operator | undefined {
    return this.#all.find((one) => one.name === name);
  }

  /** An operator as the one who acts. */
  actor({ name, publicKey, scopes }: Operator): Actor {
    return { name, keyId: this.#keyIdOf(publicKey), may: new Set<Needed>([...scopes, 'read', 'publish']) };
  }

  /** How the trail names an operator: by name, key id and scopes. */
  told({ name, publicKey, scopes }: Pick<Operator, 'name' | 'publicKey' | 'scopes'>): string {
    return `${name} ${this.#keyIdOf(publicKey)} ${scopes.join(',')}`;
  }

  /** The same of a name, that alone where nobody has it. */
  toldOf(name: string): string {
    const operator = this.find(name);
    return operator === undefined ? name : this.told(operator);
  }

  /** @throws {NodeError} REFUSED for a name or a key that is there already, a key that is none, or one operator too many. */
  add(operator: Operator): Promise<void> {
    return this.#turns.take('write', async () => {
      if (this.#all.some(({ name }) => name === operator.name))
        throw refused(
          `there is an operator ${operator.name} already`,
          'Choose another name, or remove that one.',
        );
      if (this.#all.some(({ publicKey }) => publicKey === operator.publicKey))
        throw refused('another operator has this key', 'Each operator has a key of their own.');
      if (this.#all.length >= OPERATORS_MAX)
        throw refused(`a region has at most ${OPERATORS_MAX} operators`, 'Remove those who are gone.');
      try {
        (this.#modules.admitPublicKey ?? admitPublicKey)(hexBytes(operator.publicKey));
      } catch (cause) {
        throw new NodeError('REFUSED', 'this is no public key that can be relied on', { cause });
      }
      await this.#write({ operators: [...this.#all, operator], former: [...this.#former] });
    });
  }

  /** @throws {NodeError} NOT_FOUND */
  remove(name: string, removedAtS: number): Promise<void> {
    return this.#turns.take('write', async () => {
      const operator = this.find(name);
      if (operator === undefined)
        throw new NodeError('NOT_FOUND', 'there is no operator of that name', {
          hint: 'See `entente operator list`.',
        });
      const former = [...this.#former, { ...operator, removedAtS }].slice(-FORMER_OPERATORS_MAX);
      await this.#write({ operators: this.#all.filter((one) => one !== operator), former });
    });
  }

  #keyIdOf(publicKey: string): string {
    return keyIdOf(this.#modules.sha256, hexBytes(publicKey));
  }

  async #write(named: Named): Promise<void> {
    const text = `${JSON.stringify({ format: 1, ...named }, undefined, 2)}\n`;
    await writeFileAtomically(this.#path, text, { mode: 0o600 });
    this.#all = named.operators;
    this.#former = named.former;
    this.#areNamed = true;
  }
}

/** A file that cannot be read must not be taken for a region without operators. */
function parseFile(path: string, bytes: Uint8Array): Named {
  try {
    return fileSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new NodeError('DATA_INCONSISTENT', `${path} does not name operators as it should`, {
      cause,
      hint: 'Restore it from a backup. Without it nobody is an operator, and `entente operator add` names them anew.',
    });
  }
}

function refused(message: string, hint: string): NodeError {
  return new NodeError('REFUSED', message, { hint });
}
