// UXP around the simulated Premiere: modules, globals, pickers. Pickers give what a test has laid out.

import type { Surroundings, UxpFile, UxpModule } from '../../plugin/src/host/premiere/api.ts';
import type { SimCore } from './sim-core.ts';
import { createModule } from './sim-module.ts';

/** Of the manifest, whose test compares. */
export const launchSchemes: readonly string[] = ['tokenflow'];

export interface SimUxp {
  readonly surroundings: Surroundings;
  /** What the person picks next; null is a cancel. */
  readonly picks: { open: UxpFile | null; save: UxpFile | null };
  readonly clipboard: { text: string | null; isRefused: boolean };
  readonly openedFolders: string[];
  /** Addresses that the system was asked to open. */
  readonly openedAddresses: string[];
  readonly secrets: Map<string, string>;
  theme: string;
  changeTheme(theme: string): void;
  /** What the panel announced, once. */
  readonly entryPoints: () => SimEntryPoints;
}

export interface SimEntryPoints {
  readonly panels: Readonly<
    Record<
      string,
      {
        create(root: unknown): void;
        readonly menuItems: readonly { readonly id: string; readonly label: string }[];
        invokeMenu(id: string): void;
      }
    >
  >;
  readonly commands: Readonly<Record<string, { run(): void }>>;
}

/** `secrets` is the system's keeping, which outlives a panel. */
export function createUxp(core: SimCore, { platform = 'darwin', secrets = new Map<string, string>() } = {}): SimUxp {
  let entryPoints: SimEntryPoints | null = null;
  const themeListeners: ((theme: string) => void)[] = [];
  const picks: SimUxp['picks'] = { open: null, save: null };
  const clipboard: SimUxp['clipboard'] = { text: null, isRefused: false };
  const openedFolders: string[] = [];
  const openedAddresses: string[] = [];

  const uxp: UxpModule = {
    entrypoints: {
      setup(announced) {
        if (entryPoints !== null) core.violate('setup-once', 'It was called again.');
        entryPoints = announced as SimEntryPoints;
      },
    },
    host: { name: 'premierepro', version: '26.3.0' },
    storage: {
      localFileSystem: {
        getDataFolder: () => Promise.resolve({ nativePath: core.machine.dataFolder }),
        getFileForOpening: () => Promise.resolve(picks.open),
        getFileForSaving: () => Promise.resolve(picks.save),
      },
      secureStorage: {
        setItem: (key, value) => Promise.resolve(void secrets.set(key, value)),
        // UXP gives bytes back, whatever was put in.
        getItem: (key) => {
          const text = secrets.get(key);
          return Promise.resolve(text === undefined ? null : toUtf8(text));
        },
        removeItem: (key) => Promise.resolve(void secrets.delete(key)),
      },
    },
    shell: {
      openPath(path) {
        openedFolders.push(path);
        return Promise.resolve('');
      },
      openExternal(address) {
        const scheme = address.slice(0, address.indexOf(':'));
        if (!launchSchemes.includes(scheme)) {
          core.violate('launch-scheme', `The manifest does not allow ${scheme}.`);
        }
        openedAddresses.push(address);
        return Promise.resolve('');
      },
    },
  };

  const sim: SimUxp = {
    picks,
    clipboard,
    openedFolders,
    openedAddresses,
    secrets,
    theme: 'darkest',
    changeTheme(theme) {
      sim.theme = theme;
      for (const listener of themeListeners) listener(theme);
    },
    entryPoints() {
      if (entryPoints === null) throw new Error('The panel has not called entrypoints.setup.');
      return entryPoints;
    },
    surroundings: {
      ppro: createModule(core),
      uxp,
      fs: core.machine.fs,
      clock: core.clock,
      platform,
      home: core.machine.homeFolder,
      globals: {
        theme: {
          getCurrent: () => sim.theme,
          onUpdated: { addListener: (listener) => void themeListeners.push(listener) },
        },
        clipboard: {
          setContent(content) {
            if (clipboard.isRefused) return Promise.reject(new Error('No permission.'));
            clipboard.text = content['text/plain'] ?? null;
            return Promise.resolve();
          },
        },
      },
    },
  };
  return sim;
}

function toUtf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(escaped, (character) => character.charCodeAt(0));
}
