import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { companionPorts } from '../../../protocol/ports.ts';
import { cacheDirOf, dataDirOf, readConfig } from './config.ts';

/** The machine of the test is not looked at. */
const off = { TOKENFLOW_LIBRARY: 'off' };

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
    const config = await readConfig({ modelDir: folder }, env);
    expect([...config.models.keys()]).toEqual([basename(folder), 'demo']);
    expect(config.models.get(basename(folder))).toBe(folder);
    expect(config).toMatchObject({ ports: companionPorts, logLevel: 'debug' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a model folder that is none is named', async () => {
  await expect(readConfig({ modelDir: '/nowhere' }, off)).rejects.toThrow(
    `The model folder ${resolve('/nowhere')} does not exist.`,
  );
});

test('a log level that is none is refused', async () => {
  await expect(readConfig({}, { TOKENFLOW_LOG: 'loud' })).rejects.toThrow(
    "TOKENFLOW_LOG must be one of debug, info, warn, error, silent, got 'loud'.",
  );
});

test('the space for inverted clips is read in gigabytes, and refused when it is no number', async () => {
  const read = (value: string) => readConfig({}, { TOKENFLOW_INVERSIONS_GB: value });
  expect((await read('2.5')).inversionsBudgetBytes).toBe(2.5e9);
  expect((await read('0')).inversionsBudgetBytes).toBe(0);
  expect((await read('')).inversionsBudgetBytes).toBeNull();
  for (const wrong of ['much', '-1', 'NaN', 'Infinity']) {
    await expect(read(wrong)).rejects.toThrow(`TOKENFLOW_INVERSIONS_GB must be a number from 0`);
  }
});

test('the models of other programs are found, unless the user said no', async () => {
  const machineWith = async (env: Record<string, string>) => (await readConfig({}, env)).library?.machine;
  expect(await machineWith({})).toMatchObject({ platform: process.platform });
  expect(await machineWith(off)).toBeNull();
  await expect(machineWith({ TOKENFLOW_LIBRARY: 'no' })).rejects.toThrow(
    "TOKENFLOW_LIBRARY must be on or off, got 'no'.",
  );
});
