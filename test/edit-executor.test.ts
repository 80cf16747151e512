import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { fakeEstimate, fakeReport } from './fixtures/engines/report.ts';
import { createDeferred } from './deferred.ts';
import { openTestArtifacts } from './artifact-fixture.ts';
import { openMemoryArtifacts } from './memory/artifact-store.ts';
import { owner, requestOf } from './job-fixture.ts';
import type { ArtifactStore } from '../companion-server/src/artifacts/artifact-store.ts';
import { createEditExecutor, type EditExecutorOptions } from '../companion-server/src/jobs/edit-executor.ts';
import { loraFileOf } from '../companion-server/src/models/adapter-files.ts';
import type { EditJob } from '../companion-server/src/engine/run/edit-job.ts';
import { ResumePointFile } from '../companion-server/src/engine/run/resume-point.ts';
import type { EditHooks } from '../companion-server/src/engine/worker/supervisor.ts';
import { diskError } from '../companion-server/src/engine/source-cache/cache-advice.ts';
import { CanceledError, EditError } from '../companion-server/src/errors.ts';
import type { ClipInfo } from '../companion-server/src/media/probe/clip-info.ts';

const jobId = 'e'.repeat(32);
const row = { jobId, owner, request: requestOf() };
const point = (evaluations: number) =>
  ({ stage: 'edit', step: evaluations, evaluations, inversionEvaluations: 0 }) as const;

/** Work with an engine that does `edit`, in a folder of which nothing is left. */
async function createFixture(
  edit: (job: EditJob, hooks: EditHooks) => Promise<void>,
  store?: ArtifactStore,
  parts: Partial<EditExecutorOptions> = {},
) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-edit-executor-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  let steps = 0;
  const unkept: unknown[] = [];
  const executor = createEditExecutor({
    engine: {
      async edit(job, hooks) {
        await edit(job, hooks);
        await writeFile(job.outputPath, 'result');
        return fakeReport;
      },
      estimate: () => Promise.reject(new Error('not asked for')),
    },
    artifacts: store ?? (await openTestArtifacts(dataDir)),
    onStepUnkept: (_jobId, error) => unkept.push(error),
    dataDir,
    cacheDir: join(dataDir, 'cache'),
    clipOf: () => Promise.resolve({ artifact: 'clips/clip', sha256: '' }),
    modelDirOf: () => join(dataDir, 'model'),
    ...parts,
  });
  const hooks = {
    onProgress: () => undefined,
    onPicture: () => undefined,
    onStep: () => steps++,
    signal: new AbortController().signal,
  };
  const workDir = join(dataDir, 'jobs', jobId, 'work');
  return { executor, run: (job = row) => executor.run(job, hooks), steps: () => steps, unkept, workDir };
}

test('what a mask, keyframes and a lookup table name by their hash is given to the engine as files; what is not there is refused before', async () => {
  const [matte, picture, table, lost] = ['a', 'b', 'd', 'c'].map((digit) => digit.repeat(64)) as [
    ...[string, string, string],
    string,
  ];
  const edge = { follows: true, invert: false, grow: 0, feather: 0, asAlpha: false };
  const mask = { matte: { sha256: matte, channel: 'luma', frame: 0 }, ...edge } as const;
  const jobs: EditJob[] = [];
  const uploadOf = (of: string, sha256: string) => {
    if (of === owner && sha256 !== lost) return Promise.resolve({ artifact: `clips/${sha256}` });
    return Promise.reject(new EditError('clip-missing', 'There is no such clip.'));
  };
  const { executor, run } = await createFixture(
    (job) => {
      jobs.push(job);
      return Promise.resolve();
    },
    undefined,
    { uploadOf },
  );
  const { settings, ...request } = requestOf();
  const colour = { modelColour: 'table', lookupTable: { sha256: table } } as const;
  const asked = { ...request, settings: { ...settings, mask, keyframes: [{ frame: 3, sha256: picture }], ...colour } };
  await executor.check(owner, asked);
  await run({ ...row, request: asked });
  expect(jobs[0]?.mattePath).toMatch(new RegExp(`clips.${matte}$`));
  expect(jobs[0]?.lookupTablePath).toMatch(new RegExp(`clips.${table}$`));
  expect(jobs[0]?.keyframePaths).toEqual([
    { frame: 3, path: expect.stringMatching(new RegExp(`${picture}$`)) as string },
  ]);
  for (const one of [{ keyframes: [{ frame: 3, sha256: lost }] }, { lookupTable: { sha256: lost } }]) {
    const missing = { ...asked, settings: { ...asked.settings, ...one } };
    await expect(executor.check(owner, missing)).rejects.toThrow('There is no such clip.');
  }
});

test('a step is told when its resume point is kept, and another machine goes on from there', async () => {
  const first = await openMemoryArtifacts();
  onTestFinished(() => first.close());
  const crash = new EditError('engine-crashed', 'It crashed.');
  const stopped = await createFixture(async ({ workDir: dir }, { onResumePoint }) => {
    await new ResumePointFile(dir, () => Promise.resolve('any')).write(point(2));
    onResumePoint?.(point(2));
    throw crash;
  }, first);
  await expect(stopped.run()).rejects.toThrow('It crashed.');
  expect(stopped.steps()).toBe(1);
  expect(first.ids()).toContain(`jobs/${jobId}/work/resume-point.json`);
  const second = await first.elsewhere();
  onTestFinished(() => second.close());
  const found: number[] = [];
  const next = await createFixture(async ({ workDir: dir }) => {
    found.push(await ResumePointFile.evaluationsIn(dir));
  }, second);
  expect(await next.run()).toMatchObject({ result: { sizeBytes: 6 } });
  expect(found).toEqual([2]);
  expect(second.ids()).toContain(`jobs/${jobId}/result.mov`);
});

test('a step that cannot be kept is told as such, the work goes on, and the next step is tried again', async () => {
  const store = await openTestArtifacts();
  const full = new Error('full');
  let refusals = 0;
  const refusing = { ...store, commit: (id: string) => (refusals-- > 0 ? Promise.reject(full) : store.commit(id)) };
  const { run, steps, unkept } = await createFixture(async (_job, { onResumePoint }) => {
    refusals = 1;
    onResumePoint?.(point(1));
    await turn();
    onResumePoint?.(point(2));
  }, refusing);
  await run();
  expect([steps(), unkept]).toEqual([1, [full]]);
});

test('a resume point that is written again is no progress, and one that is further on is', async () => {
  const { run, steps, workDir } = await createFixture((_job, { onResumePoint }) => {
    for (const evaluations of [0, 3, 3, 4]) onResumePoint?.(point(evaluations));
    return Promise.resolve();
  });
  await mkdir(workDir, { recursive: true });
  await new ResumePointFile(workDir, () => Promise.resolve('any')).write(point(3));
  await run();
  expect(steps()).toBe(1);
});

test.each([
  ['cut short', new EditError('internal', 'Something unexpected failed: edit.latents: was cut short.')],
  ['no JSON', new EditError('internal', 'Something unexpected failed: Unexpected end of JSON input')],
])('a job whose work files are %s begins anew', async (_how, failure) => {
  const { run, workDir } = await createFixture((job) =>
    existsSync(join(job.workDir, 'resume-point.json')) ? Promise.reject(failure) : Promise.resolve(),
  );
  await mkdir(workDir, { recursive: true });
  await new ResumePointFile(workDir, () => Promise.resolve('any')).write(point(3));
  expect(await run()).toMatchObject({ result: { sizeBytes: 6 } });
});

test.each([
  ['no file handle', 'EMFILE', 'limit-reached'],
  ['no room', 'ENOSPC', 'disk-full'],
])('a job that finds %s for its work files keeps what it has', async (_what, systemCode, code) => {
  let tries = 0;
  const { run, workDir } = await createFixture((job) => {
    tries++;
    const failure = Object.assign(new Error(systemCode), { code: systemCode });
    throw diskError(join(job.workDir, 'edit.latents'), failure);
  });
  await mkdir(workDir, { recursive: true });
  await new ResumePointFile(workDir, () => Promise.resolve('any')).write(point(3));
  await expect(run()).rejects.toMatchObject({ code });
  expect(tries).toBe(1);
  expect(await ResumePointFile.evaluationsIn(workDir)).toBe(3);
});

test('a job whose resume point is half-written begins anew', async () => {
  const { run, steps, workDir } = await createFixture(async ({ workDir: dir }, { onResumePoint }) => {
    expect(await new ResumePointFile(dir, () => Promise.resolve('any')).read()).toBeNull();
    onResumePoint?.(point(1));
  });
  await mkdir(workDir, { recursive: true });
  await writeFile(join(workDir, 'resume-point.json'), '{"key":"ab');
  await run();
  expect(steps()).toBe(1);
});

test('an estimate that is canceled while the clip is looked into asks nothing of the engine, and the look goes on', async () => {
  const look = createDeferred<ClipInfo>();
  const clip = { path: '/data/clip', frameCount: 3 } as ClipInfo;
  const estimated: EditJob[] = [];
  const executor = createEditExecutor({
    engine: {
      edit: () => Promise.reject(new Error('not asked for')),
      estimate(job) {
        estimated.push(job);
        return Promise.resolve(fakeEstimate);
      },
    },
    artifacts: await openTestArtifacts(),
    dataDir: '/data',
    cacheDir: '/cache',
    clipInfoOf: () => look.promise,
    clipOf: () => Promise.resolve({ artifact: 'clips/clip', sha256: '' }),
    modelDirOf: () => '/data/model',
  });
  const canceler = new AbortController();
  const canceled = executor.estimate(owner, requestOf(), null, canceler.signal);
  const newer = executor.estimate(owner, requestOf(), null, new AbortController().signal);
  canceler.abort();
  await expect(canceled).rejects.toThrow(CanceledError);
  look.resolve(clip);
  expect(await newer).toMatchObject({ frames: 40, seconds: 70 });
  expect(estimated.map((job) => job.clip)).toEqual([clip]);
});

test('a job that fails at its first beginning fails once', async () => {
  let edits = 0;
  const { run } = await createFixture(() => {
    edits++;
    return Promise.reject(new EditError('internal', 'A fault.'));
  });
  await expect(run()).rejects.toThrow('A fault.');
  expect(edits).toBe(1);
});

test('names of LoRA become files for the engine, in their order, and a name that is unknown is refused at the door', async () => {
  const jobs: EditJob[] = [];
  const asked: (readonly string[])[] = [];
  const executor = createEditExecutor({
    engine: {
      edit: () => Promise.reject(new Error('not asked for')),
      estimate(job) {
        jobs.push(job);
        return Promise.resolve(fakeEstimate);
      },
    },
    artifacts: await openTestArtifacts(),
    dataDir: '/data',
    cacheDir: '/cache',
    clipInfoOf: () => Promise.resolve({ path: '/data/clip', frameCount: 3 } as ClipInfo),
    clipOf: () => Promise.resolve({ artifact: 'clips/clip', sha256: '' }),
    modelDirOf: () => '/data/model',
    loraFileOf: (name) =>
      loraFileOf(
        new Map([
          ['film', '/loras/film.safetensors'],
          ['grain', '/loras/g.safetensors'],
        ]),
        name,
      ),
    embeddingsFor: (prompts) => {
      asked.push(prompts);
      return [{ word: 'wolf', file: '/words/wolf.safetensors' }];
    },
  });
  const request = (...names: readonly string[]) =>
    requestOf({
      settings: { ...requestOf().settings, loras: names.map((name, i) => ({ name, strength: 0.5 + i })) },
    });
  await executor.estimate(owner, request('grain', 'film'), null);
  expect(jobs[0]?.loras).toEqual([
    { name: 'grain', file: '/loras/g.safetensors', strength: 0.5 },
    { name: 'film', file: '/loras/film.safetensors', strength: 1.5 },
  ]);
  expect(jobs[0]?.embeddings).toEqual([{ word: 'wolf', file: '/words/wolf.safetensors' }]);
  expect(asked).toEqual([['a wolf', '', '']]);
  await expect(executor.check(owner, request('film', 'gone'))).rejects.toMatchObject({
    code: 'adapter-missing',
    message: "The server has no LoRA named 'gone'; it has film, grain.",
  });
});
