// Frames of the clip that the user paints on: saved as pictures, and given back. The server has both the clip and the pictures.

import { EditError } from '../../../protocol/errors.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import { pictureExtensions } from '../../../protocol/messages/clip-messages.ts';
import { frameSideRange } from '../../../protocol/limits.ts';
import { sourceIdOf } from '../state/choices.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

/** Pixels of the longer side of a painted frame in the list. */
const thumbnailSide = 96;
/** Largest difference of two shapes of pictures, as a ratio, that rounding to pixels explains. */
const sameShape = 1.02;

export function startPaintedFramesEffect({ client, store, pictures, host }: EffectDeps): StopEffect {
  const { dispatch } = store;
  const stop = new AbortController();
  const { signal } = stop;
  let urls: readonly string[] = [];

  async function save(state: PanelState): Promise<void> {
    const clip = clipOf(state);
    if (clip === null) return;
    const { frame } = clip;
    const wish = { side: 'original', id: clip.clipId, frameIndex: frame, maxSide: frameSideRange.max } as const;
    const png = await client.frame({ ...wish, format: 'png' }, signal);
    await host.files.savePicture(`${clip.name}-frame-${frame}.png`, png);
  }

  async function add(state: PanelState): Promise<void> {
    const clip = clipOf(state);
    const file = clip === null ? null : await host.files.openPicture();
    if (clip === null || file === null) return;
    const { name, bytes } = file;
    const frame = frameOf(name) ?? clip.frame;
    requireFrame(name, frame, clip.media);
    const source = {
      sizeBytes: bytes.length,
      extension: extensionOf(name),
      read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
    };
    const sent = await client.upload(source, { uploadId: null, signal });
    requireShape(name, sent.media, clip.media);
    const wish = { side: 'original', id: sent.clipId, frameIndex: 0, maxSide: thumbnailSide } as const;
    const url = pictures.make(await client.frame(wish, signal));
    urls = [...urls, url];
    dispatch({ type: 'painted-added', painted: { frame, sha256: sent.sha256, fileName: name, url } });
  }

  async function busy(work: () => Promise<void>): Promise<void> {
    dispatch({ type: 'painting-busy', isBusy: true });
    try {
      await work();
    } catch (error) {
      if (!signal.aborted && !isCancel(error)) {
        dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
      }
    }
    dispatch({ type: 'painting-busy', isBusy: false });
  }

  const stopListening = store.subscribe((event, state) => {
    const shown = new Set(state.region.painted.map(({ url }) => url));
    for (const url of urls) if (!shown.has(url)) pictures.drop(url);
    urls = urls.filter((url) => shown.has(url));
    if (state.region.isPaintingBusy) return;
    if (event.type === 'painting-save-pressed') void busy(() => save(state));
    if (event.type === 'painting-add-pressed') void busy(() => add(state));
  });
  return () => {
    stopListening();
    stop.abort();
  };
}

/** The clip that is on the server, and the frame of it that is shown; null where it is not there. */
function clipOf({ selection, prepared, region }: PanelState) {
  const clip = selection?.clips[0];
  if (clip === undefined || prepared?.clip == null || prepared.sourceId !== sourceIdOf(clip)) return null;
  const { clipId, media } = prepared.clip;
  const name = clip.name.replace(/\.[^.]*$/, '');
  return { clipId, media, name, frame: Math.min(region.frame, media.frameCount - 1) };
}

/** As in the name of a saved frame, also after a program has changed the name; null where there is none. */
function frameOf(fileName: string): number | null {
  const [, digits] = /-frame-(\d+)/.exec(fileName) ?? [];
  return digits === undefined ? null : Number(digits);
}

function extensionOf(fileName: string) {
  const ending = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
  const extension = pictureExtensions.find((one) => one === ending);
  if (extension !== undefined) return extension;
  throw new EditError('invalid-request', `"${fileName}" must be one of ${pictureExtensions.join(', ')}.`);
}

function requireFrame(fileName: string, frame: number, { frameCount }: MediaFacts): void {
  if (frame < frameCount) return;
  throw new EditError(
    'invalid-request',
    `"${fileName}" is frame ${frame}; the clip has ${frameCount} frames, 0 to ${frameCount - 1}.`,
  );
}

function requireShape(fileName: string, { size: own }: MediaFacts, { size: clip }: MediaFacts): void {
  const ratio = (own.width * clip.height) / (own.height * clip.width);
  if (Math.max(ratio, 1 / ratio) <= sameShape) return;
  throw new EditError(
    'invalid-request',
    `"${fileName}" is ${own.width} x ${own.height}; the clip, ${clip.width} x ${clip.height}, has another shape.`,
    { hint: 'Save the frame again, and keep its size.' },
  );
}
