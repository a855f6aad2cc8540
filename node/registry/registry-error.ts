/** The errors of the registry. They name places in the store and never a person. */
import { NodeError } from '../node-error.ts';

export function registryCorrupt(message: string): NodeError {
  return new NodeError('REGISTRY_CORRUPT', message, {
    fatal: true,
    hint: 'Check that the key file is the one of this registry; else restore the registry from its backup.',
  });
}

export function registryKeyWrong(): NodeError {
  return new NodeError('REGISTRY_KEY_WRONG', 'the registry was sealed with another key', {
    fatal: true,
    hint: 'Give the key file that was made with this registry. Nothing was changed.',
  });
}
