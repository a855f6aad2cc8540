/** The errors of the registry. They name places in the store and never a person. */
import { isNodeError, NodeError } from '../node-error.ts';

export function registryCorrupt(message: string): NodeError {
  return new NodeError('REGISTRY_CORRUPT', message, {
    fatal: true,
    hint: 'Check that the key file is the one of this registry; else restore the registry from its backup.',
  });
}

/** Whether something of the registry is damaged, which says nothing of the rest of it. */
export function isRegistryDamage(error: unknown): error is NodeError {
  return isNodeError(error, 'REGISTRY_CORRUPT') || isNodeError(error, 'VALUE_CORRUPT');
}

export function registryKeyWrong(): NodeError {
  return new NodeError('REGISTRY_KEY_WRONG', 'the registry was sealed with another key', {
    fatal: true,
    hint: 'Give the key file that was made with this registry. Nothing was changed.',
  });
}

export function registryElsewhere(at: 'store' | 'postgres'): NodeError {
  return at === 'store'
    ? new NodeError('REGISTRY_ELSEWHERE', 'the registry lies in the store, and the config names PostgreSQL', {
        hint: 'Move it: entente registry move <region> --to postgres. Nothing was changed.',
      })
    : new NodeError('REGISTRY_ELSEWHERE', 'the registry lies in PostgreSQL, and the config names none', {
        hint: 'Set registry.connectionFile, or move it back with it set: entente registry move <region> --to store. Nothing was changed.',
      });
}

export function registryOther(): NodeError {
  const message = 'the database that is named does not hold the registry of this store';
  return new NodeError('REGISTRY_ELSEWHERE', message, {
    hint: 'Name the database that it was moved to (registry.connectionFile), or restore it there. Nothing was changed.',
  });
}

export function registryNone(): NodeError {
  return new NodeError('REGISTRY_ELSEWHERE', 'the database that is named holds no registry of this region', {
    hint: 'Name the one that it was moved to, or move it first: entente registry move <region> --to postgres.',
  });
}
