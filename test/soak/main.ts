/** `npm run soak [-- --minutes 60] [--plant MB] [--out FILE]`: an hour by hand, with the figures of each process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IN_AN_HOUR, IN_MINUTES, judge } from './judge.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    slowness: { type: 'string', default: '1' },
    plant: { type: 'string', default: '0' },
    out: { type: 'string' },
  },
});
/** From here on everything has settled. */
const LONG_S = 1_200;
const seconds = Number(values.minutes) * 60;
const dir = mkdtempSync(join(tmpdir(), 'entente-soak-'));
try {
  const soaked = await soak({
    dir,
    seconds,
    restartS: Math.min(300, seconds / 4),
    slowness: Number(values.slowness),
    plantMb: Number(values.plant),
    onMinute: (minute, figures) => {
      const cells = [...figures].map(
        ([region, { rssBytes, fds, cpuS }]) =>
          `${region} ${(rssBytes / 2 ** 20).toFixed(1)} MB, ${fds} fds, ${cpuS.toFixed(1)} s CPU`,
      );
      console.log(`minute ${minute}: ${cells.join('; ')}`);
    },
  });
  const { issued, revoked, restarts, slowBytes, slowCuts, turnedAway, undetermined, verdicts } = soaked;
  console.log({ issued, revoked, restarts, slowBytes, slowCuts, turnedAway, undetermined, verdicts });
  if (values.out !== undefined) {
    const [rss, held, fds] = [soaked.rss, soaked.held, soaked.fds].map((samples) =>
      Object.fromEntries(samples),
    );
    writeFileSync(values.out, JSON.stringify({ ...soaked, rss, held, fds }));
  }
  const judged = judge(soaked, seconds < LONG_S ? IN_MINUTES : IN_AN_HOUR);
  console.table(Object.fromEntries(judged.figures.map(({ name, ...figure }) => [name, figure])));
  for (const fault of judged.faults) console.error(fault);
  process.exitCode = judged.faults.length > 0 ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
