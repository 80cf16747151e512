// A simulated Premiere in a window of Chromium, and panels that it opens. Only the machine's work (files, ffmpeg) is done
// here; page-premiere.ts is what runs in the window.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { bundlePart, folderOf } from '../../scripts/panel/build.mjs';
import { createNodeMachine } from '../premiere-sim/node-machine.ts';
import { preparePluginData } from '../premiere-sim/premiere-sim.ts';
import { createMachineCalls } from './machine-calls.ts';
import type { PagePremiere, ProjectWish } from './page-premiere.ts';

const entry = fileURLToPath(new URL('page-premiere.ts', import.meta.url));

/**
 * Switches of Chromium: files are of one origin, so that the panel's window and Premiere's reach each other, and the first
 * port that the panel tries leads to the server of the test.
 */
export function switchesFor(serverUrl: string): readonly string[] {
  const { host } = new URL(serverUrl);
  return ['--allow-file-access-from-files', `--host-resolver-rules=MAP 127.0.0.1:47860 ${host}`];
}

/** What Chromium says where nobody listens: the panel tries the next port when one is slow. */
function isEmptyPort(text: string): boolean {
  return /^WebSocket connection to 'ws:\/\/127\.0\.0\.1:4786[1-3]\/socket' failed/.test(text);
}

type Answer<Name extends keyof PagePremiere> = Awaited<ReturnType<PagePremiere[Name]>>;

export interface PremiereWindow {
  ask<Name extends keyof PagePremiere>(name: Name, ...args: Parameters<PagePremiere[Name]>): Promise<Answer<Name>>;
  /** Opens the built panel. Its data and pairing are those that an earlier one has left. */
  openPanel(): Promise<Page>;
  /** What went wrong in any of the windows, where nobody asked. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

export async function openPremiere(browser: Browser, wish: ProjectWish): Promise<PremiereWindow> {
  const { folder } = wish;
  await preparePluginData(folder);
  const calls = createMachineCalls(createNodeMachine(folder));
  const context = await browser.newContext({ viewport: { width: 420, height: 1000 } });
  const faults: string[] = [];
  context.on('weberror', (error) => faults.push(error.error().message));
  context.on('console', (line) => line.type() === 'error' && !isEmptyPort(line.text()) && faults.push(line.text()));
  await context.addInitScript({ content: await bundlePart(entry) });
  const page = await context.newPage();
  await page.exposeFunction('callMachine', (name: keyof typeof calls, args: readonly never[]): Promise<unknown> =>
    (calls[name] as (...args: readonly never[]) => Promise<unknown>)(...args),
  );
  const start = join(folder, 'premiere.html');
  await writeFile(start, '<!doctype html><title>Premiere</title>');
  await page.goto(pathToFileURL(start).href);

  // Texts, because they run in the page, where other globals are known than here.
  const ask: PremiereWindow['ask'] = (name, ...args) => page.evaluate(`premiere.${name}(...${JSON.stringify(args)})`);
  await ask('openProject', wish);
  return {
    ask,
    faults,
    async openPanel() {
      const opening = page.waitForEvent('popup');
      const panel = pathToFileURL(join(folderOf('premiere'), 'index.html')).href;
      await page.evaluate('void (window.panel = window.open())');
      const opened = await opening;
      // A window of its own first: scripts that come before all others do not reach one that opens with a page.
      await page.evaluate(`window.panel.location.href = ${JSON.stringify(panel)}`);
      await opened.waitForURL(panel);
      return opened;
    },
    close: () => context.close(),
  };
}
