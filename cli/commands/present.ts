/** `entente present`: a code as the holder's device shows it now. */
import { type Command } from 'commander';
import { CHALLENGE_BYTES_MAX, CHALLENGE_BYTES_MIN } from '../../protocol/code/presentation.ts';
import { hexBytes } from '../../protocol/bytes.ts';
import { type Cli, examples } from '../cli.ts';
import { present, readDevice } from '../device.ts';
import { usageError } from '../exit.ts';
import { parseTime } from '../times.ts';

interface PresentOptions {
  readonly challenge?: string;
  readonly at?: string;
}

export function addPresent(program: Command, cli: Cli): void {
  program
    .command('present')
    .summary('show a code live, as the holder')
    .description(
      'Signs the code with the key of the device for the present half minute and prints the text to show.',
    )
    .argument('<device>', 'file of a device, as `entente issue --device` makes it')
    .option('--challenge <hex>', 'challenge that the verifier gave, 8 to 32 bytes')
    .option('--at <time>', 'sign for another time than now')
    .addHelpText(
      'after',
      examples(
        ['entente present phone.json | entente show -', 'as QR on the terminal'],
        ['entente present phone.json --challenge 0011223344556677', "in answer to a verifier's challenge"],
      ),
    )
    .action((device: string, options: PresentOptions) => runPresent(cli, device, options));
}

async function runPresent(cli: Cli, path: string, options: PresentOptions): Promise<void> {
  const challenge = options.challenge === undefined ? new Uint8Array(0) : parseChallenge(options.challenge);
  const nowS = options.at === undefined ? cli.surroundings.nowS() : parseTime(options.at);
  const text = present(await cli.crypto(), await readDevice(path), challenge, nowS);
  cli.output.result({ text }, () => [text]);
}

/** @throws {CliError} unless `text` is 8 to 32 bytes in hexadecimal. */
export function parseChallenge(text: string): Uint8Array {
  const isChallenge = /^([0-9a-fA-F]{2})+$/.test(text);
  const bytes = text.length / 2;
  if (isChallenge && bytes >= CHALLENGE_BYTES_MIN && bytes <= CHALLENGE_BYTES_MAX) return hexBytes(text);
  throw usageError(
    `expected a challenge of ${CHALLENGE_BYTES_MIN} to ${CHALLENGE_BYTES_MAX} bytes in hexadecimal`,
  );
}
