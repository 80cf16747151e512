// Whether a result at the clip's size is nearer to the edit at full size when it keeps the clip's detail, and what that
// costs.

import path from 'node:path';
import { sampleMotions } from '../../companion-server/src/demo/sample-clip.ts';
import { defaultSample } from '../../companion-server/src/demo/sample-frame.ts';
import { applyChange } from '../../companion-server/src/detail/apply-change.ts';
import { fitChange } from '../../companion-server/src/detail/local-change.ts';
import { openModel } from '../../companion-server/src/engine/model/model.ts';
import { componentSpaceOf, gbrSpace } from '../../companion-server/src/media/component-space.ts';
import type { Rgb24Frame, Size } from '../../companion-server/src/media/frame.ts';
import {
  byteLength,
  toPlanes,
  yuvFormat,
  type PlanarFrame,
  type PlaneFormat,
} from '../../companion-server/src/media/planes.ts';
import { fromGbr, planesOfFrame, toGbr } from '../../companion-server/src/media/rgb-planes.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { measureTemporal } from '../../companion-server/src/metrics/temporal.ts';
import { preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import type { EditSettings } from '../../protocol/edit-settings.ts';
import { decodeLatents, encodeFrames, readFrames } from '../demo-world/pictures.ts';
import { benchClip, benchModel, runEdit } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import type { Bench, BenchRow } from '../table.ts';
import { knownEdits, knownScene } from './known-edits.ts';
import { scaleFrame } from './scale-frame.ts';

/** Pixels of an edge: what the embedded model works at, and the clip. */
const working = 128;
const knownSize = 512;
const editedSize = 256;
const editedFrames = 8;
const prompts = ['a blue ball on grass', 'a red ball on snow'];

/** A frame of high definition, and what Stable Diffusion works at with its aspect. */
const large = { width: 1920, height: 1080 };
const small = { width: 683, height: 384 };
/** The first frames are slower: the code is compiled while they are made. */
const warmFrames = 3;
const timedFrames = 9;

export const detailBench: Bench = {
  name: 'detail',
  title: `PSNR at full size with and without the clip's detail; time of a frame of ${large.width} x ${large.height}`,
  async run({ isQuick, log }) {
    const rows = [...timeFrame(), ...(await measureKnown(log))];
    for (const prompt of isQuick ? [] : prompts) rows.push(...(await measureEdits(prompt)));
    return rows;
  },
};

async function measureKnown(log: (line: string) => void): Promise<BenchRow[]> {
  const model = await openModel({
    dir: benchModel(),
    execution: preferredExecution.cpu,
    cacheDir: path.join(benchFolder(), 'cache'),
  });
  const rows: BenchRow[] = [];
  for (const hard of [false, true]) {
    const source = knownScene(knownSize, hard);
    const edits = knownEdits(knownSize, hard);
    const shrunk = [source, ...edits.map(({ target }) => target)].map((frame) =>
      scaleFrame(frame, { width: working, height: working }),
    );
    const [reconstructed, ...edited] = await decodeLatents(model, await encodeFrames(model, shrunk));
    for (const [i, { name, target }] of edits.entries()) {
      const frame = edited[i];
      if (reconstructed === undefined || frame === undefined) throw new RangeError('A frame is missing.');
      const change = fitChange(planesOfFrame(reconstructed), planesOfFrame(frame));
      const kept = psnr(fromGbr(applyChange(toGbr(source), change, gbrSpace(8))), target);
      const scaled = psnr(scaleFrame(frame, source), target);
      log(`${name}${hard ? ', grain' : ''}: ${kept.toFixed(2)} dB, scaled up ${scaled.toFixed(2)} dB`);
      rows.push(gainRow(`known edit, ${name}${hard ? ', hard clip' : ''}`, kept, scaled));
    }
  }
  return rows;
}

/** The edit at the model's size, both ways, against the same edit of the clip at its own size. */
async function measureEdits(prompt: string): Promise<BenchRow[]> {
  const clip = await benchClip(editedFrames, editedSize);
  const options = { ...defaultSample, frames: editedFrames, width: editedSize, height: editedSize };
  const edit = async (edge: number, detail: EditSettings['detail']) => {
    let frames: readonly Rgb24Frame[] = [];
    const settings = {
      prompt,
      detail,
      keyframeInterval: 4,
      sourcePrompt: 'a red ball on grass',
      size: { width: edge, height: edge },
    };
    const report = await runEdit(clip, settings, async (file) => void (frames = await readFrames(file)));
    const { warpError } = await measureTemporal(inOrder(frames), sampleMotions(options));
    return { frames, warpError, encodeSeconds: report.stageSeconds['encode'] ?? NaN };
  };
  const whole = await edit(editedSize, 'none');
  const kept = await edit(working, 'source');
  const scaled = await edit(working, 'none');
  const likeness = ({ frames }: { frames: readonly Rgb24Frame[] }) =>
    frames.reduce((sum, frame, i) => sum + psnr(frame, whole.frames[i] ?? frame), 0) / frames.length;
  const ratio = kept.warpError / scaled.warpError;
  return [
    gainRow(`"${prompt}" against its edit at ${editedSize} x ${editedSize}`, likeness(kept), likeness(scaled)),
    {
      figure: `"${prompt}", warp error along the exact flow, source : none (at full size : none)`,
      value: `${ratio.toFixed(2)} x (${(whole.warpError / scaled.warpError).toFixed(2)} x)`,
      target: '',
      isMet: true,
    },
  ];
}

/** Processor time, which other work on the machine changes little. Taken first: threads of a network count as well. */
function timeFrame(): BenchRow[] {
  const clips = [yuvFormat('420', 8), yuvFormat('422', 10)];
  return clips.map((format) => {
    const source = planes(format, 3);
    const space = componentSpaceOf({ colour: untagged, frameSize: large, pixelFormat: format.name }, format);
    const [before, after] = [planesOfFrame(noise(small, 5)), planesOfFrame(noise(small, 7))];
    const seconds = Array.from({ length: warmFrames + timedFrames }, () => {
      const start = process.cpuUsage();
      applyChange(source, fitChange(before, after), space);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1e6;
    });
    const median = seconds.slice(warmFrames).sort((a, b) => a - b)[timedFrames >> 1] ?? NaN;
    return {
      figure: `processor time of a frame of ${large.width} x ${large.height}, ${format.name}, working size ${small.width} x ${small.height}`,
      value: `${median.toFixed(2)} s`,
      target: '< 0.25 s',
      isMet: median < 0.25,
    };
  });
}

const untagged = { range: null, primaries: null, transfer: null, matrix: null };

function planes(format: PlaneFormat, seed: number): PlanarFrame {
  const bytes = Uint8Array.from({ length: byteLength(format, large) }, (_, i) => 128 + 90 * Math.sin(i * seed));
  // The upper byte of ten bits is 0 to 3.
  if (format.bits > 8) for (let i = 1; i < bytes.length; i += 2) bytes[i] = (bytes[i] ?? 0) & 3;
  return { ...large, index: 0, format, planes: toPlanes(bytes, format, large) };
}

function gainRow(figure: string, kept: number, scaled: number): BenchRow {
  const value = `${kept.toFixed(1)} dB, scaled up ${scaled.toFixed(1)} dB`;
  return { figure, value, target: 'higher', isMet: kept > scaled };
}

function noise({ width, height }: Size, seed: number): Rgb24Frame {
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => 128 + 90 * Math.sin(i * seed));
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

async function* inOrder(frames: readonly Rgb24Frame[]): AsyncGenerator<Rgb24Frame> {
  await Promise.resolve();
  yield* frames;
}
