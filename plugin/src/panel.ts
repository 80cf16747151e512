// Puts the parts of the panel together for a host: state, client, flow, view.

import { createClient } from '../../protocol/client/client.ts';
import { panelTiming } from '../../protocol/client/timing.ts';
import { companionPorts } from '../../protocol/ports.ts';
import { createNonce, systemClock, webPlatform } from './client/web-platform.ts';
import { startPanelEffects } from './effects/panel-effects.ts';
import type { EffectDeps } from './effects/deps.ts';
import { createPairingTokens } from './client/pairing-tokens.ts';
import { abilityNames, type Host } from './host/host.ts';
import { initialState } from './state/panel-state.ts';
import { reduce } from './state/reduce/reduce.ts';
import { createStore } from './state/store.ts';
import type { PageParts, ViewEnv } from './view/context.ts';
import { mountPanel } from './view/mount.ts';

export interface PanelOptions {
  readonly host: Host;
  readonly root: HTMLElement;
  /** Of the companion server, for example `http://127.0.0.1:47860`; null to look for it on this machine. */
  readonly serverUrl: string | null;
  /** A key that pairs once without a code; null when there is none. */
  readonly takeKey?: () => string | null;
  readonly version: string;
  readonly language: string;
  /** In Premiere only. */
  readonly dragText: ViewEnv['dragText'];
  /** In a web page only. */
  readonly page: (PageParts & { readonly save: NonNullable<EffectDeps['saveResult']> }) | null;
}

/** Starts the panel; the returned function ends it. */
export function startPanel(options: PanelOptions): () => void {
  const { host, root, serverUrl, takeKey, version, language, page, dragText } = options;
  const onError = (error: unknown): void =>
    host.shell.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const abilities = abilityNames.filter((name) => host.abilities[name].isThere);
  const { kind, product } = host;
  const store = createStore(
    initialState(
      { kind, product, abilities, logFolder: host.shell.logFolder },
      host.theme.current(),
      // What a browser can play; what an editing program decodes without loss.
      kind === 'browser' ? 'h264' : 'prores',
    ),
    reduce,
    onError,
  );
  const client = createClient({
    server: serverUrl ?? {
      addresses: companionPorts.map((port) => `http://127.0.0.1:${port}`),
      readNote: () => host.readServerNote(),
      createNonce,
    },
    takeKey,
    client: { name: kind === 'browser' ? `Web panel in ${product}` : product, version },
    tokens: createPairingTokens(host.storage),
    platform: webPlatform,
    timing: panelTiming,
  });
  mountPanel({
    root,
    store,
    language,
    onError,
    env: {
      kind,
      version,
      random: Math.random,
      page,
      dragText,
    },
  });
  return startPanelEffects({
    host,
    client,
    store,
    clock: systemClock,
    random: Math.random,
    pictures: {
      make: (jpeg) => URL.createObjectURL(new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' })),
      drop: (url) => URL.revokeObjectURL(url),
    },
    isTyping: () => ['INPUT', 'TEXTAREA'].includes(root.ownerDocument.activeElement?.tagName.toUpperCase() ?? ''),
    saveResult: page?.save ?? null,
  });
}
