// The house keeps its shape: who imports whom (scripts/modules.mjs), which file owns which outside package, and
// what files may not be called. CONTRIBUTING.md says why.

import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { complaintAbout, packageOwners, moduleOf, modules, testPackages } from '../scripts/modules.mjs';
import { importsOf, readSourceFiles, readText, type SourceFile } from './source-files.ts';

/** Names that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|common|manager|misc)\.(test\.)?ts$/;

const files = readSourceFiles(['protocol', 'plugin', 'companion-server/src', 'scripts/release', 'test', 'bench']);

function complaintsAbout(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((file) =>
    importsOf(file).flatMap(({ specifier, isTypeOnly }) => {
      const complaint = complaintAbout(file.path, specifier, isTypeOnly);
      return complaint === undefined ? [] : [`${file.path}: ${complaint}`];
    }),
  );
}

/** Modules by name, with the modules that their files import; tests do not count. */
function moduleGraph(sources: readonly SourceFile[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const file of sources.filter(({ path }) => !/\.test\.ts$|\/testing\//.test(path))) {
    const from = moduleOf(file.path)?.name;
    if (from === undefined) continue;
    const targets = graph.get(from) ?? new Set<string>();
    graph.set(from, targets);
    for (const { specifier } of importsOf(file).filter((one) => one.specifier.startsWith('.'))) {
      const to = moduleOf(posix.join(posix.dirname(file.path), specifier))?.name;
      if (to !== undefined && to !== from) targets.add(to);
    }
  }
  return graph;
}

/** Files with the files that they import; tests do not count. */
function fileGraph(sources: readonly SourceFile[]): Map<string, Set<string>> {
  const known = new Set(sources.map(({ path }) => path));
  const importsOfFile = (file: SourceFile) =>
    importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => posix.join(posix.dirname(file.path), specifier))
      .filter((target) => known.has(target));
  const counted = sources.filter(({ path }) => !path.endsWith('.test.ts'));
  return new Map(counted.map((file) => [file.path, new Set(importsOfFile(file))]));
}

/** The first ring of modules or files that import each other, as `a -> b -> a`; undefined when there is none. */
function findCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const finished = new Set<string>();
  const walk = (module: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(module)) return [...trail.slice(trail.indexOf(module)), module].join(' -> ');
    if (finished.has(module)) return undefined;
    for (const next of graph.get(module) ?? []) {
      const cycle = walk(next, [...trail, module]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(module);
    return undefined;
  };
  for (const module of graph.keys()) {
    const cycle = walk(module, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('the house', () => {
  test('every import is one that its module may make', () => {
    expect(complaintsAbout(files)).toEqual([]);
  });

  test('no module imports itself by way of others', () => {
    expect(findCycle(moduleGraph(files))).toBeUndefined();
  });

  test('the table itself has no cycle, so that none can be built within it', () => {
    const allowed = modules.map(
      ({ name, imports, types = [] }) => [name, new Set([...(imports ?? []), ...types])] as const,
    );
    expect(findCycle(new Map(allowed))).toBeUndefined();
  });

  test('every module that the table names is in the table', () => {
    const names = new Set(modules.map(({ name }) => name));
    const named = modules.flatMap(({ imports, types = [] }) => [...(imports ?? []), ...types]);
    expect(named.filter((name) => !names.has(name))).toEqual([]);
  });

  test('an owner file imports its package', () => {
    const idle = Object.entries(packageOwners).flatMap(([name, owners]) =>
      owners.filter((owner) => {
        const file = files.find(({ path }) => path === owner);
        const imports = file === undefined ? [] : importsOf(file);
        return !imports.some(({ specifier }) => `${specifier}/`.startsWith(`${name}/`));
      }),
    );
    expect(idle).toEqual([]);
  });

  test('no file imports itself by way of others, types included', () => {
    expect(findCycle(fileGraph(files))).toBeUndefined();
  });

  test('only a model family knows where in its network something lies', () => {
    const key = /(up|down)_blocks\.\d|transformer_blocks\.\d/;
    const shared = files.filter(({ path }) => /\/(nets|techniques|tokenflow|engine)\/.*(?<!\.test)\.ts$/.test(path));
    expect(shared.length).toBeGreaterThan(50);
    expect(shared.filter(({ text }) => key.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test('no file has a name that says nothing', () => {
    expect(files.filter(({ path }) => emptyNames.test(posix.basename(path)))).toEqual([]);
  });
});

describe('packages', () => {
  const { dependencies, devDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readText('package.json'),
  ) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
    /** What only some installations need. */
    peerDependencies: Record<string, string>;
    peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
  };
  const optional = Object.keys(peerDependencies);

  test('each has a line in CONTRIBUTING.md that says what it is for', () => {
    const contributing = readText('CONTRIBUTING.md');
    const unexplained = Object.keys(dependencies).filter((name) => !contributing.includes(`| \`${name}\` |`));
    expect(unexplained).toEqual([]);
  });

  test('each has an owner file, but for the one that runs TypeScript', () => {
    const all = [...Object.keys(dependencies), ...optional];
    expect(all.sort()).toEqual([...Object.keys(packageOwners), 'tsx'].sort());
  });

  test('each that only some installations need is optional, explained, and installed for the tests', () => {
    expect(peerDependenciesMeta).toEqual(Object.fromEntries(optional.map((name) => [name, { optional: true }])));
    const contributing = readText('CONTRIBUTING.md');
    expect(optional.filter((name) => !contributing.includes(`\`${name}\` (`))).toEqual([]);
    expect(optional.map((name) => `^${devDependencies[name] ?? ''}`)).toEqual(Object.values(peerDependencies));
  });

  test('each has a fixed version', () => {
    const loose = Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });
});

describe('the rules, on files that break them', () => {
  const source = (path: string, text: string): SourceFile => ({ path, text });
  const server = 'companion-server/src';

  test.each([
    ['tokenflow imports the graph builder', `${server}/tokenflow/bad.ts`, '../onnx/graph.ts'],
    ['tokenflow imports a network', `${server}/tokenflow/bad.ts`, '../nets/unet.ts'],
    ['tokenflow reads files', `${server}/tokenflow/bad.ts`, 'node:fs'],
    ['the algorithm knows a model family', `${server}/tokenflow/bad.ts`, '../families/list.ts'],
    ['a shared network knows a model family', `${server}/nets/bad.ts`, '../families/list.ts'],
    ['a model family opens a session', `${server}/families/bad.ts`, '../onnx/session.ts'],
    ['a network opens a session', `${server}/nets/bad.ts`, '../onnx/session.ts'],
    ['the protocol knows the server', 'protocol/bad.ts', '../companion-server/src/errors.ts'],
    ['the panel knows the server', 'plugin/src/bad.ts', '../../companion-server/src/errors.ts'],
    ['the server knows the panel', `${server}/api/bad.ts`, '../../../plugin/src/main.ts'],
    ['the sockets start an engine', `${server}/api/bad.ts`, '../engine/worker/supervisor.ts'],
    ['the queue knows what a job does', `${server}/jobs/bad.ts`, '../engine/run/edit.ts'],
    ['a second file runs ONNX Runtime', `${server}/engine/bad.ts`, 'onnxruntime-node'],
    ['a subpath of an owned package', `${server}/engine/bad.ts`, 'protobufjs/light.js'],
    ['a package that nobody owns', `${server}/engine/bad.ts`, 'lodash'],
    ['production code imports a test', `${server}/media/bad.ts`, './testing/clips.ts'],
    ['production code imports vitest', `${server}/media/bad.ts`, 'vitest'],
    ['a file outside every module', `${server}/attic/bad.ts`, './other.ts'],
  ])('%s', (_name, path, specifier) => {
    expect(complaintsAbout([source(path, `import { x } from '${specifier}';`)])).toHaveLength(1);
    expect(complaintsAbout([source(path, `export * from '${specifier}';`)])).toHaveLength(1);
    expect(complaintsAbout([source(path, `await import('${specifier}');`)])).toHaveLength(1);
  });

  test('types may go where values may not, when the table says so', () => {
    const from = (text: string) => complaintsAbout([source(`${server}/api/bad.ts`, text)]);
    expect(from(`import type { ClipStore } from '../clips/clip-store.ts';`)).toEqual([]);
    expect(from(`import { openClipStore } from '../clips/clip-store.ts';`)).toHaveLength(1);
    expect(from(`import { type ClipStore } from '../clips/clip-store.ts';`)).toHaveLength(1);
  });

  test('a test may import what tests are made with, and its own module', () => {
    const text = testPackages.map((name) => `import '${name}';`).join('\n');
    expect(complaintsAbout([source(`${server}/media/x.test.ts`, text)])).toEqual([]);
    const shared = `import { deferred } from '../../../test/deferred.ts';`;
    expect(complaintsAbout([source(`${server}/media/x.test.ts`, shared)])).toEqual([]);
    expect(complaintsAbout([source(`${server}/media/x.ts`, shared)])).toHaveLength(1);
  });

  test('a cycle is found', () => {
    const sources = [
      source(`${server}/media/a.ts`, `import '../metrics/b.ts';`),
      source(`${server}/metrics/b.ts`, `import '../tensor/c.ts';`),
      source(`${server}/tensor/c.ts`, `import '../media/a.ts';`),
    ];
    expect(findCycle(moduleGraph(sources))).toBe('media -> metrics -> tensor -> media');
  });

  test('a cycle of files inside a module is found, of types as well', () => {
    const sources = [
      source('protocol/a.ts', `import type { B } from './b.ts';`),
      source('protocol/b.ts', `import { c } from './c.ts';`),
      source('protocol/c.ts', `export type { A } from './a.ts';`),
    ];
    expect(findCycle(moduleGraph(sources))).toBeUndefined();
    expect(findCycle(fileGraph(sources))).toBe('protocol/a.ts -> protocol/b.ts -> protocol/c.ts -> protocol/a.ts');
  });

  test.each(['utils.ts', 'helpers.ts', 'common.ts', 'manager.ts', 'helpers.test.ts'])('%s is no name', (name) =>
    expect(name).toMatch(emptyNames),
  );
});
