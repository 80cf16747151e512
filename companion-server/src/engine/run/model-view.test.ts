// An edit of a clip in PQ or HLG, which the model was shown in standard range, at the clip's own size and in its codes.

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFrames, decodePlanes } from '../../media/decode/frames.ts';
import { frameToTensor, tensorToPlanes } from '../../media/pixels.ts';
import type { PlanarFrame } from '../../media/planes.ts';
import { probeClip } from '../../media/probe/probe.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { RgbPlanes } from '../../media/rgb-planes.ts';
import { collect, makeClip, makeFolder } from '../../media/testing/clips.ts';
import { toClipCode, toStandardRange } from '../../media/tone-mapping.ts';
import { padFrame, planWorkingSize } from '../../media/working-size.ts';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import { shownToModel } from './model-view.ts';
import { FullSize } from './upsample-result.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const transfers = { pq: 16, hlg: 18 } as const;
type Transfer = keyof typeof transfers;

/** One frame of 10 bits: grey that gets lighter from left to right, with a grain that is finer than the working size. */
async function makeHdr(transfer: Transfer): Promise<ClipInfo> {
  const luma = '180+2.5*X+6*mod(X+Y,2)';
  const picture = `nullsrc=size=128x64:rate=25,format=yuv420p10le,geq=lum='${luma}':cb=512:cr=512`;
  const code = transfers[transfer];
  const tags = `setparams=range=tv:color_primaries=bt2020:color_trc=${code}:colorspace=bt2020nc`;
  const options = [
    '-color_primaries',
    '9',
    '-color_trc',
    String(code),
    '-colorspace',
    'bt2020nc',
    '-color_range',
    'tv',
  ];
  const file = path.join(folder.path, `${transfer}.mkv`);
  const source = ['-f', 'lavfi', '-i', `${picture},${tags}`, '-frames:v', '1'];
  return probeClip(await makeClip(file, [...source, ...options, '-c:v', 'ffv1']));
}

/** The clip edited by `edit`, which gets and gives shown colours, 0..255. */
async function editShown(clip: ClipInfo, edit: (value: number) => number): Promise<PlanarFrame> {
  const fit = { multiple: 8, targetPixels: 64 ** 2 };
  const size = planWorkingSize(clip.displaySize, { width: 64, height: 64 }, fit);
  const [small] = await collect(decodeFrames(clip, { size: size.scaled }));
  if (small === undefined) throw new RangeError('The clip has no frame.');
  const clean = frameToTensor(padFrame(small, size));
  const fullSize = new FullSize({
    clip,
    plan: { startFrame: 0, endFrame: 1, size, vaeChunkSize: 1 },
    clean: new InMemoryLatents(clean),
    vae: { run: (latents) => Promise.resolve(latents), release: () => Promise.resolve() },
    keepsDetail: true,
    mask: null,
    isAlphaMask: false,
    signal: undefined,
  });
  const shown = tensorToPlanes(clean, 0, size);
  const [red, green, blue] = shown.planes;
  const edited: RgbPlanes = { ...shown, planes: [red.map(edit), green.map(edit), blue.map(edit)] };
  try {
    return await fullSize.restore(edited);
  } finally {
    await fullSize.close();
  }
}

/** The luma code of a grey whose shown value is edited, exactly. */
function exactLuma(code: number, transfer: Transfer, edit: (value: number) => number): number {
  const stored = Math.round((65_535 * (code - 64)) / 876);
  const [shown = 0] = toStandardRange(Uint16Array.of(stored, stored, stored), transfer);
  const plane = () => Float32Array.of(edit(shown));
  const picture: RgbPlanes = { index: 0, width: 1, height: 1, planes: [plane(), plane(), plane()] };
  return 64 + (876 * (toClipCode(picture, transfer).planes[0][0] ?? 0)) / 255;
}

describe.each(['pq', 'hlg'] as const)('a clip in %s that the model was shown in standard range', (transfer) => {
  test('keeps every code where the edit changed nothing', async () => {
    const clip = await makeHdr(transfer);
    const shown = shownToModel(clip, {});
    expect(shown.toneMapping).toBe(transfer);
    const [original] = await collect(decodePlanes(clip));
    expect(await editShown(shown, (value) => value)).toEqual(original);
  });

  test('gets the codes that show the edited colours', async () => {
    const stored = await makeHdr(transfer);
    const clip = shownToModel(stored, { modelColour: 'auto' });
    const lighter = (value: number) => 0.5 * value + 110;
    const [original] = await collect(decodePlanes(clip));
    const { planes } = await editShown(clip, lighter);
    const asStored = await editShown(stored, lighter);
    const errorOf = (result: PlanarFrame['planes']) => {
      const own = original?.planes[0] ?? [];
      const errors = Array.from(own, (code, i) => Math.abs((result[0]?.[i] ?? 0) - exactLuma(code, transfer, lighter)));
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    };
    expect(errorOf(planes)).toBeLessThan(1.5);
    // The same numbers in the clip's own codes are quite another edit.
    expect(errorOf(asStored.planes)).toBeGreaterThan(20);
    // Grey stays grey.
    for (const plane of planes.slice(1)) for (const code of plane) expect(Math.abs(code - 512)).toBeLessThanOrEqual(2);
  });
});

test('a clip is shown as it is stored to those who want that', async () => {
  const clip = await makeHdr('pq');
  expect(shownToModel(clip, { modelColour: 'off' })).toBe(clip);
});
