// The embedded model's edit of a sample clip on the device and on the CPU: one picture to look at, and how far apart
// the two are.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { writeContactSheet } from '../../companion-server/src/demo/contact-sheet.ts';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { preferredExecution, type Execution } from '../../companion-server/src/onnx/execution.ts';
import { rowOf, type Section, type SectionContext } from './section.ts';

const model = path.join(import.meta.dirname, '..', '..', 'models', 'demo');
const sample = path.join(model, 'samples', 'ball-grass.mp4');
const prompts = { sourcePrompt: 'a red ball on grass', prompt: 'a blue ball on snow' } as const;

export const pictureSection: Section = {
  name: 'picture',
  leastSeconds: 40,
  mostSeconds: 120,
  async measure(context) {
    const { execution, isQuick, outDir } = context;
    const frames = isQuick ? 2 : 12;
    const onDevice = await editOn(context, execution, frames);
    const onCpu = await editOn(context, preferredExecution.cpu, frames);
    const file = path.join(outDir, `edit-${execution.provider}.png`);
    const clip = await probeClip(sample);
    await writeContactSheet(file, [
      { label: 'original', clip },
      { label: execution.provider, clip: onDevice },
      { label: 'cpu', clip: onCpu },
    ]);
    const decibels = await meanPsnr(onDevice, onCpu);
    context.report(
      rowOf(`the embedded model's edit, ${execution.provider} against the CPU`, `${decibels.toFixed(1)} dB`),
      { psnr: decibels, picture: path.basename(file) },
    );
  },
};

async function editOn({ workDir, isQuick }: SectionContext, execution: Execution, frames: number): Promise<ClipInfo> {
  const clip = await probeClip(sample);
  const outputPath = path.join(workDir, `picture-${execution.provider}.mp4`);
  const editDir = path.join(workDir, `picture-${execution.provider}`);
  // What an earlier edit has left there would be gone on with.
  await rm(editDir, { recursive: true, force: true });
  const seconds = frames * (clip.durationSeconds / clip.frameCount);
  await runEdit(
    {
      inputPath: sample,
      outputPath,
      modelDir: model,
      device: execution.provider,
      cacheDir: workDir,
      workDir: editDir,
      settings: {
        ...defaultSettings(),
        ...prompts,
        codec: 'h264' as const,
        endSeconds: seconds,
        ...(isQuick ? { steps: 2, inversionSteps: 2 } : {}),
      },
    },
    { onProgress: () => undefined },
    { chooseExecution: () => Promise.resolve(execution), openModel },
  );
  return probeClip(outputPath);
}

async function meanPsnr(a: ClipInfo, b: ClipInfo): Promise<number> {
  const others = decodeFrames(b, {});
  let [sum, count] = [0, 0];
  for await (const frame of decodeFrames(a, {})) {
    const other = await others.next();
    if (other.done === true) break;
    sum += Math.min(99, psnr(frame, other.value));
    count++;
  }
  await others.return();
  return sum / count;
}
