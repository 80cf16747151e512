// Makes the archives that users download.
//
//   npm run release                                   for every system
//   npm run release -- --target linux-x64,win-x64     for some
//   npm run release -- --unpacked                     folders instead of archives
//
// Into dist/release/. Downloaded packages are kept in .cache/release/.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { buildPanel } from '../panel/build.mjs';
import { bundleServer } from './bundle-server.ts';
import { programInTerminal } from './launchers.ts';
import { packArchive } from './pack.ts';
import { signed, signVariables } from './sign.ts';
import { stageRelease, type BuiltParts } from './stage.ts';
import { targetNames, targets, type Target } from './targets.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cacheDir = path.join(root, '.cache', 'release');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };

/** The folder in the archive. */
const folderName = 'TokenFlow';
/** Whose code is in both panels. */
const panelPackages = ['@noble/hashes', 'valibot'];
const megabyte = 1e6;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: targetNames.join(',') },
      unpacked: { type: 'boolean', default: false },
      out: { type: 'string', default: path.join(root, 'dist', 'release') },
    },
  });
  const chosen = chooseTargets(values.target.split(','));
  mkdirSync(values.out, { recursive: true });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tokenflow-release-'));
  try {
    const built = await build(folder);
    for (const target of chosen) {
      const files = signed(await stageRelease({ target, built, cacheDir }), target);
      const out = path.join(values.out, outName(target, values.unpacked));
      rmSync(out, { recursive: true, force: true });
      if (values.unpacked) unpack(files, path.join(out, folderName));
      else await packArchive(files, folderName, out);
      console.log(summary(target, files, out, values.unpacked));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws an Error for an unknown name. */
function chooseTargets(names: readonly string[]): Target[] {
  return names.map((name) => {
    const target = targets.find((known) => known.name === name);
    if (target === undefined) throw new Error(`--target must be of ${targetNames.join(', ')}, got '${name}'.`);
    return target;
  });
}

async function build(folder: string): Promise<BuiltParts> {
  const panelFolders = new Map<Target['platform'], string>();
  for (const platform of ['win32', 'darwin', 'linux'] as const) {
    const outFolder = path.join(folder, 'panel', platform);
    await buildPanel({ outFolder, program: programInTerminal[platform] });
    panelFolders.set(platform, outFolder);
  }
  const serverPackages = await bundleServer(folder);
  return {
    serverFolder: path.join(folder, 'server'),
    bundledPackages: [...new Set([...serverPackages, ...panelPackages])].sort(),
    panelFolderOf: (platform) => panelFolders.get(platform) ?? '',
  };
}

function outName({ name, platform }: Target, isUnpacked: boolean): string {
  const ending = isUnpacked ? '' : platform === 'linux' ? '.tar.gz' : '.zip';
  return `tokenflow-${version}-${name}${ending}`;
}

function unpack(files: readonly ArchivedFile[], folder: string): void {
  for (const { name, mode, data } of files) {
    const file = path.join(folder, ...name.split('/'));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, data, { mode });
  }
}

function summary(target: Target, files: readonly ArchivedFile[], out: string, isUnpacked: boolean): string {
  const size = (of: readonly ArchivedFile[]): string =>
    (of.reduce((total, { data }) => total + data.length, 0) / megabyte).toFixed(1);
  const model = files.filter(({ name }) => name.startsWith('app/models/demo/'));
  const packed = isUnpacked ? [] : [`${(statSync(out).size / megabyte).toFixed(1)} MB packed`];
  const variable = signVariables[target.platform];
  const isSigned = variable !== null && (process.env[variable] ?? '') !== '';
  return [
    path.relative(root, out),
    ...packed,
    `${size(files)} MB unpacked, ${size(model)} MB of them the embedded model`,
    ...(variable === null ? [] : [isSigned ? 'signed' : `not signed (see ${variable} in docs/install.md)`]),
  ].join(', ');
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
