/** Where things are in a region directory. Only what is below `public` is meant for others. */
import { join, resolve } from 'node:path';
import { hexOf } from '../../protocol/bytes.ts';
import { parseOrigin } from '../../protocol/log/origin.ts';
import { readConfig } from '../config/config-file.ts';
import { type Overlay } from '../config/overlay.ts';
import { type Config } from '../config/schema.ts';
import { isNodeError, NodeError } from '../node-error.ts';
import { modeOf } from './files.ts';

/** Paths below a region directory. */
export class RegionLayout {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** A path that the config names: relative to the directory, or absolute. */
  resolve(path: string): string {
    return resolve(this.path, path);
  }

  get config(): string {
    return join(this.path, 'entente.yaml');
  }

  get keys(): string {
    return join(this.path, 'keys');
  }

  get public(): string {
    return join(this.path, 'public');
  }

  /** The folder of the secret seeds of days on which numbers are looked up. */
  get seeds(): string {
    return join(this.path, 'lookup');
  }

  /** For whom numbers are looked up. */
  get verifiers(): string {
    return join(this.path, 'verifiers.json');
  }

  /** Who its operators are. */
  get operators(): string {
    return join(this.path, 'operators.json');
  }

  /** What they did. */
  get trail(): string {
    return join(this.path, 'trail.jsonl');
  }
}

/** The trust log below a public directory. */
export function trustLogPath(publicPath: string): string {
  return join(publicPath, 'trust');
}

/** The folder of attestation logs below a public directory. */
export function attestationLogsPath(publicPath: string): string {
  return join(publicPath, 'attest');
}

/** The folder of cosignatures of others' logs below a public directory. */
export function cosignaturesPath(publicPath: string): string {
  return join(publicPath, 'cosignatures');
}

/** Where the region of a public directory keeps its cosignature of another's log. */
export function cosignaturePath(publicPath: string, origin: string): string {
  return join(cosignaturesPath(publicPath), originPath(origin));
}

/**
 * Where the region of a public directory keeps its copy of another's trust log, in the layout of any log: of each root its own, so that
 * what was seen under one does not go when the region is followed under another.
 */
export function copyPath(publicPath: string, origin: string, fingerprint: Uint8Array): string {
  return join(publicPath, 'copies', originPath(origin), hexOf(fingerprint));
}

/** The folder of the proofs that a log has forked, one file for each. */
export function evidencePath(publicPath: string, origin: string): string {
  return join(publicPath, 'evidence', originPath(origin));
}

/** An origin as a relative path. @throws {ProtocolError} ORIGIN_INVALID, so that no other text can name a file. */
function originPath(origin: string): string {
  parseOrigin(origin);
  return join(...origin.split('/'));
}

/**
 * The config of a region's directory.
 * @throws {NodeError} as `readConfig`; DIRECTORY_OLD for one that an earlier version of this program made.
 */
export async function readRegionConfig(layout: RegionLayout, over: Overlay = {}): Promise<Config> {
  try {
    return await readConfig(layout.config, over);
  } catch (error) {
    const isOld =
      isNodeError(error, 'DIRECTORY_MISSING') &&
      (await modeOf(join(layout.path, 'config.json'))) !== undefined;
    if (!isOld) throw error;
    throw new NodeError(
      'DIRECTORY_OLD',
      `${layout.path} was made by an earlier version, which kept a region in another form`,
      {
        hint: 'Nothing was changed. Set the region up anew with `entente init` in another directory.',
      },
    );
  }
}
