// A device that gives wrong numbers: the edit continues from its last finished step in a safer way, and reports it.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { createSharedSession, releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runSharing, tinyJob } from '../../../../test/tiny-edits.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { plainExecution, preferredExecution, type Execution } from '../../onnx/execution.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PassOutputs } from '../../tokenflow/denoiser.ts';
import type { ResumePoint } from './resume-point.ts';
import type { EditJob } from './edit-job.ts';
import { runEdit, type EditParts } from './edit.ts';
import { openModel, type Model } from '../model/model.ts';
import { saferExecution } from './precision-fallback.ts';

let dir: string;
let job: EditJob;
let expected: readonly Uint8Array[];
let edits = 0;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-fallback-'));
  const clip = [...testPicture('64x48', '24', 2), '-c:v', 'ffv1'];
  const inputPath = await makeClip(path.join(dir, 'clip.mkv'), clip);
  const modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  job = tinyJob({ dir, modelDir, inputPath }, 'expected', { propagation: 'per-frame' });
  await runSharing(job, { onProgress: () => undefined });
  expected = await framesOf(job);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const fresh = (): EditJob => {
  const name = `edit-${edits++}`;
  return { ...job, outputPath: path.join(dir, `${name}.mov`), workDir: path.join(dir, name) };
};

const spoilt = (tensor: Tensor, value: number): Tensor => ({
  ...tensor,
  data: tensor.data.map(() => value),
});

const spoiltBranches = (prediction: PassOutputs['prediction'], value: number): PassOutputs['prediction'] =>
  Object.fromEntries(Object.entries(prediction).map(([branch, tensor]) => [branch, spoilt(tensor, value)]));

/** The CPU in the place of another device, whose models `spoil` may break. */
function partsWith(device: Execution, spoil: (model: Model, execution: Execution) => Model) {
  const opened: Execution[] = [];
  const parts: EditParts = {
    chooseExecution: () => Promise.resolve(device),
    async openModel(options) {
      opened.push(options.execution);
      const model = await openModel({
        ...options,
        execution: preferredExecution.cpu,
        createSession: createSharedSession,
      });
      return spoil(model, options.execution);
    },
  };
  return { parts, opened };
}

/** A model whose network returns `value` for everything from its `first` forward on. */
function breakNetwork(model: Model, value: number, first: number): Model {
  return {
    ...model,
    createDenoiser(size) {
      const denoiser = model.createDenoiser(size);
      const runPass = denoiser.run.bind(denoiser);
      let forwards = 0;
      denoiser.run = async (pass, inputs) => {
        const outputs = await runPass(pass, inputs);
        return forwards++ < first ? outputs : { ...outputs, prediction: spoiltBranches(outputs.prediction, value) };
      };
      return denoiser;
    },
  };
}

async function run(parts: EditParts, edit = fresh()) {
  const resumePoints: ResumePoint[] = [];
  const onResumePoint = (reached: ResumePoint) => resumePoints.push(reached);
  const report = await runEdit(edit, { onProgress: () => undefined, onResumePoint }, parts);
  return { report, resumePoints, edit };
}

describe('the safer way', () => {
  test('is single precision with standard operators, then the CPU, then nothing', () => {
    const { webgpu, cpu } = preferredExecution;
    expect(saferExecution(webgpu)).toEqual(plainExecution('webgpu'));
    expect(saferExecution(plainExecution('webgpu'))).toEqual(cpu);
    expect(saferExecution(cpu)).toBeNull();
  });
});

describe('an edit whose numbers become invalid', () => {
  test('goes on from its last step in single precision, and says so', async () => {
    const { parts, opened } = partsWith(preferredExecution.webgpu, (model, { float }) =>
      float === 'float16' ? breakNetwork(model, NaN, 1) : model,
    );
    const { report, resumePoints, edit } = await run(parts);
    expect(opened).toEqual([preferredExecution.webgpu, plainExecution('webgpu')]);
    expect(await framesOf(edit)).toEqual(expected);
    // The first step was good and is not done again.
    const inversion = resumePoints.filter(({ stage }) => stage === 'invert').map(({ step }) => step);
    expect(inversion).toEqual([0, 1, 2]);
    expect(report.unetEvaluations.inversion).toBe(2 * 2);
    expect(report.notices.join()).toMatch(
      /became invalid \(NaN or infinite\) in inversion at timestep \d+.*went on on webgpu in single precision/,
    );
  });

  test('goes on on the CPU where single precision fails as well', async () => {
    const { parts, opened } = partsWith(preferredExecution.webgpu, (model, { provider }) =>
      provider === 'cpu' ? model : breakNetwork(model, Infinity, 0),
    );
    const { report, edit } = await run(parts);
    expect(opened.map(({ provider }) => provider)).toEqual(['webgpu', 'webgpu', 'cpu']);
    expect(report.device).toBe('cpu');
    expect(report.notices).toHaveLength(2);
    expect(await framesOf(edit)).toEqual(expected);
  });

  test('fails by name where there is no safer way', async () => {
    const { parts } = partsWith(preferredExecution.cpu, (model) => breakNetwork(model, NaN, 0));
    const edit = fresh();
    await expect(run(parts, edit)).rejects.toMatchObject({
      code: 'result-invalid',
      hint: expect.not.stringContaining('--device') as string,
    });
    expect(existsSync(edit.outputPath)).toBe(false);
  });

  test('does not keep an inversion that two ways of computing have had a part in', async () => {
    const inversionsDir = path.join(dir, 'inversions');
    const { parts } = partsWith(preferredExecution.webgpu, (model, { float }) =>
      float === 'float16' ? breakNetwork(model, NaN, 1) : model,
    );
    await run(parts, { ...fresh(), clipSha256: 'ab'.repeat(32), inversionsDir });
    expect(existsSync(inversionsDir)).toBe(false);
  });
});

describe('black frames', () => {
  const blackDecoder = (model: Model): Model => ({
    ...model,
    async openDecoder(size) {
      const decoder = await model.openDecoder(size);
      return { ...decoder, run: async (latents) => spoilt(await decoder.run(latents), -1) };
    },
  });

  test('that the clip does not have are computed again on a safer device', async () => {
    const { parts } = partsWith(preferredExecution.webgpu, (model, { provider }) =>
      provider === 'cpu' ? model : blackDecoder(model),
    );
    const { report, edit } = await run(parts);
    expect(report.notices.join()).toContain("Frame 0 came out black; the clip's is not.");
    expect(await framesOf(edit)).toEqual(expected);
  });

  test('that the clip has are right', async () => {
    const black = ['-f', 'lavfi', '-i', 'color=black:size=64x48:rate=24', '-frames:v', '1'];
    const inputPath = await makeClip(path.join(dir, 'black.mkv'), [...black, '-c:v', 'ffv1']);
    const { parts } = partsWith(preferredExecution.cpu, blackDecoder);
    const { report } = await run(parts, { ...fresh(), inputPath });
    expect(report.frames).toBe(1);
  });
});
