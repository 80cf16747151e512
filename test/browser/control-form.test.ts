// ControlNets in the form, in a real browser, with no server behind it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openGallery } from '../../scripts/panel/gallery.mjs';
import { chromiumPath, launchChromium } from './chromium.ts';

const textsOf = (page: Page, selector: string) => page.locator(selector).allInnerTexts();

describe.skipIf(chromiumPath === undefined)('the ControlNets of the form', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await openGallery(browser, { width: 320, height: 900, isWeb: false });
  });
  beforeEach(() => page.evaluate("gallery.show('controls', 'dark')"));
  afterAll(() => browser.close());

  test('show their picture, and say in words why one does not fit', async () => {
    expect(await textsOf(page, '.control .lora-title')).toEqual(['Edges', 'Colours and coarse shapes']);
    expect(await page.locator('.control-picture:not(.gone)').getAttribute('alt')).toBe(
      'What the ControlNet is shown: Edges',
    );
    expect(await textsOf(page, '.control-fault:not(.gone)')).toEqual([
      'It is for Stable Diffusion XL; the chosen model is Stable Diffusion 1.x.',
    ]);
    expect(await textsOf(page, '.estimate:not(.gone)')).toContain('A ControlNet does not fit: see Advanced.');
    const nets = page.getByTitle('ControlNet for Colours and coarse shapes');
    expect(await nets.locator('option').allInnerTexts()).toEqual([
      'The first that fits',
      'control_v11p_sd15_canny',
      'Tile XL (does not fit)',
      'old-scribble (does not fit)',
    ]);
    await nets.selectOption('old-scribble');
    expect((await textsOf(page, '.control-fault:not(.gone)'))[0]).toContain('It is a pickle');
    await nets.selectOption('control_v11p_sd15_canny');
    expect(await textsOf(page, '.control-fault:not(.gone)')).toEqual([]);
  });

  test('are turned by keys alone, added, and removed', async () => {
    await page.getByTitle('Strength of Edges').focus();
    await page.keyboard.press('ArrowRight');
    expect(await textsOf(page, '.control .lora-strength')).toEqual(['0.85', '1.00']);
    await page.keyboard.press('Tab');
    await page.keyboard.type('25');
    await page.keyboard.press('Tab');
    expect(await page.getByTitle('First step of Edges, percent').inputValue()).toBe('25');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await page.locator('.control').first().locator('.toggle.on').allInnerTexts()).toEqual(['Guess']);
    await page.getByTitle('Add a ControlNet').selectOption('scribble');
    expect(await textsOf(page, '.control .lora-title')).toEqual(['Edges', 'Colours and coarse shapes', 'Scribble']);
    expect(await textsOf(page, '.control-fault:not(.gone)')).toEqual([
      'It is for Stable Diffusion XL; the chosen model is Stable Diffusion 1.x.',
      'No ControlNet for Scribble and Stable Diffusion 1.x was found.',
    ]);
    await page.getByTitle('Remove Edges').click();
    await page.getByTitle('Remove Scribble').click();
    expect(await textsOf(page, '.control .lora-title')).toEqual(['Colours and coarse shapes']);
  });
});
