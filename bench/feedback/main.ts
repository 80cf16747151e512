// How soon the panel answers a press: every button that can be seen, page by page, in Chromium with a real server. What counts
// is the time from the press to the first frame that shows something changed.
//
//   npm run bench:feedback        (needs Chromium)

import type { Page } from 'playwright-core';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { launchChromium } from '../../test/browser/chromium.ts';
import { startFilmServer } from '../../test/browser/demo-server.ts';
import * as person from '../../test/browser/drive-panel.ts';

const mostMs = 400;
const frames = 48;
/** These open a window of the browser or the system, which a page does not see. */
const opensWindow = /Choose a file|Another file|Import|Export|Download|Tell me/;

/** Texts, because they run in the page. Apply says what it makes, so that its own text changes. */
const nameOf = `((one) => (one.matches('.apply') ? 'Apply' : one.textContent.trim() || one.title || one.className))`;
/** The number of milliseconds, or null when nothing changed within two seconds. */
const pressAndWait = `(async (name, nth) => {
  const nameOf = ${nameOf};
  const seen = [...document.querySelectorAll('button')].filter((one) => one.offsetParent !== null && one.closest('[inert]') === null);
  const button = seen.filter((one) => nameOf(one) === name)[nth];
  if (button === undefined) return -1;
  return new Promise((resolve) => {
    let isOver = false;
    const end = (value) => { if (!isOver) { isOver = true; observer.disconnect(); resolve(value); } };
    const observer = new MutationObserver(() => requestAnimationFrame(() => end(performance.now() - begun)));
    observer.observe(document.body, { attributes: true, childList: true, characterData: true, subtree: true });
    const begun = performance.now();
    button.click();
    setTimeout(() => end(null), 2000);
  });
})`;
const listButtons = `[...document.querySelectorAll('button')]
  .filter((one) => one.offsetParent !== null && one.closest('[inert]') === null)
  .map(${nameOf})`;

interface Press {
  readonly place: string;
  readonly name: string;
  readonly ms: number | null;
}

/** A dialog can lie on another one. */
async function closeDialogs(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
}

async function pressAll(page: Page, place: string, goThere: () => Promise<void>): Promise<Press[]> {
  const found: Press[] = [];
  await goThere();
  const names = await page.evaluate<string[]>(listButtons);
  for (const [index, name] of names.entries()) {
    if (opensWindow.test(name)) continue;
    await goThere();
    const nth = names.slice(0, index).filter((one) => one === name).length;
    const ms = await page.evaluate<number | null>(`(${pressAndWait})(${JSON.stringify(name)}, ${nth})`);
    // An earlier press has taken it away.
    if (ms === -1) continue;
    found.push({ place, name, ms });
    await page.keyboard.press('Escape');
  }
  return found;
}

await ensurePanel();
const server = await startFilmServer();
const browser = await launchChromium();
try {
  const source = [...testPicture('320x180', '24', frames), '-pix_fmt', 'yuv420p'];
  const clip = await makeClip(`${server.folder}/moving.mp4`, source);
  const page = await browser.newPage({ viewport: { width: 420, height: 900 } });
  await page.goto(server.url);
  await person.pair(page, server.pairingCode);
  await person.dropClip(page, clip, frames);
  await person.acceptPractice(page);
  await page.locator('.rows-3').fill('a blue ball on grass');
  await person.apply(page, 120_000);
  await person.openWipe(page);
  const tab = (name: string) => async () => {
    await page.locator('.tab', { hasText: name }).click();
  };
  const presses = [
    ...(await pressAll(page, 'Compare', tab('Compare'))),
    ...(await pressAll(page, 'Versions', tab('Versions'))),
    ...(await pressAll(page, 'Edit', tab('Edit'))),
    ...(await pressAll(page, 'About', async () => {
      await closeDialogs(page);
      await page.getByRole('button', { name: 'Help' }).click();
    })),
    ...(await pressAll(page, 'Models', async () => {
      await closeDialogs(page);
      await tab('Edit')();
      await page.getByRole('button', { name: 'All models' }).click();
    })),
  ];
  for (const { place, name, ms } of presses) {
    console.log(`${place.padEnd(9)} ${name.padEnd(34)} ${ms === null ? 'no change' : `${Math.round(ms)} ms`}`);
  }
  const known = presses.flatMap(({ ms }) => (ms === null ? [] : [ms])).sort((a, b) => a - b);
  const late = known.filter((ms) => ms > mostMs).length;
  console.log(
    `${presses.length} presses: median ${Math.round(known[Math.floor(known.length / 2)] ?? 0)} ms, ` +
      `most ${Math.round(known.at(-1) ?? 0)} ms; ${late} above ${mostMs} ms, ${presses.length - known.length} without a change`,
  );
} finally {
  await browser.close();
  await server.close();
}
