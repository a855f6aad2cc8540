/** What all commands share while one runs: where it prints, its surroundings, the crypto of this machine, how it will end. */
import { type NativeCrypto, openNativeCrypto } from '../node/crypto/native.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Output } from './output.ts';
import { type Surroundings } from './surroundings.ts';
import { wrapped, wrappedCommand } from './wrap.ts';

export class Cli {
  readonly output: Output;
  readonly surroundings: Surroundings;
  /** Set by a command that did its work and has a verdict to tell; errors end it otherwise. */
  exit: ExitCode = EXIT.ok;
  #crypto: Promise<NativeCrypto> | undefined;

  constructor(options: { readonly json: boolean }, surroundings: Surroundings) {
    this.output = new Output(options, surroundings);
    this.surroundings = surroundings;
  }

  crypto(): Promise<NativeCrypto> {
    this.#crypto ??= openNativeCrypto();
    return this.#crypto;
  }
}

/** Examples below a command's help: each a line to type, and what it does. */
export function examples(...lines: readonly (readonly [string, string])[]): string {
  const texts = lines.map(
    ([command, what]) => `  ${wrappedCommand(command, '    ')}\n      ${wrapped(what, '      ')}`,
  );
  return `\nExamples:\n${texts.join('\n')}`;
}
