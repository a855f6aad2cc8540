/** The program and the machine that it runs on, and the certificate of the public interface. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { TlsFiles } from '../../node/http/tls-files.ts';
import { isNodeError } from '../../node/node-error.ts';
import { figure } from '../output.ts';
import { timeText } from '../times.ts';
import { editing, type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const MIB = 1 << 20;
const DAY_S = 86_400;
/** A node with 34 peers takes 200 MB, and revocation blocks beside that. */
const MEMORY_BYTES_MIN = 512 * MIB;
const DAYS = { must: 3, warn: 21 } as const;

export function checkNodeVersion({ running }: ReadablePatient): Finding[] {
  const version = running?.process.node ?? process.version;
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  const isSupported = major >= 24 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (isSupported) return [ok(`Node ${version}`)];
  return [must(`Node ${version} is not supported: 24, or 22.12, or 20.19 and later`, 'nvm install 24')];
}

/** The least of what the machine has, what its group may use, and what the heap may grow to. */
export async function checkMemory({ running }: ReadablePatient): Promise<Finding[]> {
  const group = Number((await readFile('/sys/fs/cgroup/memory.max', 'utf8').catch(() => 'max')).trim());
  const limit = Math.min(totalmem(), Number.isFinite(group) ? group : Infinity);
  const used = running?.process.residentBytes;
  const text = `${mibText(limit)} of memory may be used${used === undefined ? '' : `, ${mibText(used)} are`}`;
  const fix =
    'systemctl set-property --runtime entente.service MemoryMax=1G   # or what starts the node here';
  if (used !== undefined && used > 0.9 * limit) return [must(`${text}: it will be killed`, fix)];
  return limit < MEMORY_BYTES_MIN ? [warn(text, fix)] : [ok(text)];
}

export async function checkTls({ config, layout, nowS }: ReadablePatient): Promise<Finding[]> {
  const { tls, address } = config.http;
  if (tls === undefined) {
    const isLoopback = address.startsWith('127.') || address === '::1';
    if (isLoopback) return [ok('the public interface is plain HTTP, on this machine alone')];
    return [
      note(
        'the public interface is plain HTTP: put a proxy with a certificate before it, or set http.tls',
        editing(layout.config),
      ),
    ];
  }
  const files = { certFile: layout.resolve(tls.certFile), keyFile: layout.resolve(tls.keyFile) };
  const renew = `ls -l ${quoted(files.certFile)} ${quoted(files.keyFile)}   # renew them; the node takes new files up by itself`;
  try {
    const { cert } = await new TlsFiles(files, { log: SILENT }).read();
    const { validTo, validFrom } = new X509Certificate(cert);
    const [fromS, untilS] = [Date.parse(validFrom) / 1_000, Date.parse(validTo) / 1_000];
    const daysLeft = Math.floor((untilS - nowS) / DAY_S);
    const text = `the certificate counts until ${timeText(untilS)}`;
    if (nowS < fromS) return [must(`the certificate counts from ${timeText(fromS)} on only`, renew)];
    if (daysLeft < DAYS.must) return [must(text, renew)];
    return daysLeft < DAYS.warn ? [warn(text, renew)] : [ok(`${text}, ${figure(daysLeft)} days`)];
  } catch (error) {
    if (isNodeError(error)) return [must(error.message, renew)];
    throw error;
  }
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function mibText(bytes: number): string {
  return `${figure(Math.floor(bytes / MIB))} MiB`;
}
