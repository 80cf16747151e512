// Announcements to screen readers in a browser. Not for UXP.

import type { Announce } from './ui.ts';

export const ariaAnnounce: Announce = {
  name: (target, text) => target.setAttribute('aria-label', text),
  off: (target, isOff) => target.setAttribute('aria-disabled', String(isOff)),
  pressed: (target, isOn) => target.setAttribute('aria-pressed', String(isOn)),
};
