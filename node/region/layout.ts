/** Where things are in a region directory. Only what is below `public` is meant for others. */
import { join, resolve } from 'node:path';
import { parseOrigin } from '../../protocol/log/origin.ts';

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
    return join(this.path, 'config.json');
  }

  get lock(): string {
    return join(this.path, 'lock');
  }

  get keys(): string {
    return join(this.path, 'keys');
  }

  get public(): string {
    return join(this.path, 'public');
  }

  /** Batches that are decided but not yet in a log: one file per attestation log at most. */
  get staged(): string {
    return join(this.path, 'staged');
  }

  /** Who holds which attestation, and what opens it: a folder per log, a file per batch. */
  get registry(): string {
    return join(this.path, 'registry');
  }

  /** The last checkpoint of another's log that this region's witness vouched for. */
  witnessed(origin: string): string {
    return join(this.path, 'witnessed', originPath(origin));
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

/** An origin as a relative path. @throws {ProtocolError} ORIGIN_INVALID, so that no other text can name a file. */
function originPath(origin: string): string {
  parseOrigin(origin);
  return join(...origin.split('/'));
}
