// What a page tells people who do not see it, and the keys of groups of buttons. Not for UXP, which knows no aria-*.

import type { Accessibility, Facts, GroupKind } from './ui.ts';

const roleOf: Record<GroupKind, string> = { choices: 'radiogroup', tools: 'toolbar' };

export const pageAccessibility: Accessibility = {
  describe(target, { role, ...facts }: Facts) {
    if (role !== undefined) set(target, 'role', role);
    for (const [fact, value] of Object.entries(facts)) set(target, `aria-${fact}`, value);
  },
  group(target, kind) {
    set(target, 'role', roleOf[kind]);
    // One of the buttons is reached with Tab: the chosen one, or the one that had the focus last.
    const refresh = (): void => {
      const buttons = buttonsOf(target);
      const holder = buttons.find(({ tabIndex }) => tabIndex === 0);
      const chosen = buttons.find((button) => button.getAttribute('aria-checked') === 'true');
      hold(buttons, chosen ?? holder ?? buttons[0]);
    };
    new MutationObserver(refresh).observe(target, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['class', 'aria-checked'],
    });
    target.addEventListener('focusin', (event) => hold(buttonsOf(target), event.target));
    target.addEventListener('keydown', (event) => {
      const buttons = buttonsOf(target);
      const next = nextOf(buttons, event);
      if (next === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      hold(buttons, next);
      next.focus();
      // As with the radio buttons of a browser: what has the focus is chosen.
      if (kind === 'choices') next.click();
    });
    refresh();
  },
  inert(target, isInert) {
    target.inert = isInert;
  },
};

function set(target: HTMLElement, name: string, value: string | number | boolean | null): void {
  if (value === null) target.removeAttribute(name);
  else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, String(value));
}

function buttonsOf(target: HTMLElement): readonly HTMLButtonElement[] {
  return [...target.querySelectorAll('button')].filter((button) => !button.classList.contains('gone'));
}

function hold(buttons: readonly HTMLButtonElement[], holder: EventTarget | null | undefined): void {
  for (const button of buttons) {
    const tabIndex = button === holder ? 0 : -1;
    if (button.tabIndex !== tabIndex) button.tabIndex = tabIndex;
  }
}

function nextOf(buttons: readonly HTMLButtonElement[], { key, target }: KeyboardEvent): HTMLButtonElement | undefined {
  const at = buttons.findIndex((button) => button === target);
  if (at < 0) return undefined;
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return buttons[(at + 1) % buttons.length];
    case 'ArrowLeft':
    case 'ArrowUp':
      return buttons[(at - 1 + buttons.length) % buttons.length];
    case 'Home':
      return buttons[0];
    case 'End':
      return buttons.at(-1);
    default:
      return undefined;
  }
}
