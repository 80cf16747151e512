// Who may import whom. The linter and test/architecture.test.ts both read this table; CONTRIBUTING.md explains it.
//
// name     the module; `at` are its folders (ending in /) and files. The longest match decides.
// imports  the modules it may import, beside itself; null for any.
// types    further modules of which it may know the types only.
// isPure   no Node module either: the code computes and does nothing else.

import { posix } from 'node:path';

const server = 'companion-server/src/';

/** @type {import('./modules.d.mts').Module[]} */
export const modules = [
  { name: 'protocol', at: ['protocol/'], imports: [], isPure: true },
  { name: 'protocol/client', at: ['protocol/client/'], imports: ['protocol'], isPure: true },
  {
    name: 'plugin',
    at: ['plugin/'],
    imports: [
      ...['plugin/client', 'plugin/flow', 'plugin/host', 'plugin/host/browser'],
      ...['plugin/host/premiere', 'plugin/state', 'plugin/view', 'protocol', 'protocol/client'],
    ],
    isPure: true,
  },
  { name: 'plugin/host', at: ['plugin/src/host/'], imports: ['protocol'], isPure: true },
  {
    name: 'plugin/host/premiere',
    at: ['plugin/src/host/premiere/'],
    imports: ['plugin/host', 'protocol'],
    isPure: true,
  },
  {
    name: 'plugin/host/browser',
    at: ['plugin/src/host/browser/'],
    imports: ['plugin/host', 'protocol'],
    isPure: true,
  },
  { name: 'plugin/client', at: ['plugin/src/client/'], imports: ['protocol', 'protocol/client'], isPure: true },
  {
    name: 'plugin/state',
    at: ['plugin/src/state/'],
    imports: ['protocol'],
    types: ['plugin/host', 'protocol/client'],
    isPure: true,
  },
  {
    name: 'plugin/flow',
    at: ['plugin/src/effects/'],
    imports: ['plugin/host', 'plugin/state', 'protocol', 'protocol/client'],
    isPure: true,
  },
  {
    name: 'plugin/view',
    at: ['plugin/src/view/'],
    imports: ['plugin/host', 'plugin/state', 'protocol'],
    isPure: true,
  },

  { name: 'main', at: [`${server}main.ts`], imports: ['cli'] },
  {
    name: 'cli',
    at: [`${server}cli/`],
    imports: [
      ...['client', 'config', 'demo', 'doctor', 'errors', 'log', 'media', 'metrics', 'models'],
      ...['files', 'installation', 'local-request', 'pairing', 'protocol', 'relay', 'release', 'server', 'temporary'],
      ...['typed-command', 'version', 'wire-error'],
    ],
    types: ['protocol/client'],
  },
  {
    name: 'client',
    at: [`${server}client/`],
    imports: ['errors', 'files', 'protocol', 'protocol/client', 'typed-command'],
  },
  {
    name: 'doctor',
    at: [`${server}doctor/`],
    imports: [
      ...['artifacts', 'engine', 'errors', 'files', 'installation', 'local-request', 'media', 'protocol', 'release'],
      ...['typed-command'],
    ],
  },
  {
    name: 'installation',
    at: [`${server}installation/`],
    imports: ['archives', 'errors', 'files', 'release'],
  },
  { name: 'demo', at: [`${server}demo/`], imports: ['errors', 'media', 'metrics'] },
  {
    name: 'server',
    at: ['edits.ts', 'server.ts', 'worker.ts'].map((file) => `${server}app/${file}`),
    imports: [
      ...['artifacts', 'clips', 'config', 'control-pictures', 'doctor', 'edit-executor', 'engine', 'errors', 'farm'],
      ...['files', 'api', 'jobs', 'log', 'media', 'models', 'pairing', 'playback', 'protocol', 'relay', 'store'],
      ...['version', 'wire-error'],
    ],
  },
  {
    name: 'api',
    at: [`${server}api/`],
    imports: ['errors', 'jobs', 'log', 'pairing', 'protocol', 'typed-command', 'wire-error'],
    types: ['artifacts', 'clips', 'config', 'farm', 'models', 'playback', 'relay', 'store'],
  },
  { name: 'jobs', at: [`${server}jobs/`], imports: ['artifacts', 'errors', 'protocol', 'store', 'wire-error'] },
  { name: 'farm', at: [`${server}farm/`], imports: ['errors', 'jobs', 'protocol'] },
  {
    name: 'edit-executor',
    at: ['edit-estimate.ts', 'edit-executor.ts'].map((file) => `${server}jobs/${file}`),
    imports: ['artifacts', 'engine', 'errors', 'files', 'protocol'],
    types: ['clips', 'jobs', 'media'],
  },
  {
    name: 'engine',
    at: [`${server}engine/`],
    imports: [
      ...['control-pictures', 'detail', 'diffusion', 'errors', 'families', 'files', 'mask', 'media', 'metrics', 'nets'],
      ...['nets/pass', 'onnx', 'onnx/run', 'process', 'protocol', 'techniques', 'tensor', 'tokenflow', 'version'],
      ...['weights', 'wire-error'],
    ],
  },
  { name: 'artifacts', at: [`${server}artifacts/`], imports: ['errors', 'files', 'protocol'] },
  {
    name: 'playback',
    at: [`${server}playback/`],
    imports: ['artifacts', 'errors', 'jobs', 'media', 'protocol'],
    types: ['clips'],
  },
  { name: 'clips', at: [`${server}clips/`], imports: ['artifacts', 'errors', 'files', 'protocol', 'store'] },
  { name: 'relay', at: [`${server}relay/`], imports: ['client', 'errors', 'files', 'protocol', 'typed-command'] },
  { name: 'pairing', at: [`${server}pairing/`], imports: ['errors', 'log', 'protocol', 'store', 'typed-command'] },
  { name: 'store', at: [`${server}store/`], imports: ['errors', 'files', 'protocol'] },
  { name: 'media', at: [`${server}media/`], imports: ['errors', 'files', 'process', 'protocol', 'release', 'tensor'] },
  {
    name: 'control-pictures',
    at: [`${server}control-pictures/`],
    imports: ['media', 'metrics', 'protocol'],
    isPure: true,
  },
  { name: 'detail', at: [`${server}detail/`], imports: ['media'], isPure: true },
  { name: 'mask', at: [`${server}mask/`], imports: ['detail', 'media', 'protocol', 'tensor'], isPure: true },
  { name: 'metrics', at: [`${server}metrics/`], imports: ['media', 'tensor'], isPure: true },
  {
    name: 'tokenflow',
    at: [`${server}tokenflow/`],
    imports: ['diffusion', 'errors', 'nets/pass', 'tensor'],
    isPure: true,
  },
  {
    name: 'techniques',
    at: [`${server}techniques/`],
    imports: ['errors', 'nets/pass', 'protocol', 'tensor'],
    types: ['tokenflow'],
    isPure: true,
  },
  {
    name: 'families',
    at: [`${server}families/`],
    imports: ['diffusion', 'errors', 'nets', 'nets/pass', 'onnx', 'tensor', 'weights'],
    types: ['onnx/run'],
    isPure: true,
  },
  {
    name: 'nets/pass',
    at: ['conditioning.ts', 'pass.ts'].map((file) => `${server}nets/${file}`),
    imports: ['tensor'],
    isPure: true,
  },
  { name: 'diffusion', at: [`${server}diffusion/`], imports: ['errors', 'tensor'], isPure: true },
  { name: 'nets', at: [`${server}nets/`], imports: ['nets/pass', 'onnx'], types: ['tensor'], isPure: true },
  { name: 'onnx', at: [`${server}onnx/`], imports: ['tensor'], isPure: true },
  {
    name: 'onnx/run',
    at: ['execution.ts', 'serde.ts', 'session.ts'].map((file) => `${server}onnx/${file}`),
    imports: ['onnx', 'tensor'],
  },
  {
    name: 'models',
    at: [`${server}models/`],
    imports: ['errors', 'families', 'files', 'protocol', 'store', 'typed-command', 'weights'],
  },
  { name: 'weights', at: [`${server}weights/`], imports: ['errors', 'files', 'tensor'] },
  { name: 'tensor', at: [`${server}tensor/`], imports: [], isPure: true },

  {
    name: 'config',
    at: ['app/config.ts', 'app/farm-config.ts', 'remote-access.ts', 'self-signed-certificate.ts'].map(
      (file) => server + file,
    ),
    imports: ['artifacts', 'errors', 'log', 'models', 'protocol'],
  },
  { name: 'wire-error', at: [`${server}wire-error.ts`], imports: ['errors', 'files', 'protocol'] },
  {
    name: 'errors',
    at: ['errors.ts', 'without-paths.ts'].map((file) => server + file),
    imports: ['protocol'],
    isPure: true,
  },
  { name: 'temporary', at: [`${server}run-dir.ts`], imports: ['files'] },
  { name: 'process', at: [`${server}process/`], imports: [] },
  { name: 'files', at: [`${server}files/`], imports: ['errors'] },
  {
    name: 'log',
    at: ['log.ts', 'log-file.ts', 'log-redaction.ts'].map((file) => `${server}app/${file}`),
    imports: [],
  },
  { name: 'archives', at: [`${server}archives/`], imports: [] },
  { name: 'local-request', at: [`${server}local-request.ts`], imports: [] },
  { name: 'release', at: [`${server}release.ts`], imports: [] },
  { name: 'typed-command', at: [`${server}typed-command.ts`], imports: ['release'] },
  { name: 'version', at: [`${server}app/version.ts`], imports: [] },

  { name: 'scripts', at: ['scripts/'], imports: [] },
  { name: 'scripts/release', at: ['scripts/release/'], imports: null },
  { name: 'test', at: ['test/'], imports: null },
  { name: 'bench', at: ['bench/'], imports: null },
];

/** The only files that import an outside package. Tests may import the packages of `testPackages` as well. */
export const packageOwners = {
  'onnxruntime-node': [`${server}onnx/session.ts`],
  protobufjs: [`${server}onnx/serde.ts`],
  '@huggingface/tokenizers': [`${server}diffusion/tokenizer.ts`],
  'fluent-ffmpeg': [`${server}media/ffmpeg/ffmpeg.ts`],
  '@ffmpeg-installer/ffmpeg': [`${server}media/ffmpeg/binaries.ts`],
  '@ffprobe-installer/ffprobe': [`${server}media/ffmpeg/binaries.ts`],
  libsql: [`${server}store/libsql.ts`],
  express: [`${server}api/app.ts`, 'bench/transfer/server.ts'],
  pino: [`${server}app/log.ts`],
  valibot: ['protocol/fields.ts'],
  '@noble/hashes': ['plugin/src/client/sha256.ts'],
  yaml: [`${server}models/library/yaml-file.ts`],
  bullmq: ['packages.ts', 'turns.ts'].map((file) => `${server}farm/${file}`),
  ioredis: [
    ...['bull-job-store.ts', 'members.ts', 'packages.ts', 'redis-connection.ts', 'server-claim.ts', 'turns.ts'],
  ].map((file) => `${server}farm/${file}`),
  '@aws-sdk/client-s3': [`${server}artifacts/s3-storage.ts`],
  ws: ['api/session/socket.ts', 'client/node-platform.ts', 'client/pinned-socket.ts'].map((file) => server + file),
};

/** Modules that UXP gives at run time; not packages. Whoever else wants one gets it handed in. */
export const hostModules = Object.fromEntries(
  ['premierepro', 'uxp', 'fs', 'os'].map((name) => [name, ['plugin/src/host/premiere/modules.ts']]),
);

/** Packages that hold types only, and the files that may import them; nothing is left of them when the panel runs. */
export const typePackages = {
  '@adobe/premierepro': ['plugin/src/host/premiere/api.ts'],
};

/** Folders whose files may know them as well: the simulated Premiere. */
const typedTests = 'test/premiere-sim/';

export const testPackages = [
  'vitest',
  'fast-check',
  'typescript',
  'esbuild',
  'fflate',
  'ws',
  'playwright-core',
  'axe-core',
  'mediabunny',
  'ioredis',
  'bullmq',
  's3rver',
];

/**
 * The module that a file belongs to, or undefined; a test belongs to the file that it tests. `file` is relative to the
 * repository, with forward slashes.
 */
export function moduleOf(path) {
  const file = path.replace(/\.test\.ts$/, '.ts');
  const places = modules.flatMap((module) => module.at.map((place) => ({ module, place })));
  const fitting = places.filter(({ place }) => (place.endsWith('/') ? file.startsWith(place) : file === place));
  return fitting.sort((a, b) => b.place.length - a.place.length)[0]?.module;
}

/**
 * What is wrong with `file` importing `specifier`, in one sentence, or undefined. `isTypeOnly`: nothing is left of
 * the import when the program runs.
 */
export function complaintAbout(file, specifier, isTypeOnly) {
  const module = moduleOf(file);
  if (module === undefined) return `${file} belongs to no module of scripts/modules.mjs.`;
  const isTest = module.imports === null || /\.test\.ts$|\/testing\//.test(file);
  if (specifier.startsWith('node:')) {
    return module.isPure && !isTest ? `${module.name} computes only: it may not import ${specifier}.` : undefined;
  }
  if (!specifier.startsWith('.')) return packageComplaint(file, specifier, isTest, isTypeOnly);
  const target = posix.join(posix.dirname(file), specifier);
  if (/\.test\.ts$|\/testing\//.test(target) && !isTest) return `${target} is for tests only.`;
  const other = moduleOf(target);
  if (other === undefined) return `${target} belongs to no module of scripts/modules.mjs.`;
  if (other === module || module.imports === null || module.imports.includes(other.name)) return undefined;
  if (isTest && other.name === 'test') return undefined;
  if (module.types?.includes(other.name)) {
    return isTypeOnly ? undefined : `${module.name} may import types of ${other.name}, nothing else.`;
  }
  return `${module.name} may not import ${other.name} (${specifier}); it may import: ${module.imports.join(', ') || 'nothing'}.`;
}

function packageComplaint(file, specifier, isTest, isTypeOnly) {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (isTest && testPackages.includes(name)) return undefined;
  if (name in typePackages && !isTypeOnly) return `${name} has types only: import type.`;
  if (name in typePackages && file.startsWith(typedTests)) return undefined;
  const owners = packageOwners[name] ?? typePackages[name] ?? hostModules[name];
  if (owners === undefined) return `${name} has no owner file in scripts/modules.mjs.`;
  return owners.includes(file) ? undefined : `Only ${owners.join(' and ')} may import ${name}.`;
}
