// A whole edit with random weights: where its time goes, what crosses main memory, and when the device has nothing to do.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { EditReport } from '../../protocol/edit-report.ts';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { CanceledError } from '../../companion-server/src/errors.ts';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import type { RunCost } from '../../companion-server/src/onnx/session.ts';
import { watchCard } from './card.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

const targetSecondsPerFrame = 0.4;
/** What is left for the report when the edit has to be ended. */
const reserveMs = 3_000;
/** The reference pipeline: inversion steps, sampling steps, branches of a sampling step, frames per keyframe. */
const official = { inversionSteps: 500, steps: 50, branches: 3, keyframeInterval: 8 } as const;

/** What all runs of one graph came to. */
interface GraphCost {
  runs: number;
  seconds: number;
  inputBytes: number;
  outputBytes: number;
}

export const editSection: Section = {
  name: 'edit',
  leastSeconds: 45,
  mostSeconds: 90,
  async measure(context) {
    const { isQuick, workDir, modelDir, execution, endsAt } = context;
    const [frames, edge] = isQuick ? [4, 64] : [40, 512];
    const clip = path.join(workDir, `clip-${frames}-${edge}.mp4`);
    await mkdir(workDir, { recursive: true });
    // What an earlier edit has left there would be gone on with.
    await rm(path.join(workDir, 'edit'), { recursive: true, force: true });
    await writeTestPattern(clip, frames, edge);
    const costs = new Map<string, GraphCost>();
    const onRun = (cost: RunCost) => addCost(costs, cost);
    const card = await watchCard();
    const stages = new Map<string, number>();
    const job = {
      inputPath: clip,
      outputPath: path.join(workDir, 'edited.mp4'),
      modelDir,
      device: execution.provider,
      cacheDir: workDir,
      workDir: path.join(workDir, 'edit'),
      settings: {
        ...defaultSettings(),
        prompt: 'a cat',
        sourcePrompt: 'a photo of a cat',
        codec: 'h264' as const,
        ...{
          size: { width: edge, height: edge },
          // Random weights never find a clip again: measuring how well they do would go to its limit.
          ...(isQuick ? { steps: 2, inversionSteps: 2 } : { steps: 20, inversionSteps: 40 }),
        },
      },
    };
    const start = performance.now();
    const report = await runEdit(
      job,
      {
        onProgress: ({ stage }) => stages.set(stage, (performance.now() - start) / 1000),
        signal: AbortSignal.timeout(Math.max(1, endsAt - Date.now() - reserveMs)),
      },
      {
        chooseExecution: () => Promise.resolve(execution),
        openModel: (options) => openModel({ ...options, onRun }),
      },
    ).catch((error: unknown) => {
      if (!(error instanceof CanceledError)) throw error;
      context.report(rowOf(`whole edit, ${frames} frames of ${edge}x${edge}`, 'not finished in its time'), {
        reached: Object.fromEntries(stages),
      });
      return null;
    });
    const wall = (performance.now() - start) / 1000;
    const usage = card.stop();
    if (report !== null) reportEdit(context, report, edge, wall, costs);
    reportCosts(context, costs, frames, wall);
    if (usage !== null) {
      context.report(rowOf('peak memory of the card', `${(usage.peakBytes / 2 ** 30).toFixed(1)} GiB`), { ...usage });
      context.report(
        rowOf('share of the samples in which the card was idle', `${(100 * usage.idleShare).toFixed(0)} %`),
      );
    }
  },
};

/** A moving test pattern, which ffmpeg draws in no time. */
async function writeTestPattern(file: string, frames: number, edge: number): Promise<void> {
  const pattern = `testsrc2=size=${edge}x${edge}:rate=25`;
  const output = ['-frames:v', String(frames), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-y', file];
  await promisify(execFile)(await findProgram('ffmpeg'), ['-v', 'error', '-f', 'lavfi', '-i', pattern, ...output]);
}

function addCost(costs: Map<string, GraphCost>, { graph, seconds, inputBytes, outputBytes }: RunCost): void {
  const sum = costs.get(graph) ?? { runs: 0, seconds: 0, inputBytes: 0, outputBytes: 0 };
  sum.runs++;
  sum.seconds += seconds;
  sum.inputBytes += inputBytes;
  sum.outputBytes += outputBytes;
  costs.set(graph, sum);
}

function reportEdit(
  context: SectionContext,
  report: EditReport,
  edge: number,
  wall: number,
  costs: ReadonlyMap<string, GraphCost>,
): void {
  const { frames, stageSeconds, unetEvaluations, notices, peakMemoryBytes } = report;
  const perFrame = wall / frames;
  const subject = `${frames} frames of ${edge}x${edge}`;
  const isMet = perFrame <= targetSecondsPerFrame;
  context.report(
    rowOf(`whole edit, fast, ${subject}`, `${perFrame.toFixed(3)} s per frame`, `<= ${targetSecondsPerFrame} s`, isMet),
    {
      wall,
      perFrame,
      stageSeconds,
      unetEvaluations,
      notices,
      peakMemoryBytes,
      chosen: report.chosen,
    },
  );
  for (const [stage, seconds] of Object.entries(stageSeconds)) {
    context.report(rowOf(`whole edit, ${stage}`, `${(seconds / frames).toFixed(3)} s per frame`));
  }
  const evaluations = unetEvaluations.inversion + unetEvaluations.sampling;
  const unetSeconds = [...costs].reduce((sum, [graph, { seconds }]) => sum + (isUNet(graph) ? seconds : 0), 0);
  const each = unetSeconds / evaluations;
  const { inversionSteps, steps, branches, keyframeInterval } = official;
  const officialEvaluations = inversionSteps + steps * branches * (1 + 1 / keyframeInterval);
  context.report(
    rowOf(
      `reference pipeline, by ${(1000 * each).toFixed(1)} ms per evaluation and ${officialEvaluations.toFixed(0)} evaluations`,
      `${(each * officialEvaluations).toFixed(1)} s per frame`,
    ),
    { secondsPerEvaluation: each, evaluations, officialEvaluations },
  );
}

function reportCosts(
  context: SectionContext,
  costs: ReadonlyMap<string, GraphCost>,
  frames: number,
  wall: number,
): void {
  let [bytes, seconds] = [0, 0];
  for (const [graph, cost] of costs) {
    const crossed = cost.inputBytes + cost.outputBytes;
    bytes += crossed;
    seconds += cost.seconds;
    context.report(
      rowOf(
        `passes of ${graph}`,
        `${cost.runs} x ${(cost.seconds / cost.runs).toFixed(3)} s, ${megabytes(crossed / cost.runs)} each through main memory`,
      ),
      { graph, ...cost },
    );
  }
  context.report(rowOf('through main memory in all', `${megabytes(bytes)}, ${megabytes(bytes / frames)} per frame`), {
    bytes,
  });
  context.report(
    rowOf('time of the edit in which no graph ran', `${(wall - seconds).toFixed(1)} of ${wall.toFixed(1)} s`),
    { wall, running: seconds },
  );
}

function isUNet(graph: string): boolean {
  return !/^(vae|text)/.test(graph);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
