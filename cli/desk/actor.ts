/** In whose name a command acts on a region. */
import { equalBytes, hexBytes } from '../../protocol/bytes.ts';
import { type Config } from '../../node/config/schema.ts';
import { openNativeCrypto } from '../../node/crypto/native.ts';
import { mayWithoutKey } from '../../node/operators/acting.ts';
import {
  openOperatorKey,
  type OperatorKey,
  type OperatorKeyModules,
} from '../../node/operators/operator-key.ts';
import { type Actor } from '../../node/operators/scopes.ts';
import { type RegionLayout } from '../../node/region/layout.ts';
import { type Region } from '../../node/region/region.ts';
import { CliError, EXIT } from '../exit.ts';

/** The operator that `--operator` or the config names; undefined where none does. Rejects as `openOperatorKey`. */
export async function configuredOperator(
  layout: RegionLayout,
  { admin, region }: Config,
  modules?: OperatorKeyModules,
): Promise<OperatorKey | undefined> {
  const { operatorFile } = admin;
  if (operatorFile === undefined) return undefined;
  return openOperatorKey(layout.resolve(operatorFile), region, modules ?? (await openNativeCrypto()));
}

/** Who acts on a directory that the command itself holds open. @throws {CliError} UNAUTHORISED for a key of no operator. */
export async function actorOf(
  { layout, config, operators }: Pick<Region, 'layout' | 'config' | 'operators'>,
  modules: OperatorKeyModules,
): Promise<Actor> {
  const key = await configuredOperator(layout, config, modules);
  if (key === undefined) return { name: 'directory', may: mayWithoutKey(operators) };
  const operator = operators.find(key.name);
  if (operator !== undefined && equalBytes(hexBytes(operator.publicKey), key.publicKey))
    return operators.actor(operator);
  throw new CliError(EXIT.failure, 'UNAUTHORISED', `the key of ${key.name} is that of no operator here`, {
    hint: 'See `entente operator list`; who was taken back can be named anew, with a new key.',
  });
}
