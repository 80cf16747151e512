import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirOf, dataDirOf, defaultPort, readConfig } from './config.ts';

test.each([
  ['linux', {}, '/home/ada/.cache/tokenflow'],
  ['linux', { XDG_CACHE_HOME: '/big' }, '/big/tokenflow'],
  ['darwin', {}, '/home/ada/Library/Caches/tokenflow'],
  ['win32', { LOCALAPPDATA: '/local' }, '/local/tokenflow'],
  ['linux', { TOKENFLOW_CACHE: '/chosen', XDG_CACHE_HOME: '/big' }, '/chosen'],
] as const)('the cache folder on %s with %j is %s', (platform, env, path) => {
  expect(resolve(cacheDirOf(env, platform, '/home/ada'))).toBe(resolve(path));
});

test.each([
  ['linux', {}, '/home/ada/.local/share/tokenflow'],
  ['linux', { XDG_DATA_HOME: '/big' }, '/big/tokenflow'],
  ['darwin', {}, '/home/ada/Library/Application Support/tokenflow'],
  ['win32', { LOCALAPPDATA: '/local' }, '/local/tokenflow/data'],
  ['linux', { TOKENFLOW_DATA: '/chosen', XDG_DATA_HOME: '/big' }, '/chosen'],
] as const)('the data folder on %s with %j is %s', (platform, env, path) => {
  expect(resolve(dataDirOf(env, platform, '/home/ada'))).toBe(resolve(path));
});

test('flags come before the environment, and the environment before the defaults', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-config-'));
  try {
    await writeFile(join(folder, 'model_index.json'), '{}');
    const env = { TOKENFLOW_DATA: folder, TOKENFLOW_MODEL: '/nowhere', TOKENFLOW_LOG: 'debug' };
    const config = readConfig({ modelDir: folder }, env);
    expect([...config.models.keys()]).toEqual([basename(folder), 'demo']);
    expect(config.models.get(basename(folder))).toBe(folder);
    expect(config).toMatchObject({ port: defaultPort, logLevel: 'debug' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a model folder that is none is named', () => {
  expect(() => readConfig({ modelDir: '/nowhere' }, {})).toThrow(
    `The model folder ${resolve('/nowhere')} does not exist.`,
  );
});

test('a log level that is none is refused', () => {
  expect(() => readConfig({}, { TOKENFLOW_LOG: 'loud' })).toThrow(
    "TOKENFLOW_LOG must be one of debug, info, warn, error, silent, got 'loud'.",
  );
});

test('the space for inverted clips is read in gigabytes, and refused when it is no number', () => {
  const read = (value: string) => readConfig({}, { TOKENFLOW_INVERSIONS_GB: value });
  expect(read('2.5').inversionsBudgetBytes).toBe(2.5e9);
  expect(read('0').inversionsBudgetBytes).toBe(0);
  expect(read('').inversionsBudgetBytes).toBeNull();
  for (const wrong of ['much', '-1', 'NaN', 'Infinity']) {
    expect(() => read(wrong)).toThrow(`TOKENFLOW_INVERSIONS_GB must be a number from 0`);
  }
});
