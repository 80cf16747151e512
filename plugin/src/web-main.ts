// The panel as a web page that the companion server serves.

import { createPageAttention } from './host/browser/page-attention.ts';
import { createBrowserHost } from './host/browser/browser-host.ts';
import { startPanel } from './panel.ts';
import { pageAccessibility } from './view/accessibility.ts';
import { createFileView } from './view/edit/file-view.ts';

/** Put in by the build. */
declare const PANEL_VERSION: string;

/**
 * The key of a link that opens the panel, paired. It leaves the address bar at once: it is in no screenshot and no bookmark.
 */
function createKeyTaker(): () => string | null {
  let key = /^#open=([0-9a-f]{64})$/.exec(location.hash)?.[1] ?? null;
  if (key !== null) history.replaceState(null, '', location.pathname);
  return () => {
    const taken = key;
    key = null;
    return taken;
  };
}

const takeKey = createKeyTaker();
const { host, files } = createBrowserHost(window);
const root = document.getElementById('panel');
if (root !== null) {
  const stop = startPanel({
    host,
    root,
    serverUrl: location.origin,
    takeKey,
    language: navigator.language,
    version: PANEL_VERSION,
    dragText: null,
    page: {
      createClip: (context) => createFileView(context, files),
      accessibility: pageAccessibility,
      attention: createPageAttention(window),
      save: (resultId) => files.save(resultId),
    },
  });
  // A browser closes a page without asking. What was typed last is kept then.
  window.addEventListener('pagehide', stop);
  // Such a page can be shown again as it was, but it has ended.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}
