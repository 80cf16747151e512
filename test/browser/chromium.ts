// The browser of the tests: the system's own Chromium. Nothing is downloaded.

import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Where Chromium is, or undefined. */
export const chromiumPath = places.find((place) => place !== undefined && existsSync(place));

export const howToGetChromium =
  'No Chromium was found: install it (Debian: apt-get install chromium) or name it with the variable CHROMIUM.';

/** `args` are further switches of its command line. */
export function launchChromium(args: readonly string[] = []): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(howToGetChromium);
  return chromium.launch({ executablePath: chromiumPath, args: [...args] });
}
