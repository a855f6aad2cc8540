/** What all commands share while one runs: where it prints, its surroundings, the crypto of this machine, how it will end. */
import { resolve } from 'node:path';
import { type NativeCrypto, openNativeCrypto } from '../node/crypto/native.ts';
import { variableOf } from '../node/config/settings.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Output } from './output.ts';
import { type Surroundings } from './surroundings.ts';
import { wrapped, wrappedCommand } from './wrap.ts';

/** Stands over `admin.operatorFile`. */
const OPERATOR_VARIABLE = variableOf({ at: ['admin', 'operatorFile'] });

export class Cli {
  readonly output: Output;
  #surroundings: Surroundings;
  /** Set by a command that did its work and has a verdict to tell; errors end it otherwise. */
  exit: ExitCode = EXIT.ok;
  #crypto: Promise<NativeCrypto> | undefined;

  constructor(options: { readonly json: boolean }, surroundings: Surroundings) {
    this.output = new Output(options, surroundings);
    this.#surroundings = surroundings;
  }

  get surroundings(): Surroundings {
    return this.#surroundings;
  }

  /** Acts in the name of the operator with this key file, whatever the config of a region says. */
  actAs(operatorFile: string): void {
    const environment = { ...this.#surroundings.environment, [OPERATOR_VARIABLE]: resolve(operatorFile) };
    this.#surroundings = { ...this.#surroundings, environment };
  }

  crypto(): Promise<NativeCrypto> {
    this.#crypto ??= openNativeCrypto();
    return this.#crypto;
  }
}

/** Examples below a command's help: each a line to type, and what it does. */
export function examples(...lines: readonly (readonly [string, string])[]): string {
  const texts = lines.map(
    ([command, what]) => `${wrappedCommand(command, '    ', '  ')}\n${wrapped(what, '      ', '      ')}`,
  );
  return `\nExamples:\n${texts.join('\n')}`;
}
