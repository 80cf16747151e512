// The title of the page, and notifications of the system. A browser has them for pages of this machine or with TLS.

import type { Notifications } from '../host.ts';

const answers = { default: 'unasked', granted: 'allowed', denied: 'refused' } as const;

export function createPageAttention(page: Window & Partial<Pick<typeof globalThis, 'Notification'>>) {
  const { document } = page;
  const notifications = (): Notifications =>
    page.Notification === undefined || !page.isSecureContext ? 'unavailable' : answers[page.Notification.permission];
  return {
    notifications,
    async ask(): Promise<Notifications> {
      if (page.Notification !== undefined) await page.Notification.requestPermission();
      return notifications();
    },
    isHidden: () => document.visibilityState === 'hidden' || !document.hasFocus(),
    onShown(listener: () => void): void {
      page.addEventListener('focus', listener);
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') listener();
      });
    },
    setTitle(title: string): void {
      if (document.title !== title) document.title = title;
    },
    tell(title: string, text: string): void {
      if (page.Notification === undefined) return;
      const told = new page.Notification(title, { body: text, tag: 'tokenflow' });
      told.onclick = () => {
        page.focus();
        told.close();
      };
    },
  };
}
