// `demo`: the main job on a sample clip, by the same path as the panel, with the per-frame baseline beside it.

import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Propagation } from '../../../../protocol/edit-settings.ts';
import { deviceChoices } from '../../../../protocol/devices.ts';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { editOverSocket, type EditedClip } from '../../client/edit-over-socket.ts';
import { writeContactSheet } from '../../demo/contact-sheet.ts';
import { measureEdit, type EditMetrics } from '../../demo/measure-edit.ts';
import { openSample, sampleMotions, type Sample } from '../../demo/samples.ts';
import { writeSideBySide } from '../../demo/side-by-side.ts';
import { EditError } from '../../errors.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { defineCommand, type CommandContext } from '../command.ts';
import { createReporter } from '../edit-reporter.ts';
import { openLocalSession, type EditSession } from '../session.ts';
import { typed } from '../../typed-command.ts';

const defaultSample = 'ball-grass';
const defaultFolder = 'demo-output';
/** Enough for another colour. The model's own, which other styles need, presses on outlines. */
const defaultGuidance = 3;

export const demoCommand = defineCommand({
  name: 'demo',
  usage: '[options]',
  summary: 'Edit a sample clip with the embedded model and show what TokenFlow does.',
  options: {
    sample: { kind: 'text', placeholder: 'NAME', help: `Which sample clip. Default: ${defaultSample}.` },
    prompt: {
      kind: 'text',
      placeholder: 'TEXT',
      help: `Default: the sample's first target, guided gently (${defaultGuidance}).`,
    },
    model: {
      kind: 'text',
      placeholder: 'NAME|DIR',
      help: `A model by its name (see ${typed('models')}), or a checkpoint folder. Default: TOKENFLOW_MODEL, then demo.`,
    },
    device: { kind: 'choice', choices: deviceChoices, help: 'What computes. Default: auto.' },
    out: { kind: 'text', placeholder: 'DIR', help: `Default: ${defaultFolder}.` },
  },
  notes: [
    'Writes original.mp4, edited.mp4, per-frame.mp4 (the same edit without TokenFlow), side-by-side.mp4 and contact-sheet.png.',
  ],
  async run({ values, positionals }, context) {
    if (positionals[0] !== undefined) {
      throw new EditError('invalid-request', `demo takes no argument, got '${positionals[0]}'.`);
    }
    const sample = await openSample(values.sample ?? defaultSample);
    const prompt = values.prompt ?? sample.targets[0]?.prompt ?? '';
    const guidance = values.prompt === undefined ? defaultGuidance : null;
    const folder = path.resolve(values.out ?? defaultFolder);
    await mkdir(folder, { recursive: true });
    const file = (name: string) => path.join(folder, name);
    await copyFile(sample.clipPath, file('original.mp4'));
    context.stdout.write(`"${sample.caption}" becomes "${prompt}"\n\n`);

    const session = await openLocalSession(context, values.model);
    const edits: DemoEdit[] = [];
    try {
      for (const [label, name, propagation] of variants) {
        context.stdout.write(`${label}\n`);
        const request = {
          sample,
          prompt,
          guidance,
          propagation,
          outPath: file(name),
          device: values.device ?? 'auto',
        } as const;
        edits.push({ label, clip: await edit(session, request, context) });
      }
    } finally {
      await session.close();
    }
    await present(sample, edits, file, context);
  },
});

/** TokenFlow first: it is what the demo is about. */
const variants = [
  ['TokenFlow', 'edited.mp4', 'paper'],
  ['frame by frame', 'per-frame.mp4', 'per-frame'],
] as const satisfies readonly (readonly [string, string, Propagation])[];

interface DemoEdit {
  readonly label: string;
  readonly clip: EditedClip;
}

async function edit(
  { connection }: EditSession,
  request: {
    readonly sample: Sample;
    readonly prompt: string;
    /** null for what suits the model. */
    readonly guidance: number | null;
    readonly propagation: Propagation;
    readonly outPath: string;
    readonly device: (typeof deviceChoices)[number];
  },
  context: CommandContext,
): Promise<EditedClip> {
  const { sample, prompt, guidance, propagation, outPath, device } = request;
  const reporter = createReporter('text', context);
  try {
    const edited = await editOverSocket(connection, {
      clipPath: sample.clipPath,
      outPath,
      settings: { ...defaultSettings(), prompt, guidance, sourcePrompt: sample.caption, propagation, codec: 'h264' },
      model: null,
      device,
      onProgress: (progress) => reporter.progress(progress),
      signal: context.signal,
    });
    reporter.done(edited);
    return edited;
  } finally {
    reporter.end();
  }
}

/** Pictures and figures of the finished edits. */
async function present(
  sample: Sample,
  edits: readonly DemoEdit[],
  file: (name: string) => string,
  { stdout, signal }: CommandContext,
): Promise<void> {
  const source = await probeClip(sample.clipPath, signal);
  const motions = await sampleMotions(sample);
  const rows = [{ label: 'original', clip: source }];
  const metrics: (EditMetrics & { label: string })[] = [];
  for (const { label, clip } of edits) {
    const info = await probeClip(clip.outPath, signal);
    rows.push({ label, clip: info });
    const { width, height } = sample;
    metrics.push({
      label,
      ...(await measureEdit(source, info, motions, { width, height }, signal)),
    });
  }
  await writeSideBySide(file('side-by-side.mp4'), rows, { signal });
  await writeContactSheet(file('contact-sheet.png'), rows, { signal });
  stdout.write(`\n${formatMetrics(metrics)}\n\n`);
  stdout.write(`Look at ${file('contact-sheet.png')}\n     and ${file('side-by-side.mp4')}\n`);
}

/** Lower is steadier for the first three columns; the last two say how much of the picture was changed. */
export function formatMetrics(metrics: readonly (EditMetrics & { label: string })[]): string {
  const head = ['', 'warp error', 'on object', 'flicker', 'PSNR to source', 'SSIM to source'];
  const body = metrics.map(({ label, warpError, objectWarpError, flicker, psnr, ssim }) => [
    label,
    warpError.toFixed(4),
    objectWarpError.toFixed(4),
    flicker.toFixed(4),
    `${psnr.toFixed(1)} dB`,
    ssim.toFixed(3),
  ]);
  const lines = [head, ...body];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
