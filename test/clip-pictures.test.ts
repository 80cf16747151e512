// Pictures that clients send: mattes and painted frames.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { decodeFrames } from '../companion-server/src/media/decode/frames.ts';
import { encodePng } from '../companion-server/src/media/encode/png.ts';
import { probeClip } from '../companion-server/src/media/probe/probe.ts';
import { bytes, createFixture, owner, request, sha256 } from './clip-store-fixture.ts';

test('a picture becomes a clip of one frame, which is known by the hash of the picture', async () => {
  const { store, pathOf, files } = await createFixture();
  const rgb = Uint8Array.from({ length: 3 * 4 * 2 }, (_, i) => 10 * i);
  const picture = encodePng({ width: 4, height: 2, pixelFormat: 'rgb24', rgb });
  const hash = createHash('sha256').update(picture).digest('hex');
  const upload = await store.begin(owner, { ...request, sizeBytes: picture.length, extension: 'png' });
  await upload.write(0, picture);
  const clip = await upload.finish(hash);
  expect(await store.withHash(owner, hash)).toEqual(clip);
  const info = await probeClip(pathOf(clip));
  expect([info.frameCount, info.displaySize]).toEqual([1, { width: 4, height: 2 }]);
  for await (const frame of decodeFrames(info, { size: info.displaySize })) expect(frame.rgb).toEqual(rgb);
  expect((await files()).uploads).toEqual([]);
});

test('a picture that is none is refused, and nothing is kept of it', async () => {
  const { store, files } = await createFixture();
  const upload = await store.begin(owner, { ...request, extension: 'png' });
  await upload.write(0, bytes);
  await expect(upload.finish(sha256)).rejects.toMatchObject({ code: 'clip-unreadable' });
  expect(await files()).toEqual({ clips: [], uploads: [] });
});
