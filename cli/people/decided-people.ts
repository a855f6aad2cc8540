/**
 * What rules decided on people when a run began, beside its file of codes, so that the run goes on to give the same whatever rules, lists and
 * declarations have become meanwhile. Facts of lists are in it: it is sealed as those are, and is removed with the run.
 */
import { readFileIfPresent, writeFileAtomically } from '../../node/region/files.ts';
import { type Random } from '../../node/ports.ts';
import { derivedKey, NONCE_BYTES, Sealer } from '../../node/registry/sealer.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import { decidedOf } from './issuing-run.ts';
import { type Person } from './person.ts';

/** Of 100,000 people some 100 MB: what a text can hold. */
const BYTES_MAX = 512 * 1_048_576;
const PURPOSE = 'issuing-run';

/** Of the run into `out`: to be kept before anything is ordered. */
export async function keepDecided(
  out: string,
  people: readonly Person[],
  { registryKey, random }: { readonly registryKey: Uint8Array; readonly random: Random },
): Promise<void> {
  const plain = Buffer.from(JSON.stringify(people));
  const sealed = new Sealer(derivedKey(registryKey, PURPOSE)).seal(PURPOSE, plain, random(NONCE_BYTES));
  await writeFileAtomically(decidedOf(out), sealed, { mode: 0o600 });
}

/** @throws {CliError} RUN_DIFFERS where the run into `out` has none that was kept with this key of the registry. */
export async function readDecided(out: string, registryKey: Uint8Array): Promise<readonly Person[]> {
  const path = decidedOf(out);
  const sealed = await readFileIfPresent(path, BYTES_MAX);
  try {
    if (sealed !== undefined) {
      const plain = new Sealer(derivedKey(registryKey, PURPOSE)).open(PURPOSE, sealed);
      return JSON.parse(Buffer.from(plain).toString()) as readonly Person[];
    }
  } catch (cause) {
    throw differs(`${printable(path)} was not written for this region, or is damaged`, cause);
  }
  throw differs(`the run that broke off there went by no rules, or ${printable(path)} is gone`);
}

function differs(message: string, cause?: unknown): CliError {
  const error = new CliError(EXIT.failure, 'RUN_DIFFERS', message, {
    hint: 'Finish that run by its own command, or name another --out; `entente codes` prints what was issued.',
  });
  error.cause = cause;
  return error;
}
