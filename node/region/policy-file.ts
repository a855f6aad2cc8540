/** A verifier's own word about who has to vouch, as a file: a C2SP tlog-policy. Spec: SPEC.md 9.1. */
import { isProtocolError } from '../../protocol/fault.ts';
import { POLICY_BYTES_MAX } from '../../protocol/limits.ts';
import { parsePolicy } from '../../protocol/log/policy.ts';
import { witnessRegion } from '../../protocol/log/origin.ts';
import { type VerifierKey } from '../../protocol/log/verifier-key.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { WitnessPolicy } from '../../protocol/verdict/witness-policy.ts';
import { type Config } from '../config/schema.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { submissionUrl } from '../witness/outside-question.ts';
import { isErrno, readFileIfPresent } from './files.ts';
import { type RegionLayout } from './layout.ts';

/** That which the config of a region names, if it does. Rejects as `readPolicyFile`. */
export async function policyOf(
  layout: RegionLayout,
  { network, witness }: Pick<Config, 'network' | 'witness'>,
  modules: { readonly sha256: Sha256 },
): Promise<WitnessPolicy | undefined> {
  const { policy } = witness;
  return policy === undefined ? undefined : readPolicyFile(layout.resolve(policy), network, modules);
}

/**
 * Of witnesses outside whom a policy asks for, those that the names of their keys would make regions of the network in another case: by the name as it is, no region
 * can vouch as them.
 */
export function mistakenRegions({ outside, network }: WitnessPolicy): VerifierKey[] {
  return outside.filter(({ name }) => {
    const [region = '', ...rest] = name.split('.');
    const meant = `${region.toUpperCase()}.${rest.join('.').toLowerCase()}`;
    return witnessRegion(meant, network) !== undefined;
  });
}

/**
 * @throws {NodeError} CONFIG_INVALID, with the line, for a file that is absent, a folder, longer than 131,072 bytes or no policy; also where a witness outside that it asks for
 * has an address at which nobody can be asked.
 */
export async function readPolicyFile(
  path: string,
  network: string,
  modules: { readonly sha256: Sha256 },
): Promise<WitnessPolicy> {
  try {
    const bytes = await readFileIfPresent(path, POLICY_BYTES_MAX);
    if (bytes === undefined) throw invalid(`there is no policy of witnesses at ${path}`);
    const policy = new WitnessPolicy(parsePolicy(modules.sha256, bytes), { network }, modules);
    for (const { key, url } of policy.addressed) {
      if (submissionUrl(url) === undefined)
        throw invalid(
          `${path}: the address of ${key.name} is no http or https URL without user, query and fragment`,
        );
    }
    return policy;
  } catch (error) {
    if (isErrno(error, 'EISDIR'))
      throw invalid(`${path} is a folder; expected a file with a policy of witnesses`);
    if (isNodeError(error, 'DATA_INCONSISTENT')) throw invalid(error.message, error);
    if (!isProtocolError(error)) throw error;
    const { line } = error.fault.details;
    throw invalid(`${path}: ${line === undefined ? '' : `line ${line}: `}${error.message}`, error);
  }
}

function invalid(message: string, cause?: Error): NodeError {
  return new NodeError('CONFIG_INVALID', message, {
    cause,
    hint: 'See "A policy of your own" in docs/operations.md for the form of the file.',
  });
}
