/**
 * `npm test`: builds, then runs all tests, one file more at a time than there are cores, since many wait for sockets and clocks; beside
 * it goes what else is checked. What follows on the command line goes to mocha.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';

/** The files that take longest first, so that none of them is what the others end before. */
const FILES = ['{sim,soak}/**/', '', '!(sim|soak)/**/'].map((folder) => `dist/test/${folder}*.test.js`);

const SHARED_MEMORY = '/dev/shm';
/** All that the tests have in folders at a time, several times over. */
const FREE_BYTES_MIN = 6 * 2 ** 30;

/** Whether it ended well. It goes with this process. */
function run(command: string, args: readonly string[] = []): Promise<boolean> {
  const child = spawn(command, args, { stdio: 'inherit', shell: args.length === 0 });
  process.once('exit', () => child.kill());
  return new Promise((resolve, reject) =>
    child.once('error', reject).once('close', (code) => resolve(code === 0)),
  );
}

/** Ends all, without a result of the tests, if it does not end well. */
async function need(command: string): Promise<void> {
  if (await run(command)) return;
  console.error(`${command}: failed`);
  process.exit(1);
}

/**
 * The folders of tests lie in memory where there is plenty: a sync costs nothing there, and no test loses power. Programs have to be
 * runnable from them.
 */
function useMemoryForFolders(): void {
  if (process.env['TMPDIR'] !== undefined || !isRoomy()) return;
  // A short name: the path of a Unix socket has some hundred bytes.
  const folder = mkdtempSync(join(SHARED_MEMORY, 'entente-'));
  process.once('exit', () => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      console.error(`${folder} is left: ${(error as Error).message}`);
    }
  });
  // A PostgreSQL of the tests runs as another user.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;
}

function isRoomy(): boolean {
  try {
    const mount = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === SHARED_MEMORY);
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    const isUsable = mount !== undefined && / tmpfs rw\b/.test(mount) && !/\bnoexec\b/.test(mount);
    return isUsable && Math.min(bavail * bsize, freemem()) >= FREE_BYTES_MIN;
  } catch {
    return false;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const checks = ['tsc -p protocol && prettier --check .', 'eslint .'].map(need);
await need('npm run -s build');
useMemoryForFolders();
// Not `bin/mocha.js`, which starts this as a process of its own and leaves it running where it is ended.
const mocha = ['--enable-source-maps', join(import.meta.dirname, '../node_modules/mocha/lib/cli/cli.js')];
const jobs = `${Math.max(2, availableParallelism()) + 1}`;
const more = process.argv.slice(2);
const isGood = await run(process.execPath, [...mocha, '--parallel', '--jobs', jobs, ...FILES, ...more]);
await Promise.all(checks);
process.exitCode = isGood ? 0 : 1;
