// Builds the web panel when it is missing or older than what it is made of, so that the server has it to serve. A server
// without a panel still serves Premiere and the command line, so a build that fails is told and does not stop it.

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = [
  'plugin/src',
  'plugin/index.html',
  'plugin/panel.css',
  'plugin/web.css',
  'protocol',
  'package-lock.json',
];

function newestIn(name) {
  const file = path.join(root, name);
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(file).map((entry) => newestIn(path.join(name, entry))));
}

/** Whether plugin/dist/web is there and newer than its sources. */
export function isPanelCurrent() {
  const built = statSync(path.join(root, 'plugin/dist/web/main.js'), { throwIfNoEntry: false });
  return built !== undefined && sources.every((name) => newestIn(name) <= built.mtimeMs);
}

export async function ensurePanel() {
  if (isPanelCurrent()) return;
  const { buildPanel } = await import('./build.mjs');
  await buildPanel();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensurePanel().catch((error) => {
    console.error(`The web panel could not be built: ${error.message}`);
  });
}
