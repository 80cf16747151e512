// Builds the panel: one bundle for Premiere, one for web browsers.
//
//   node scripts/panel/build.mjs              plugin/dist/premiere and plugin/dist/web
//   node scripts/panel/build.mjs --watch      again after every change; the folders stay, since Premiere may have them loaded
//   node scripts/panel/build.mjs --package    also dist/tokenflow.ccx
//   node scripts/panel/build.mjs --any-network  with a manifest that allows every address, see docs/install.md

import { cpSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';
import { packCcx } from './ccx.mjs';
import { checkCss, checkHtml, checkScript, printComplaints } from './dialect.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = path.join(root, 'plugin');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Modules that UXP has; everything else is in the bundle. */
const uxpModules = ['premierepro', 'uxp', 'fs', 'os'];

export const targets = {
  premiere: {
    entry: 'src/premiere-main.ts',
    target: 'es2020',
    platform: 'node',
    // CommonJS leaves `require` as it is; the wrapper keeps names from becoming globals.
    format: 'cjs',
    wrapper: { banner: { js: '(() => {' }, footer: { js: '})();' } },
    files: ['icons', 'panel.css'],
  },
  web: {
    entry: 'src/web-main.ts',
    target: 'es2022',
    platform: 'browser',
    format: 'iife',
    wrapper: {},
    files: ['icons', 'panel.css', 'web.css'],
  },
};

const sheetLink = '<link rel="stylesheet" href="panel.css" />';
const webSheetLink = '<link rel="stylesheet" href="web.css" />';

/** The folder that a target is built into. */
export function folderOf(name, outFolder = path.join(source, 'dist')) {
  return path.join(outFolder, name);
}

function optionsOf(name, outFolder, program) {
  const { entry, target, platform, format, wrapper } = targets[name];
  return {
    entryPoints: [path.join(source, entry)],
    outfile: path.join(folderOf(name, outFolder), 'main.js'),
    bundle: true,
    format,
    target,
    platform,
    ...wrapper,
    mainFields: ['module', 'main'],
    external: uxpModules,
    charset: 'utf8',
    legalComments: 'inline',
    define: {
      PANEL_VERSION: JSON.stringify(version),
      PROGRAM_IN_TERMINAL: program === undefined ? 'undefined' : JSON.stringify(program),
    },
    logLevel: 'warning',
  };
}

/** The manifest as it is packed: version of the package; with `anyNetwork`, every address. */
export function manifestFor({ anyNetwork = false } = {}) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'manifest.json'), 'utf8'));
  if (anyNetwork) manifest.requiredPermissions.network.domains = 'all';
  return `${JSON.stringify({ ...manifest, version }, null, 2)}\n`;
}

function copyFiles(name, outFolder, options) {
  const folder = folderOf(name, outFolder);
  mkdirSync(folder, { recursive: true });
  const page = readFileSync(path.join(source, 'index.html'), 'utf8');
  const versioned = page.replace(/data-version="[^"]*"/, `data-version="${version}"`);
  // What only browsers can do has a sheet of its own, after the common one.
  const linked = name === 'web' ? versioned.replace(sheetLink, `$&\n    ${webSheetLink}`) : versioned;
  writeFileSync(path.join(folder, 'index.html'), linked);
  for (const file of targets[name].files) {
    cpSync(path.join(source, file), path.join(folder, file), { recursive: true });
  }
  if (name === 'premiere') writeFileSync(path.join(folder, 'manifest.json'), manifestFor(options));
}

/** What in the panel for Premiere UXP cannot do. */
export function checkDialect(outFolder) {
  const folder = folderOf('premiere', outFolder);
  const read = (name) => readFileSync(path.join(folder, name), 'utf8');
  return [
    ...checkHtml('index.html', read('index.html')),
    ...checkCss('panel.css', read('panel.css')),
    ...checkScript('main.js', read('main.js')),
  ];
}

/** A part of the panel as it would be in the bundle for Premiere: code that sets the global `bundled` to its exports. */
export async function bundlePart(entry) {
  const { outfile, ...options } = optionsOf('premiere');
  const whole = { ...options, entryPoints: [entry], format: 'iife', globalName: 'bundled' };
  const built = await build({ ...whole, banner: {}, footer: {}, write: false });
  return built.outputFiles[0].text;
}

/**
 * Builds both panels. `program`: how the commands that they name are called in a terminal; those of npm when it is missing.
 * Throws when the code does not build, or when the panel for Premiere breaks a rule of UXP.
 */
export async function buildPanel({ outFolder, anyNetwork, program } = {}) {
  for (const name of Object.keys(targets)) {
    await build(optionsOf(name, outFolder, program));
    copyFiles(name, outFolder, { anyNetwork });
  }
  const complaints = checkDialect(outFolder);
  if (complaints.length === 0) return;
  throw new Error(`The panel does what UXP cannot:\n${printComplaints(complaints).join('\n')}`);
}

async function watchPanel(anyNetwork) {
  const report = () => {
    const complaints = checkDialect();
    console.log(complaints.length === 0 ? 'built' : printComplaints(complaints).join('\n'));
  };
  for (const name of Object.keys(targets)) {
    copyFiles(name, undefined, { anyNetwork });
    const plugin = {
      name: 'report',
      setup: (to) => to.onEnd(({ errors }) => errors.length === 0 && report()),
    };
    const options = optionsOf(name);
    const built = await context({ ...options, plugins: name === 'premiere' ? [plugin] : [] });
    await built.watch();
  }
  for (const file of ['index.html', 'panel.css', 'web.css']) {
    watch(path.join(source, file), () => {
      for (const name of Object.keys(targets)) copyFiles(name, undefined, { anyNetwork });
      report();
    });
  }
}

async function main(words) {
  const known = ['--watch', '--package', '--any-network'];
  const unknown = words.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(' ')}. Known are ${known.join(', ')}.`);
  const anyNetwork = words.includes('--any-network');
  if (words.includes('--watch')) return watchPanel(anyNetwork);
  await buildPanel({ anyNetwork });
  if (!words.includes('--package')) return;
  const file = path.join(root, 'dist', 'tokenflow.ccx');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, packCcx(folderOf('premiere')));
  console.log(`dist/tokenflow.ccx, ${readFileSync(file).length} bytes`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
