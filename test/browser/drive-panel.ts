// What a person does in the panel, one function per step.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';

export async function pair(page: Page, code: string): Promise<void> {
  await page.getByPlaceholder('ABCD-2345').fill(code);
  await page.keyboard.press('Enter');
  // Where a clip is dropped, or the clip that is selected.
  await page.locator('.drop, .clip-name').first().waitFor();
}

/** Drops a file, as from the desktop, and waits until the server has looked into it. */
export async function dropClip(page: Page, path: string, frames: number): Promise<void> {
  const content = (await readFile(path)).toString('base64');
  const files = await page.evaluateHandle(
    // A text, because the function runs in the page, where other globals are known than here.
    `(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(content)}), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], ${JSON.stringify(basename(path))}, { type: 'video/mp4' }));
      return transfer;
    })()`,
  );
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: files });
  await page.getByText(`${frames} frames ·`).waitFor();
}

/** Goes on with a clip that the practice model does not know. */
export async function acceptPractice(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try anyway' }).click();
  await page.locator('.apply').waitFor();
}

export async function describeEdit(page: Page, prompt: string, steps: number): Promise<void> {
  await page.locator('.rows-3').fill(prompt);
  await page.locator('.page-edit .fold').click();
  await page.getByTitle('Steps', { exact: true }).fill(String(steps));
  await page.getByTitle('Steps', { exact: true }).press('Tab');
}

/** Asks for a preview of a keyframe in so many frames, and waits until all its pictures are there. */
export async function preview(page: Page, interval: number, timeoutMs: number): Promise<void> {
  const field = page.getByTitle('Reference frame every', { exact: true });
  await field.fill(String(interval));
  await field.press('Tab');
  await page.locator('.button.preview').click();
  await page.locator('.preview-strip-cell').first().waitFor({ timeout: timeoutMs });
  await page.locator('.preview-strip-cell:not(:has(img[src^="blob:"]))').first().waitFor({ state: 'detached' });
}

/** Applies and waits for the end. */
export async function apply(page: Page, timeoutMs: number): Promise<void> {
  await page.locator('.apply').click();
  // In a narrow panel the comparison covers it.
  const done = page.locator('.task-step', { hasText: 'Done' }).first();
  await done.waitFor({ state: 'attached', timeout: timeoutMs });
}

/** The comparison of the newest edit opens by itself. Waits for the pictures of the wipe. */
export async function openWipe(page: Page): Promise<void> {
  await page.locator('.wipe img[src^="blob:"]:not(.stale)').nth(1).waitFor();
}

/** Draws the divider to a share of the picture's width. */
export async function drawDivider(page: Page, share: number): Promise<void> {
  const box = await page.locator('.wipe').boundingBox();
  if (box === null) throw new Error('There is no wipe.');
  const y = box.y + box.height / 3;
  await page.mouse.move(box.x + box.width / 2, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * share, y, { steps: 4 });
  await page.mouse.up();
}
