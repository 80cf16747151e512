// The list of LoRA in the form, in a real browser, with no server behind it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGallery } from '../../scripts/panel/gallery.mjs';
import { chromiumPath, launchChromium } from './chromium.ts';

/** Title and strength of each row. */
const rowsOf = (page: Page) => page.locator('.lora .row').allInnerTexts();
const optionsOf = (page: Page) => page.locator('select[title="Add a LoRA"] option').allInnerTexts();

describe.skipIf(chromiumPath === undefined)('the LoRA of the form', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await openGallery(browser, { width: 320, height: 900, isWeb: false });
    await page.evaluate("gallery.show('loras', 'dark')");
  });
  afterAll(() => browser.close());

  test('are added from what the server offers, turned and removed', async () => {
    const words = (rows: readonly string[]) => rows.map((row) => row.split(/\s+/).slice(0, -1).join(' '));
    expect(words(await rowsOf(page))).toEqual(['Watercolour wash 0.80', 'old-look -0.50']);
    expect(await page.locator('.lora:not(.gone) .hint:not(.gone)').allInnerTexts()).toEqual([
      'The background app does not have it any more.',
    ]);
    expect(await optionsOf(page)).toEqual([
      'Add a LoRA',
      'Film grain (for Stable Diffusion 1.x)',
      'More detail (for Stable Diffusion XL)',
    ]);
    await page.selectOption('select[title="Add a LoRA"]', 'film-grain');
    await page.getByTitle('Strength of Film grain').fill('-30');
    await page.getByTitle('Remove old-look').click();
    expect(words(await rowsOf(page))).toEqual(['Watercolour wash 0.80', 'Film grain -1.50']);
    expect(await optionsOf(page)).toEqual(['Add a LoRA', 'More detail (for Stable Diffusion XL)']);
  });
});
