// The engine process under its supervisor, with fake edits.

import { EventEmitter, once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { EditJob } from '../../companion-server/src/engine/run/edit-job.ts';
import { createEngine, type Engine, type EngineOptions } from '../../companion-server/src/engine/worker/supervisor.ts';
import { CanceledError } from '../../companion-server/src/errors.ts';
import { programOf } from '../bundles.ts';
import { createLifeline } from './lifeline.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

/** Cancel must take effect within this time. */
const cancelLimitMs = 100;

function createFakeEngine(name: string, options: Partial<EngineOptions> = {}): Engine {
  const engine = createEngine({
    entry: programOf(`engines/${name}`),
    idleMs: 60_000,
    ...options,
  });
  onTestFinished(() => engine.close());
  return engine;
}

/** An engine that says which estimates it has begun. */
function createLoggedEngine(options: Partial<EngineOptions> = {}) {
  const told = new EventEmitter();
  let text = '';
  const onStderr = (piece: string): void => {
    text += piece;
    told.emit('text');
  };
  const engine = createFakeEngine('estimating-slowly', { onStderr, ...options });
  const begins = async (prompt: string): Promise<void> => {
    while (!text.includes(`began ${prompt} `)) await once(told, 'text');
  };
  return { engine, log: () => text, begins };
}

function createJob({ clipPath, folder, modelDir, cacheDir }: Workspace, prompt = 'x'): EditJob {
  return {
    inputPath: clipPath,
    outputPath: join(folder, 'result.mov'),
    modelDir,
    device: 'cpu',
    cacheDir,
    workDir: join(folder, 'work'),
    settings: { ...defaultSettings(), prompt },
  };
}

const ignore = { onProgress: () => undefined };

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

describe('an engine', () => {
  test('edits, reports progress, and stays warm for the next edit', async () => {
    const workspace = await createWorkspace();
    const engine = createFakeEngine('copying');
    const progress: number[] = [];
    const job = createJob(workspace);
    const report = await engine.edit(job, { onProgress: (value) => progress.push(value.step) });
    expect(report.frames).toBe(40);
    expect(progress).toEqual([1, 2, 3]);
    expect(workspace.clipBytes.equals(await readFile(job.outputPath))).toBe(true);
    await expect(engine.edit(job, ignore)).resolves.toEqual(report);
  });

  test('an edit whose process dies is told, and another one goes on in its work folder', async () => {
    const engine = createFakeEngine('crashing-once');
    const job = createJob(await createWorkspace());
    let steps = 0;
    const counting = { ...ignore, onResumePoint: () => steps++ };
    await expect(engine.edit(job, counting)).rejects.toMatchObject({ code: 'engine-crashed' });
    expect(steps).toBe(1);
    await expect(engine.edit(job, counting)).resolves.toMatchObject({ frames: 40 });
    expect(steps).toBe(1);
  });

  test('a process that has had no work for a while is released, and comes back when it is needed', async () => {
    const lifeline = await createLifeline();
    vi.stubEnv('TEST_LIFELINE_PORT', String(lifeline.port));
    onTestFinished(() => void vi.unstubAllEnvs());
    const engine = createFakeEngine('lifeline', { idleMs: 1 });
    const job = createJob(await createWorkspace());
    await engine.edit(job, ignore);
    await lifeline.ended();
    await engine.edit(job, ignore);
    await lifeline.ended();
    expect(lifeline.made()).toBe(2);
  });

  test('estimates are made while an edit runs', async () => {
    const engine = createFakeEngine('estimating');
    const job = createJob(await createWorkspace());
    const canceler = new AbortController();
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const edited = engine.edit(job, { onProgress: () => started(), signal: canceler.signal });
    await running;
    const [first, second] = await Promise.all([engine.estimate(job), engine.estimate(job)]);
    expect([first.frames, second.frames]).toEqual([40, 40]);
    canceler.abort();
    await expect(edited).rejects.toThrow(CanceledError);
  });

  test('an estimate that is canceled ends at once, those that wait for it are never begun, and the process stays', async () => {
    const { engine, log, begins } = createLoggedEngine();
    const [endless, waiting, last] = [new AbortController(), new AbortController(), new AbortController()];
    const workspace = await createWorkspace();
    const first = engine.estimate(createJob(workspace, 'endless'), endless.signal);
    const second = engine.estimate(createJob(workspace, 'second'), waiting.signal);
    await begins('endless');
    waiting.abort();
    await expect(second).rejects.toThrow(CanceledError);
    endless.abort();
    await expect(first).rejects.toThrow(CanceledError);
    await expect(engine.estimate(createJob(workspace, 'third'), last.signal)).resolves.toMatchObject({ frames: 40 });
    // The abort of one that is answered does nothing to the next one.
    last.abort();
    await expect(engine.estimate(createJob(workspace, 'fourth'))).resolves.toMatchObject({ frames: 40 });
    await begins('fourth');
    const begun = [...log().matchAll(/began (\w+) in (\d+)/g)];
    expect(begun.map(([, prompt]) => prompt)).toEqual(['endless', 'third', 'fourth']);
    expect(new Set(begun.map(([, , pid]) => pid)).size).toBe(1);
  });

  test('an estimate that does not end when it is told to ends with its process, and the next one gets another', async () => {
    const { engine, log, begins } = createLoggedEngine({ estimateGraceMs: 1 });
    const canceler = new AbortController();
    const workspace = await createWorkspace();
    const stubborn = engine.estimate(createJob(workspace, 'stubborn'), canceler.signal);
    await begins('stubborn');
    canceler.abort();
    await expect(stubborn).rejects.toThrow(CanceledError);
    await expect(engine.estimate(createJob(workspace, 'next'))).resolves.toMatchObject({ frames: 40 });
    await begins('next');
    const pids = [...log().matchAll(/ in (\d+)/g)].map(([, pid]) => pid);
    expect(new Set(pids).size).toBe(2);
  });

  test('an estimate that is canceled while the engine starts leaves it to the next one', async () => {
    const { engine, log, begins } = createLoggedEngine({ estimateGraceMs: 1 });
    const canceler = new AbortController();
    const workspace = await createWorkspace();
    const first = engine.estimate(createJob(workspace, 'first'), canceler.signal);
    canceler.abort();
    await expect(first).rejects.toThrow(CanceledError);
    await expect(engine.estimate(createJob(workspace, 'second'))).resolves.toMatchObject({ frames: 40 });
    await begins('second');
    expect(log()).not.toContain('began first');
  });

  test('a failed edit throws the error of the edit, and leaves the engine in use', async () => {
    const engine = createFakeEngine('failing');
    const job = createJob(await createWorkspace());
    for (let round = 0; round < 2; round++) {
      await expect(engine.edit(job, ignore)).rejects.toMatchObject({
        code: 'clip-unreadable',
        message: `Cannot read "${job.inputPath}": file:${job.inputPath}: no video`,
        hint: 'Use a video.',
      });
    }
  });

  test('a crash is an engine-crashed error with signal and last words, and the next edit works', async () => {
    const workspace = await createWorkspace();
    const engine = createFakeEngine('crashing');
    await expect(engine.edit(createJob(workspace, 'crash'), ignore)).rejects.toMatchObject({
      code: 'engine-crashed',
      message: 'The engine process ended by SIGSEGV. Its last words: the last words',
    });
    expect((await engine.edit(createJob(workspace), ignore)).frames).toBe(40);
  });

  test('an engine that cannot start is an engine-crashed error with its exit code', async () => {
    const engine = createFakeEngine('unstartable');
    await expect(engine.edit(createJob(await createWorkspace()), ignore)).rejects.toMatchObject({
      code: 'engine-crashed',
      message: 'The engine process ended with exit code 3. Its last words: cannot find the runtime',
    });
  });

  test('cancel ends a computing engine and its children within 100 ms', async () => {
    const lifeline = await createLifeline();
    vi.stubEnv('TEST_LIFELINE_PORT', String(lifeline.port));
    onTestFinished(() => void vi.unstubAllEnvs());
    const engine = createFakeEngine('hanging');
    const job = createJob(await createWorkspace());
    // The best of three: this machine may be busy with something else.
    const timesMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const canceler = new AbortController();
      let canceledAt = 0;
      const onProgress = (): void => {
        canceledAt = performance.now();
        canceler.abort();
      };
      await expect(engine.edit(job, { onProgress, signal: canceler.signal })).rejects.toThrow(CanceledError);
      timesMs.push(performance.now() - canceledAt);
    }
    expect(lifeline.made()).toBe(6);
    await lifeline.ended();
    expect(Math.min(...timesMs)).toBeLessThan(cancelLimitMs);
  });

  test('cancel while the engine starts ends it', async () => {
    const engine = createFakeEngine('copying');
    const job = createJob(await createWorkspace());
    const canceler = new AbortController();
    const edited = engine.edit(job, { ...ignore, signal: canceler.signal });
    canceler.abort();
    await expect(edited).rejects.toThrow(CanceledError);
    expect((await engine.edit(job, ignore)).frames).toBe(40);
  });

  test('an edit that is canceled before it begins does not begin', async () => {
    const engine = createFakeEngine('copying');
    const job = createJob(await createWorkspace());
    const signal = AbortSignal.abort();
    await expect(engine.edit(job, { ...ignore, signal })).rejects.toThrow(CanceledError);
    expect(await exists(job.outputPath)).toBe(false);
  });

  test('an engine that ignores SIGTERM is killed', async () => {
    const engine = createFakeEngine('stubborn');
    const canceler = new AbortController();
    const onProgress = (): void => canceler.abort();
    await expect(
      engine.edit(createJob(await createWorkspace()), { onProgress, signal: canceler.signal }),
    ).rejects.toThrow(CanceledError);
  });
});

// Windows stops no process.
describe.skipIf(process.platform === 'win32')('an engine that was stopped by the system', () => {
  test('is noticed, ended and told as a crash', async () => {
    const lifeline = await createLifeline();
    vi.stubEnv('TEST_LIFELINE_PORT', String(lifeline.port));
    onTestFinished(() => void vi.unstubAllEnvs());
    const engine = createFakeEngine('frozen', { heartbeatMs: 300 });
    const edit = engine.edit(createJob(await createWorkspace()), ignore);
    await expect(edit).rejects.toMatchObject({
      code: 'engine-crashed',
      message: expect.stringMatching(/no sign of life for \d+ seconds/) as string,
    });
    await lifeline.ended();
  });

  test('by whose computing the event loop is blocked is left alone', async () => {
    const engine = createFakeEngine('blocking', { heartbeatMs: 100 });
    await expect(engine.edit(createJob(await createWorkspace()), ignore)).resolves.toMatchObject({
      frames: 40,
    });
  });
});
