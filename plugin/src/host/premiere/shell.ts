// The parts of the panel outside its own surface: menus, clipboard, theme, the folder of its log.

import { startAddress, type HostShell, type HostTheme, type PanelCommand, type Theme } from '../host.ts';
import type { Surroundings } from './api.ts';
import { guarded, type Log } from './guard.ts';

export interface Menus {
  subscribe(listener: (command: PanelCommand) => void): () => void;
  /** Called by the entry points; a command that comes before anyone listens is kept for the first listener. */
  invoke(command: PanelCommand): void;
}

export function createMenus(): Menus {
  const listeners = new Set<(command: PanelCommand) => void>();
  let waiting: PanelCommand | null = null;
  return {
    subscribe(listener) {
      listeners.add(listener);
      if (waiting !== null) listener(waiting);
      waiting = null;
      return () => listeners.delete(listener);
    },
    invoke(command) {
      if (listeners.size === 0) waiting = command;
      for (const listener of listeners) listener(command);
    },
  };
}

export function createShell(
  { uxp, globals }: Surroundings,
  menus: Menus,
  logFolder: () => string | null,
  log: Log,
): HostShell {
  return {
    subscribe: (listener) => menus.subscribe(guarded(log, 'menu', listener)),
    async copyText(text) {
      try {
        if (globals.clipboard === undefined) return false;
        await globals.clipboard.setContent({ 'text/plain': text });
        return true;
      } catch (error) {
        log(`The clipboard refused: ${String(error)}`);
        return false;
      }
    },
    async openLogFolder() {
      const folder = logFolder();
      if (uxp.shell === undefined || folder === null) return false;
      try {
        // The answer is an empty text, or what went wrong.
        const complaint = await uxp.shell.openPath(folder, 'Opens the folder of the TokenFlow log.');
        if (complaint !== '') log(`The log folder was not opened: ${complaint}`);
        return complaint === '';
      } catch (error) {
        log(`The log folder was not opened: ${String(error)}`);
        return false;
      }
    },
    async startServer() {
      if (uxp.shell === undefined) return false;
      try {
        // Premiere asks the user first. The answer is an empty text, or what went wrong.
        const complaint = await uxp.shell.openExternal(
          startAddress,
          'Starts TokenFlow, the app that edits your clips.',
        );
        if (complaint !== '') log(`TokenFlow was not started: ${complaint}`);
        return complaint === '';
      } catch (error) {
        log(`TokenFlow was not started: ${String(error)}`);
        return false;
      }
    },
    get logFolder() {
      return logFolder();
    },
    log,
  };
}

export function createTheme({ globals }: Surroundings, log: Log): HostTheme {
  // Premiere has several dark themes and one light.
  const toTheme = (name: string): Theme => (/^light/i.test(name) ? 'light' : 'dark');
  const listeners = new Set<(theme: Theme) => void>();
  try {
    globals.theme?.onUpdated.addListener(
      guarded(log, 'theme', (name: string) => {
        for (const listener of listeners) listener(toTheme(name));
      }),
    );
  } catch (error) {
    log(`No news of themes: ${String(error)}`);
  }
  return {
    current() {
      try {
        return toTheme(globals.theme?.getCurrent() ?? 'dark');
      } catch {
        return 'dark';
      }
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
