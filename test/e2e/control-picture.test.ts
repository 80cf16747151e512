// What a ControlNet is shown of a frame, from a client's question to the picture, with a real clip.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { makeClip, readPixels } from '../../companion-server/src/media/testing/clips.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

/** A white square on black, 96 x 64. */
const square = ['-f', 'lavfi', '-i', 'color=c=black:size=96x64:rate=10,drawbox=x=32:y=16:w=32:h=32:color=white:t=fill'];

test('the edges of a frame come as a picture no larger than was asked for, and a frame too far is refused', async () => {
  const workspace = await createWorkspace();
  const client = await connectTo(await startTestServer(workspace, 'copying', { probe: null }));
  const clip = await makeClip(join(workspace.folder, 'c.mkv'), [...square, '-frames:v', '4', '-c:v', 'ffv1']);
  const { clipId } = await uploadClip(client, clip, { onProgress: () => undefined });
  const wish = { clipId, kind: 'canny', frameIndex: 2, maxSide: 1_024 } as const;
  const file = join(workspace.folder, 'edges.jpg');
  await writeFile(file, await client.controlPicture(wish));
  const { width, height, rgb } = await readPixels(file);
  expect([width, height]).toEqual([96, 64]);
  const at = (x: number, y: number): number => rgb[3 * (y * width + x)] ?? NaN;
  const aroundEdge = [30, 31, 32, 33].map((x) => at(x, 32));
  expect(Math.max(...aroundEdge)).toBeGreaterThan(200);
  expect([at(8, 32), at(48, 32)].map((value) => value < 50)).toEqual([true, true]);
  await writeFile(file, await client.controlPicture({ ...wish, maxSide: 48 }));
  expect(await readPixels(file)).toMatchObject({ width: 48, height: 32 });
  await expect(client.controlPicture({ ...wish, frameIndex: 4 })).rejects.toMatchObject({ code: 'invalid-request' });
});
