// Panel, command and flyout menu, as manifest.json names them. UXP takes them once, right after the code is loaded, and
// waits 300 ms for each hook; so nothing here waits for anything. Premiere calls no hook when a panel is hidden or
// closed: state that must last belongs to the plugin, not to the panel.

import type { PanelCommand } from '../host.ts';
import type { UxpModule } from './api.ts';
import { guarded, type Log } from './guard.ts';
import type { Menus } from './shell.ts';

export const panelId = 'tokenflow';
export const commandId = 'edit-selection';

/** The flyout menu: ids are the panel's commands. */
export const flyoutMenu: readonly { readonly id: PanelCommand; readonly label: string }[] = [
  { id: 're-pair', label: 'Re-pair...' },
  { id: 'diagnostics', label: 'Diagnostics...' },
  { id: 'open-log', label: 'Open log folder' },
  { id: 'about', label: 'About TokenFlow' },
];

/** `showPanel` gets the panel's root node, once per opening. */
export function setUpEntryPoints(
  { entrypoints }: UxpModule,
  menus: Menus,
  showPanel: (root: unknown) => void,
  log: Log,
): void {
  const invoke = guarded(log, 'menu', (id: unknown) => {
    const known = flyoutMenu.find((item) => item.id === id);
    if (known !== undefined) menus.invoke(known.id);
  });
  entrypoints.setup({
    panels: {
      [panelId]: {
        create: guarded(log, 'create', showPanel),
        menuItems: flyoutMenu.map(({ id, label }) => ({ id, label })),
        invokeMenu: invoke,
      },
    },
    commands: {
      [commandId]: { run: guarded(log, 'command', () => menus.invoke(commandId)) },
    },
  });
}
