// The host interface for a web page: a file instead of a timeline, downloads instead of placing.

import { pictureExtensions } from '../../../../protocol/messages/clip-messages.ts';
import type { Abilities, AbilityName, Host, Theme } from '../host.ts';
import { abilityNames, startAddress } from '../host.ts';
import { createFileSelection } from './file-selection.ts';
import { createPageEdits } from './page-edits.ts';
import type { TextStorage } from './text-storage.ts';
import type { PageFiles } from './page-files.ts';
import { createResultFiles } from './result-files.ts';

export interface BrowserHost {
  readonly host: Host;
  readonly files: PageFiles;
}

const there: readonly AbilityName[] = ['selection-events', 'source-export', 'theme-events'];

export function createBrowserHost(page: Window): BrowserHost {
  const { document, navigator } = page;
  const storage = openStorage(page);
  const chosen = createFileSelection(document, storage);
  const results = createResultFiles();
  const dark = page.matchMedia('(prefers-color-scheme: dark)');
  const themeOf = (isDark: boolean): Theme => (isDark ? 'dark' : 'light');

  const host: Host = {
    kind: 'browser',
    product: /(Firefox|Edg|Chrome|Safari)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? 'Browser',
    abilities: abilities(document),
    selection: chosen.selection,
    clips: chosen.clips,
    timeline: createPageEdits(storage),
    files: {
      openResult: (name) => Promise.resolve(results.openWriter(name)),
      openText: (extension) => openText(document, extension),
      saveText(suggestedName, text) {
        download(document, new Blob([text], { type: 'application/json' }), suggestedName);
        return Promise.resolve(true);
      },
      savePicture(suggestedName, png) {
        download(document, new Blob([new Uint8Array(png)], { type: 'image/png' }), suggestedName);
        return Promise.resolve(true);
      },
      openPicture: () => openPicture(document),
      pickExportPreset: () => Promise.resolve(false),
    },
    storage: {
      read: (key) => Promise.resolve(storage.getItem(`tokenflow.${key}`)),
      write(key, text) {
        put(storage, `tokenflow.${key}`, text);
        return Promise.resolve();
      },
      // Of this origin only; a browser has no safer place for it that a page could read again.
      readSecret: (key) => Promise.resolve(storage.getItem(`tokenflow.secret.${key}`)),
      writeSecret(key, text) {
        put(storage, `tokenflow.secret.${key}`, text);
        return Promise.resolve();
      },
    },
    theme: {
      current: () => themeOf(dark.matches),
      subscribe(listener) {
        const tell = ({ matches }: MediaQueryListEvent): void => listener(themeOf(matches));
        dark.addEventListener('change', tell);
        return () => dark.removeEventListener('change', tell);
      },
    },
    shell: {
      subscribe: () => () => undefined,
      copyText: (text) =>
        navigator.clipboard.writeText(text).then(
          () => true,
          () => false,
        ),
      openLogFolder: () => Promise.resolve(false),
      startServer() {
        // The browser asks the user first; where nothing answers to the address, it does nothing.
        const link = document.createElement('a');
        link.href = startAddress;
        link.click();
        return Promise.resolve(true);
      },
      logFolder: null,
      log: (line) => console.info(line),
    },
    readServerNote: () => Promise.resolve(null),
  };
  const files: PageFiles = {
    ...chosen.files,
    save(resultId) {
      const found = results.find(resultId);
      if (found !== null) download(document, found.blob, found.name);
      return Promise.resolve(found !== null);
    },
  };
  return { host, files };
}

/** Baseline to High profile at level 3.1: 720p at 30 frames per second. */
const playbackCodec = 'video/mp4; codecs="avc1.64001f"';

function abilities(page: Document): Abilities {
  const playsVideo = page.createElement('video').canPlayType(playbackCodec) !== '';
  const entries = abilityNames.map((name) => {
    if (name === 'video') {
      const fallback = playsVideo ? null : ('pictures' as const);
      return [name, { name, isThere: playsVideo, fallback, detail: playsVideo ? '' : 'This browser has no H.264.' }];
    }
    const isThere = there.includes(name);
    return [name, { name, isThere, fallback: null, detail: isThere ? '' : 'Not in a web page.' }];
  });
  return Object.fromEntries(entries) as Abilities;
}

/** Private windows may refuse storage: then what is kept lasts as long as the page. */
function openStorage(page: Window): TextStorage {
  try {
    page.localStorage.getItem('tokenflow');
    return page.localStorage;
  } catch {
    const texts = new Map<string, string>();
    return {
      getItem: (key) => texts.get(key) ?? null,
      setItem: (key, text) => void texts.set(key, text),
      removeItem: (key) => void texts.delete(key),
    };
  }
}

function put(storage: TextStorage, key: string, text: string | null): void {
  if (text === null) storage.removeItem(key);
  else storage.setItem(key, text);
}

function download(page: Document, blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = page.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob by then; a second use makes its own address.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function openText(page: Document, extension: string) {
  const file = await openFile(page, extension);
  return file === null ? null : { name: file.name, text: await file.text() };
}

async function openPicture(page: Document) {
  const file = await openFile(page, pictureExtensions.map((one) => `.${one}`).join(','));
  return file === null ? null : { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

function openFile(page: Document, accept: string): Promise<File | null> {
  const input = page.createElement('input');
  input.type = 'file';
  input.accept = accept;
  return new Promise((resolve) => {
    input.oncancel = () => resolve(null);
    input.onchange = () => resolve(input.files?.[0] ?? null);
    input.click();
  });
}
