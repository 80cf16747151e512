// From a downloaded archive to the first edit that can be seen: how long it takes and how many presses, for a user who has
// nothing but a browser. The archive is unpacked and started with a home folder of its own, which goes at the end.
//
//   npm run bench:first-edit -- dist/release/tokenflow-VERSION-linux-x64.tar.gz        (Linux; needs Chromium)

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { launchChromium } from '../../test/browser/chromium.ts';
import { openWipe } from '../../test/browser/drive-panel.ts';

const mostSeconds = 180;
const editTimeoutMs = 3_600_000;

const [archive] = process.argv.slice(2);
if (archive === undefined)
  throw new Error('Name the archive for Linux, which npm run release -- --target linux-x64 makes.');

const home = mkdtempSync(path.join(tmpdir(), 'tokenflow-first-edit-'));
const downloads = path.join(home, 'Downloads');
mkdirSync(downloads);

/** Runs a program of the user whose home it is, and returns what it says. */
function runAtHome(program: string, args: readonly string[]): string {
  const env = { HOME: home, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: downloads, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

const begun = performance.now();
const rows: { what: string; presses: number; atSeconds: number }[] = [];
const note = (what: string, presses: number): void => {
  const atSeconds = (performance.now() - begun) / 1_000;
  rows.push({ what, presses, atSeconds });
  console.log(`${atSeconds.toFixed(1).padStart(7)} s  ${what}`);
};

const browser = await launchChromium();
try {
  runAtHome('tar', ['-xzf', path.resolve(archive)]);
  note('the archive is unpacked', 1);
  const said = runAtHome(path.join(downloads, 'TokenFlow', 'tokenflow'), []);
  const [address] = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(said) ?? [];
  if (address === undefined) throw new Error(`The program did not say where the panel is: ${said}`);
  note('TokenFlow is installed and runs', 1);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  // A desktop opens this page by itself.
  await page.goto(address);
  await page.getByRole('button', { name: 'Try with a sample clip' }).waitFor();
  note('the panel is open, and paired', 0);
  await page.getByRole('button', { name: 'Try with a sample clip' }).click();
  await page.getByText('24 frames ·').waitFor();
  note('the sample clip is there, with a prompt', 1);
  await page.locator('.apply').click();
  await page.locator('.task.live .task-picture[src^="blob:"]').waitFor({ timeout: editTimeoutMs });
  note('the picture of the edit so far is in its card', 1);
  await page.locator('.task-step', { hasText: 'Done' }).waitFor({ state: 'attached', timeout: editTimeoutMs });
  note('the edit is done', 0);
  await openWipe(page);
  note('the edit is shown in Compare', 0);
  const presses = rows.reduce((sum, row) => sum + row.presses, 0);
  const seconds = rows.at(-1)?.atSeconds ?? Infinity;
  const [load = 0] = loadavg();
  console.log(
    `${presses} presses, ${(seconds / 60).toFixed(1)} minutes (target: ${mostSeconds / 60}) on ${cpus().length} x ` +
      `${cpus()[0]?.model ?? 'unknown'}, load ${load.toFixed(1)}`,
  );
} finally {
  await browser.close();
  const program = path.join(home, '.local', 'bin', 'tokenflow');
  spawnSync(program, ['uninstall', '--yes'], { env: { HOME: home, PATH: '/usr/bin:/bin' } });
  rmSync(home, { recursive: true, force: true, maxRetries: 10 });
}
