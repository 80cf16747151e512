import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loaderArguments } from '../../process/typescript-loader.ts';

const trial = fileURLToPath(new URL('./probe-entry.ts', import.meta.url));

test('ONNX Runtime keeps nothing about the user: neither an identity of the machine nor a list of what was run', async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'tokenflow-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const env = { ...process.env, HOME: home, XDG_CACHE_HOME: undefined, ORT_DISABLE_TELEMETRY: undefined };
  const child = fork(trial, ['cpu', 'check'], {
    execArgv: loaderArguments(trial),
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [report] = (await once(child, 'message')) as [{ readonly device: string; readonly execution: unknown }];
  if (child.exitCode === null) await once(child, 'exit');
  expect(report).toMatchObject({ device: 'cpu' });
  expect(report.execution).not.toBeNull();
  expect(await readdir(home, { recursive: true })).toEqual([]);
});
