// The one place where modules of Premiere and UXP are loaded. Nothing else may call `require`.

import type { Surroundings, UxpFs, UxpGlobals, UxpModule } from './api.ts';
import type { PremiereModule } from './api.ts';

declare function require(name: string): unknown;
declare function setTimeout(task: () => void, ms: number): number;
declare function clearTimeout(timer: number): void;
declare const navigator: { readonly clipboard?: UxpGlobals['clipboard'] } | undefined;

/** Loads the host's modules. Throws when the code does not run in Premiere. */
export function loadSurroundings(): Surroundings {
  const os = require('os') as { platform(): string; homedir?(): string };
  const { theme } = document as unknown as { readonly theme?: UxpGlobals['theme'] };
  return {
    ppro: require('premierepro') as PremiereModule,
    uxp: require('uxp') as UxpModule,
    fs: require('fs') as UxpFs,
    platform: os.platform(),
    home: os.homedir?.() ?? null,
    globals: {
      theme,
      clipboard: typeof navigator === 'undefined' ? undefined : navigator.clipboard,
    },
    clock: {
      now: () => Date.now(),
      wait: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
      after(ms, task) {
        const timer = setTimeout(task, ms);
        return () => clearTimeout(timer);
      },
    },
  };
}
