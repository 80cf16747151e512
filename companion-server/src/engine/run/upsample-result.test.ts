import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { padFrame, planWorkingSize } from '../../media/working-size.ts';
import type { Rgb24Frame } from '../../media/frame.ts';
import { decodeFrames, decodePlanes } from '../../media/decode/frames.ts';
import { frameToTensor, tensorToPlanes } from '../../media/pixels.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { collect, makeClip, makeFolder, testPicture } from '../../media/testing/clips.ts';
import { concatRows, sliceRows } from '../../tensor/tensor.ts';
import { FullSize, keepsDetail } from './upsample-result.ts';
import type { VaeSession } from '../model/vae-session.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: ClipInfo;
beforeAll(async () => {
  folder = await makeFolder();
  const file = path.join(folder.path, 'clip.mkv');
  clip = await probeClip(await makeClip(file, [...testPicture('150x90', '25', 9), '-c:v', 'ffv1']));
});
afterAll(() => folder.remove());

const size = planWorkingSize(
  { width: 150, height: 90 },
  { width: 64, height: 64 },
  { multiple: 8, targetPixels: 64 ** 2 },
);
const plan = { startFrame: 2, endFrame: 8, size, vaeChunkSize: 2 };

/** The VAE of these tests keeps pictures as they are, so that latents are pictures. It counts its forwards. */
function makeVae(): VaeSession & { forwards: number } {
  return {
    forwards: 0,
    run(latents) {
      this.forwards++;
      return Promise.resolve(latents);
    },
    release: () => Promise.resolve(),
  };
}

function latentsOf(frames: readonly Rgb24Frame[]): InMemoryLatents {
  return new InMemoryLatents(concatRows(frames.map((frame) => frameToTensor(padFrame(frame, size)))));
}

const smallFrames = (indices: readonly number[]) =>
  collect(decodeFrames(clip, { size: size.scaled })).then((all) => all.filter(({ index }) => indices.includes(index)));

async function open(indices: readonly number[], signal?: AbortSignal) {
  const clean = latentsOf(await smallFrames(indices));
  const vae = makeVae();
  return { clean, vae, fullSize: new FullSize({ clip, plan, clean, vae, signal, ...usual }) };
}

/** What the engine hands over when the edit changed nothing. */
const reconstructed = ({ tensor }: InMemoryLatents, row: number, index: number) =>
  tensorToPlanes(sliceRows(tensor, row, row + 1), index, size);

const usual = { keepsDetail: true, mask: null, given: null, isAlphaMask: false } as const;

describe('FullSize', () => {
  test.each([
    ['all frames of the range', [2, 3, 4, 5, 6, 7]],
    ['a few of them', [3, 7]],
  ])('an edit that changed nothing is the clip, sample by sample: %s', async (_, indices) => {
    const { clean, vae, fullSize } = await open(indices);
    const originals = await collect(decodePlanes(clip));
    for (const [row, index] of indices.entries()) {
      const restored = await fullSize.restore(reconstructed(clean, row, index));
      expect(restored).toMatchObject({ index, width: 150, height: 90 });
      expect(restored.planes).toEqual(originals[index]?.planes);
    }
    expect(vae.forwards).toBe(Math.ceil(indices.length / plan.vaeChunkSize));
    await fullSize.close();
  });

  test('pixels that are not square stay as they are stored', async () => {
    const args = [...testPicture('72x48', '25', 9), '-vf', 'setsar=4/3', '-c:v', 'ffv1'];
    const wide = await probeClip(await makeClip(path.join(folder.path, 'wide.mkv'), args));
    expect(keepsDetail({ detail: 'source' }, wide, { size })).toBe(true);
    const { clean, vae } = await open([2]);
    const fullSize = new FullSize({ clip: wide, plan, clean, vae, signal: undefined, ...usual });
    expect(await fullSize.restore(reconstructed(clean, 0, 2))).toMatchObject({ width: 72, height: 48 });
    await fullSize.close();
  });

  test('a clip that has lost the frame since is refused', async () => {
    const { clean, fullSize } = await open([7, 8]);
    await fullSize.restore(reconstructed(clean, 0, 7));
    const next = fullSize.restore(reconstructed(clean, 1, 8));
    await expect(next).rejects.toMatchObject({ code: 'clip-unreadable' });
    await fullSize.close();
  });

  test('can be canceled between frames', async () => {
    const controller = new AbortController();
    const { clean, fullSize } = await open([2, 7], controller.signal);
    await fullSize.restore(reconstructed(clean, 0, 2));
    controller.abort();
    const rest = fullSize.restore(reconstructed(clean, 1, 7));
    await expect(rest).rejects.toMatchObject({ name: 'CanceledError' });
    await fullSize.close();
  });
});

describe('keepsDetail', () => {
  test.each([
    ['source', 150, 90, true],
    ['none', 150, 90, false],
    ['source', 64, 38, false],
    ['source', 48, 30, false],
  ] as const)('%s for a clip of %i x %i: %s', (detail, width, height, expected) => {
    expect(keepsDetail({ detail }, { frameSize: { width, height } }, { size })).toBe(expected);
  });
});
