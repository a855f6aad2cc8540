/** Where the project and the vectors made by others are, from source and from compiled tests alike. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

function findRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from));
}

export const projectRoot = findRoot(import.meta.dirname);

/** The folder of vectors made by others, or undefined where it is absent: such tests skip, saying so. */
export function externalVectors(): string | undefined {
  const dir = resolve(process.env['ENTENTE_VECTORS'] ?? join(projectRoot, '../shared/vectors'));
  return existsSync(dir) ? dir : undefined;
}
