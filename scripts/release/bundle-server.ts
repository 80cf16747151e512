// The server as three files of JavaScript: the command line, the engine process, and the trial of a device.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where each program's source is, by the name of its bundle. */
const programs = {
  main: 'companion-server/src/main.ts',
  engine: 'companion-server/src/engine/worker/process.ts',
  probe: 'companion-server/src/engine/device/probe-entry.ts',
} as const;

/** Packages with binaries, which cannot be part of a bundle; and those that a release does without. */
export const binaryPackages = ['onnxruntime-node'] as const;
/** The Node of a release has SQLite itself. Who shares jobs with other machines installs the packages for it. */
const leftOut = [
  ...['@ffmpeg-installer/ffmpeg', '@ffprobe-installer/ffprobe', 'libsql', 'tsx'],
  ...['@aws-sdk/client-s3', 'bullmq', 'ioredis'],
];

/** The folder of the bundles, in the folder of the program. */
export const bundleFolder = 'server';

/**
 * Sources find files beside them. Each keeps its place in the repository, seen from the bundle: the program's folder has
 * models, pages and package.json where the repository has them. A program that is started as a process has its bundle's name.
 */
const keepPlaces: Plugin = {
  name: 'keep places',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const place = path.relative(root, file).replaceAll('\\', '/');
      const contents = readFileSync(file, 'utf8')
        .replaceAll(/new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g, (whole, target: string) => {
          const source = path.posix.join(path.posix.dirname(place), target);
          const program = Object.entries(programs).find(([, entry]) => entry === source)?.[0];
          if (program === undefined) throw new Error(`${place} names ${source}, which has no bundle (${whole}).`);
          return `new URL('./${program}.mjs', import.meta.url)`;
        })
        .replaceAll(/(?<!new URL\('\.\/\w+\.mjs', )import\.meta\.url/g, `new URL('../${place}', import.meta.url).href`);
      return { contents, loader: 'ts' };
    });
  },
};

/** What packages of CommonJS expect. None of those in the bundles reads a file beside it. */
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const { dirname: __dirname, filename: __filename } = import.meta;',
].join(' ');

/** Builds into `folder`/server. Returns the names of the packages whose code is in the bundles. */
export async function bundleServer(folder: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: Object.entries(programs).map(([out, source]) => ({ in: path.join(root, source), out })),
    outdir: path.join(folder, bundleFolder),
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    external: [...binaryPackages, ...leftOut],
    platform: 'node',
    format: 'esm',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: banner },
    metafile: true,
    logLevel: 'warning',
    plugins: [keepPlaces],
  });
  return packagesOf(Object.keys(metafile.inputs));
}

/** The packages, sorted, that files of node_modules belong to. */
export function packagesOf(files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    const inside = file.split('node_modules/').at(-1) ?? '';
    if (!file.includes('node_modules/')) return [];
    return [
      inside
        .split('/')
        .slice(0, inside.startsWith('@') ? 2 : 1)
        .join('/'),
    ];
  });
  return [...new Set(names)].sort();
}
