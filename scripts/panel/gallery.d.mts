import type { Browser, Page } from 'playwright-core';

/** A page that shows the panel in any of the named states: `window.gallery.show(name, theme)`. */
export function openGallery(
  browser: Browser,
  options: { readonly width: number; readonly height: number; readonly isWeb: boolean; readonly scale?: number },
): Promise<Page>;
