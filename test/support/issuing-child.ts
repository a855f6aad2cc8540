/**
 * A region's node as a process that issues as fast as it can, for tests that kill or starve it:
 * `<directory of the region> <prefix of subjects>`. Prints `ack <subject> <log> <index> <hash of the attestation>` for each
 * code that was issued, `refused <code>` for each that was not, and `started` before the first.
 */
import * as crypto from 'node:crypto';
import { writeSync } from 'node:fs';
import { openNativeCrypto } from '../../node/crypto/native.ts';
import { type IssueRequest } from '../../node/issuing/issuer.ts';
import { isNodeError } from '../../node/node-error.ts';
import { isErrno } from '../../node/region/files.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { publishedNetwork } from '../../node/region/published-network.ts';
import { openRegion, type Region } from '../../node/region/region.ts';
import { systemClock } from '../../node/system-clock.ts';
import { systemRandom } from '../../node/system-random.ts';
import { admitPublicKey } from '../../protocol/signature/noble.ts';

/** This file, to be started as a process. */
export const ISSUING_CHILD = import.meta.filename;

export interface Acknowledged {
  readonly subject: string;
  readonly log: string;
  readonly index: number;
  readonly hash: string;
}

const ISSUERS = 32;
const REFUSED_WAIT_MS = 20;
const DAY_S = 86_400;

export async function realModules(): Promise<RegionModules> {
  const nowS = () => Math.floor(systemClock.nowMs() / 1000);
  return { ...(await openNativeCrypto()), admitPublicKey, nowS, clock: systemClock, random: systemRandom() };
}

/** The region's node by itself: nobody has to be asked before it signs. */
export async function openAlone(path: string): Promise<Region> {
  const modules = await realModules();
  return openRegion(
    path,
    { withoutPeers: true, node: { gatherMs: 1 } },
    { ...modules, networkFor: (ground) => publishedNetwork(ground, modules) },
  );
}

export function hashOf(attestation: Uint8Array): string {
  return crypto.hash('sha256', attestation, 'hex').slice(0, 32);
}

/** An order of a green code for a day. */
export function greenFor(subject: string): IssueRequest {
  const expiresAtS = Math.floor(Date.now() / 1000) + DAY_S;
  const status = {
    colour: 'green',
    measure: 'none',
    expiresAtS,
    ruleId: 'baseline',
    ruleVersion: 1,
  } as const;
  return { subject, fields: { status } };
}

/** What a child printed, up to its last whole line. */
export function acknowledgedIn(printed: string): Acknowledged[] {
  const lines = printed.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const [kind, subject = '', log = '', index = '', hash = ''] = line.split(' ');
    return kind === 'ack' ? [{ subject, log, index: Number(index), hash }] : [];
  });
}

/** At once, so that whoever kills this process has read all it acknowledged. */
function print(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error; // the pipe is full: its reader is slow
    }
  }
}

async function main([path, prefix]: readonly string[]): Promise<void> {
  if (path === undefined) return;
  const { node } = await openAlone(path);
  await node.whenWriting();
  print('started');
  const issuing = async (issuer: number): Promise<void> => {
    for (let n = 0; ; n++) {
      const subject = `${prefix}-${issuer}-${n}`;
      try {
        const { log, index, attestation } = await node.issue(greenFor(subject));
        print(`ack ${subject} ${log} ${index} ${hashOf(attestation)}`);
      } catch (error) {
        if (!isNodeError(error)) throw error;
        print(`refused ${error.code}`);
        await systemClock.wait(REFUSED_WAIT_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: ISSUERS }, (_, issuer) => issuing(issuer)));
}

if (process.argv[1] === ISSUING_CHILD) await main(process.argv.slice(2));
