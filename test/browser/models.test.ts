// The first minutes in the web panel, in a real browser with the real companion: a sample clip by one press, and a model that
// is downloaded from a hub on this machine.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CatalogModel } from '../../companion-server/src/models/catalog-file.ts';
import { readHub } from '../../companion-server/src/models/hub/hub-address.ts';
import { startFakeHub } from '../../companion-server/src/models/testing/fake-hub.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';
import { startDemoServer, type DemoServer } from './demo-server.ts';
import { pair } from './drive-panel.ts';

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('the first minutes in the web panel', () => {
  let browser: Browser;
  beforeAll(async () => {
    await ensurePanel();
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  async function openPanel(server: DemoServer): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    onTestFinished(() => page.close());
    page.on('pageerror', (error) => expect.fail(error.message));
    await page.goto(server.url);
    await pair(page, server.pairingCode);
    return page;
  }

  async function startServer(downloads: NonNullable<Parameters<typeof startDemoServer>[0]>): Promise<DemoServer> {
    const server = await startDemoServer(downloads);
    onTestFinished(() => server.close());
    return server;
  }

  test('a sample clip is there after one press, with words that work, and Apply can be pressed', async () => {
    const page = await openPanel(await startServer({ catalog: [], hub: () => readHub({}) }));
    await page.getByRole('button', { name: 'Try with a sample clip' }).click();
    await page.getByText('24 frames ·').waitFor();
    expect(await page.locator('.clip-name').innerText()).toBe('ball-grass.mp4');
    expect(await page.locator('.rows-3').inputValue()).toBe('a blue ball on grass');
    await page.getByText('Edits of this sample that work').waitFor();
    expect(await page.locator('.practice').isVisible()).toBe(false);
    expect(await page.locator('.apply').getAttribute('class')).not.toContain('off');
    // Words that the model does not know turn Apply into the card, and no edit is made.
    await page.locator('.rows-3').fill('a shiny silver robotic wolf');
    await page.locator('.apply').click();
    await page.getByText('shiny, silver, robotic, wolf').last().waitFor();
    expect(await page.locator('.practice').isVisible()).toBe(true);
    expect(await page.locator('.task').count()).toBe(0);
  });

  test('a model is downloaded with its licence accepted, and is chosen and in the list without a reload', async () => {
    const { catalog, hub } = await makeHub();
    const page = await openPanel(await startServer({ catalog, hub: () => readHub({ HF_ENDPOINT: hub.url }) }));
    await page.getByRole('button', { name: 'Get a model for real footage' }).click();
    await page.locator('.model-row', { hasText: 'Tiny' }).getByRole('button', { name: 'Download' }).click();
    await page.locator('.licence-text').waitFor();
    expect(await page.locator('.licence-text').innerText()).toContain('Section I: PREAMBLE');
    await page.getByRole('button', { name: 'Not now' }).click();
    expect(hub.log).toEqual([]);

    await page.locator('.model-row', { hasText: 'Tiny' }).getByRole('button', { name: 'Download' }).click();
    // The weights are held back: the download can be seen, and paused.
    hub.answer = ({ where }) => where === 'storage';
    await page.getByRole('button', { name: 'Accept and download' }).click();
    const download = page.locator('.download', { hasText: 'Tiny' });
    await download.getByText(/^Downloading/).waitFor();
    await download.getByRole('button', { name: 'Pause' }).click();
    await download.getByText(/^Paused/).waitFor();
    hub.answer = () => false;
    await download.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The model is ready.').waitFor();
    await download.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'On this machine' }).click();
    const row = page.locator('.model-row:visible', { hasText: 'Tiny' });
    expect(await row.innerText()).toMatch(/in use[\s\S]*real footage/);
    await row.getByRole('button', { name: 'Remove' }).click();
    await page.locator('.overlay').getByRole('button', { name: 'Remove' }).last().click();
    await page.getByText('The model was removed.').waitFor();
    await row.waitFor({ state: 'detached' });
  });
});

/** A hub with a tiny checkpoint, and a catalogue that knows it. */
async function makeHub() {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-hub-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const made = await makeTinyCheckpoint(join(folder, 'made'));
  const contents: Record<string, Uint8Array> = {};
  for (const entry of await readdir(made, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    contents[path.slice(made.length + 1).replaceAll('\\', '/')] = await readFile(path);
  }
  const hub = await startFakeHub(contents);
  onTestFinished(() => hub.close());
  const tiny: CatalogModel = {
    id: 'tiny',
    title: 'Tiny',
    kind: 'checkpoint',
    family: 'Stable Diffusion 1.x',
    goodFor: 'Tests.',
    licence: {
      name: 'CreativeML Open RAIL-M',
      url: 'https://huggingface.co/spaces/CompVis/stable-diffusion-license',
    },
    memoryGigabytes: 0,
    hub: {
      repository: hub.repository,
      revision: hub.revision,
      downloadGigabytes: 0,
      files: Object.keys(contents).map((path) => ({ path, sizeBytes: null, sha256: null })),
    },
  };
  return { hub, catalog: [tiny] };
}
