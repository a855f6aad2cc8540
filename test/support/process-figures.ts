/** What the system says of a process: Linux alone has it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  readonly rssBytes: number;
  /** Open file descriptors. */
  readonly fds: number;
  /** Seconds on a processor since it began. */
  readonly cpuS: number;
  /** Bytes that it has handed to the system, to sockets for the most part. */
  readonly writtenBytes: number;
}

export const hasProcessFigures = existsSync('/proc/self/status') && existsSync('/proc/self/fd');

/** Of Linux on every machine that Node runs on. */
const TICKS_PER_S = 100;

/** Of a process that runs; of one that is gone it throws ENOENT. */
export function processFigures(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  const [, written] = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1')) ?? [];
  // The name of the process, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssBytes: Number(kib) * 1_024,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S,
    writtenBytes: Number(written),
  };
}
