// The panel in Premiere. State and connection belong to the plugin, not to the panel's surface: Premiere does not say
// when a panel is hidden or closed, so running edits continue, and a reopened panel shows them.

import { dragText } from './host/premiere/drag.ts';
import { loadSurroundings } from './host/premiere/modules.ts';
import { createPremiereHost } from './host/premiere/premiere-host.ts';
import { startPanel } from './panel.ts';

/** Set by the build to the version of the package. */
declare const PANEL_VERSION: string;

const host = createPremiereHost(loadSurroundings(), () => crypto.randomUUID().replaceAll('-', ''));
const surface = document.createElement('div');
surface.className = 'surface';

// First of all: UXP gives the panel a few milliseconds to announce itself.
host.start((root) => {
  // Of the nodes that UXP hands in only this is needed.
  (root as { appendChild(child: unknown): void }).appendChild(surface);
});

try {
  startPanel({
    host,
    root: surface,
    // One of the ports that manifest.json allows.
    serverUrl: null,
    version: PANEL_VERSION,
    language: 'en',
    page: null,
    dragText,
  });
} catch (error) {
  host.shell.log(`The panel did not start: ${String(error)}`);
  surface.textContent = `TokenFlow did not start: ${String(error)}`;
}
