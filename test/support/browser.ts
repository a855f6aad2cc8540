/** A headless chromium from the machine, where there is one. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Undefined where no chromium is installed; `CHROMIUM` names one elsewhere. */
export async function openBrowser(): Promise<Browser | undefined> {
  const executablePath = [process.env['CHROMIUM'] ?? '', ...PLACES].find(
    (path) => path !== '' && existsSync(path),
  );
  return executablePath === undefined ? undefined : chromium.launch({ executablePath, args: FLAGS });
}
