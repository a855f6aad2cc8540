/** Paths of a config whose directory moves: what lies within is copied and named from there, what lies outside stays and is still found. */
import { isAbsolute, relative, sep } from 'node:path';
import { type ConfigEdit } from '../../node/config/edit.ts';
import { overlaysOf } from '../../node/config/overlay.ts';
import { type Config } from '../../node/config/schema.ts';
import { isAdminPort } from '../../node/http/admin-address.ts';
import { type RegionLayout } from '../../node/region/layout.ts';
import { usageError } from '../exit.ts';
import { printable } from '../printable.ts';

/** Settings that name a file or a directory; peers' directories do too. */
export const PATH_SETTINGS: readonly (readonly [string, ...string[]])[] = [
  ['http', 'tls', 'certFile'],
  ['http', 'tls', 'keyFile'],
  ['admin', 'listen'],
  ['admin', 'secretFile'],
  ['admin', 'deskSecretFile'],
  ['admin', 'operatorFile'],
  ['storage', 'store'],
  ['storage', 'secondPlace'],
  ['registry', 'connectionFile'],
  ['registry', 'caFile'],
  ['witness', 'policy'],
];

/** `source` as it is called and as it really is, absolute, and where it goes. */
export interface Move {
  readonly source: RegionLayout;
  readonly realSource: string;
  readonly moved: RegionLayout;
}

/**
 * What the file of the new place has to say otherwise than that of the old one, whose config this is.
 * @throws {CliError} USAGE for a variable of the environment that would name another place from there: no file can mend that.
 */
export function pathEdits(
  move: Move,
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigEdit[] {
  const { overlaid } = overlaysOf({ environment });
  const edits = pathsOf(config).flatMap(({ at, path }): (ConfigEdit & { readonly path: string })[] => {
    const value = movedPath(move, path);
    return value === undefined ? [] : [{ at, value, path }];
  });
  for (const { at, path } of edits) {
    const over = overlaid.find((one) => one.at.join('.') === at.join('.'));
    if (over === undefined) continue;
    throw usageError(
      `${over.source} is ${printable(path)}, which would be another place or be left behind in the new directory`,
      `Set ${at.join('.')} in entente.yaml instead, which is kept right, or name an absolute path outside the directory.`,
    );
  }
  return edits.map(({ at, value }) => ({ at, value }));
}

function pathsOf(config: Config): { readonly at: readonly string[]; readonly path: string }[] {
  const settings = PATH_SETTINGS.flatMap((at) => {
    const path = at.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      config,
    );
    const isPort = at[1] === 'listen' && typeof path === 'string' && isAdminPort(path);
    return typeof path === 'string' && !isPort ? [{ at, path }] : [];
  });
  const peers = Object.entries(config.peers).flatMap(([peer, { directory }]) =>
    directory === undefined ? [] : [{ at: ['peers', peer, 'directory'], path: directory }],
  );
  return [...settings, ...peers];
}

/** How the new place names what the old one names so; undefined where the same words do. */
function movedPath({ source, realSource, moved }: Move, path: string): string | undefined {
  if (isAbsolute(path)) {
    const within = [source.path, realSource].map((base) => relative(base, path)).find(isWithin);
    return within === '' ? '.' : within;
  }
  const resolved = source.resolve(path);
  const way = relative(moved.path, resolved);
  return isWithin(relative(source.path, resolved)) || way === path ? undefined : way;
}

function isWithin(way: string): boolean {
  return way.split(sep)[0] !== '..' && !isAbsolute(way);
}
