/** What the node keeps: whether it can be opened, is this region's, in a form that this program knows, and serves. */
import { SCHEMA_VERSION } from '../../node/store/identity.ts';
import { EXIT, exitOfCode } from '../exit.ts';
import { figure } from '../output.ts';
import { printable } from '../printable.ts';
import { type Finding, must, note, ok, quoted } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

/** By the code of an error, what to type; the hint of the error itself for all others. */
const FIXES: Readonly<Record<string, (path: string) => string>> = {
  STORE_LOCKED: (path) => `fuser -v ${path}/store/level/LOCK   # who works on it; one at a time`,
  STORE_CORRUPT: (path) => `entente fsck ${path}`,
  VALUE_CORRUPT: (path) => `entente fsck ${path}`,
  LOG_CORRUPT: (path) => `entente fsck ${path}`,
  DISK_FULL: (path) => `df -h ${path}`,
  STORE_FULL: (path) => `df -h ${path}`,
  DISK_UNWRITABLE: (path) => `ls -ld ${path} ${path}/store`,
};

export function checkStore({ running, storeError, sizes, path }: ReadablePatient): Finding[] {
  const whole = `whether every value is whole: entente fsck ${quoted(path)}${running ? ', once it is stopped' : ''}`;
  if (running !== undefined) {
    if (running.store !== 'serving') {
      return [must(`the store is ${printable(running.store)}`, `df -h ${quoted(path)}; dmesg | tail`)];
    }
    return [ok(`it serves (schema ${SCHEMA_VERSION}, ${logsText(running.sizes)}); ${whole}`)];
  }
  if (storeError !== undefined) {
    const { code, hint } = storeError;
    const fix = FIXES[code]?.(quoted(path)) ?? hint ?? `entente fsck ${quoted(path)}`;
    return [must(`${printable(storeError.message)} [${code}]`, fix, exitOfCode(code))];
  }
  if (sizes === undefined) return [];
  return [ok(`it opens and is this region's (schema ${SCHEMA_VERSION}, ${logsText(sizes)}); ${whole}`)];
}

export function checkDamage({ running, path }: ReadablePatient): Finding[] {
  if (running === undefined) return [];
  const findings = Object.entries(running.closed).map(([origin, why]) =>
    must(
      `${printable(origin)} cannot be used: ${printable(why)}`,
      `entente fsck ${quoted(path)}   # once the node is stopped`,
      EXIT.inconsistent,
    ),
  );
  const { corrupt } = running.scrub;
  if (corrupt > 0) {
    findings.push(
      must(
        `${figure(corrupt)} values were found damaged on the disk since the start: replace the disk`,
        `entente fsck ${quoted(path)}   # once the node is stopped`,
        EXIT.inconsistent,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('no value was found damaged since the start')];
}

/** What a stopped node's store cannot tell. */
export function checkRunning({ running, path }: ReadablePatient): Finding[] {
  if (running === undefined) return [note('no node runs on this directory', `entente run ${quoted(path)}`)];
  const { pid, uptimeS } = running.process;
  return [ok(`its node runs as process ${pid}, for ${figure(Math.floor(uptimeS / 60))} min`)];
}

function logsText(sizes: Readonly<Record<string, number>>): string {
  const entries = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  return `${Object.keys(sizes).length} logs, ${figure(entries)} entries`;
}
