// The videos of a result, from the engine's end to a player: over the socket, over HTTP, in ranges, and gone with job and clip.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import type { Client } from '../../protocol/client/client.ts';
import { watchJob } from '../../protocol/client/watch-job.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { isOutcome, type JobView } from '../../protocol/job.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

interface Scene {
  readonly workspace: Workspace;
  readonly server: RunningServer;
  readonly client: Client;
  readonly job: JobView;
}

/** A job that is done: its result is the clip itself, 40 frames of 64 x 64 at 20 per second. */
async function finishJob(preview = false): Promise<Scene> {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace, 'copying', { probe: null });
  const client = await connectTo(server);
  const file = await makeClip(join(workspace.folder, 'c.mov'), [
    ...testPicture('64x64', '20', 40),
    '-c:v',
    'prores_ks',
  ]);
  const { clipId } = await uploadClip(client, file, { onProgress: () => undefined });
  const settings = { ...defaultSettings(), prompt: 'a wolf', preview };
  const made = await client.createJob({
    key: 'a-key-of-a-job',
    clipId,
    settings,
    model: null,
    device: 'cpu',
    priority: 0,
  });
  const job = await watchJob(client, made.jobId, { until: ({ state }) => isOutcome(state) });
  expect(job.state).toBe('done');
  return { workspace, server, client, job };
}

const videoOf = ({ workspace, job }: Scene, side: string): string =>
  join(workspace.dataDir, 'jobs', job.jobId, 'playback', `${side}.mp4`);

describe('the video of a result', () => {
  test('is made when the job ends, and is served whole and in ranges without a token', async () => {
    const scene = await finishJob();
    const { client, job, workspace } = scene;
    const found = await client.playback(job.jobId, 'edit');
    expect(found).toMatchObject({ frames: 40, frameRate: { numerator: 20, denominator: 1 } });
    const whole = await fetch(found.url);
    expect(whole.status).toBe(200);
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(bytes).toHaveLength(found.sizeBytes);
    const part = await fetch(found.url, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${bytes.length}`);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    const file = join(workspace.folder, 'served.mp4');
    await writeFile(file, bytes);
    expect(await probeClip(file)).toMatchObject({ frameCount: 40, displaySize: { width: 64, height: 64 } });
    expect((await client.playback(job.jobId, 'original')).frames).toBe(40);
  });

  test('of another side is not opened by a link to this one, nor is any by a link of nobody', async () => {
    const { client, job } = await finishJob();
    const { url } = await client.playback(job.jobId, 'edit');
    expect((await fetch(url.replace('/edit?', '/original?'))).status).toBe(401);
    expect((await fetch(url.replace(/\?.*/, ''))).status).toBe(401);
    expect((await fetch(url.replace('/edit?', '/secrets?'))).status).toBe(400);
  });

  test('of difference and flicker is made when it is asked for, once for all who ask', async () => {
    const scene = await finishJob();
    const { client, job } = scene;
    expect(existsSync(videoOf(scene, 'difference'))).toBe(false);
    const both = await Promise.all([
      client.playback(job.jobId, 'difference'),
      client.playback(job.jobId, 'difference'),
    ]);
    expect(both[0].sizeBytes).toBe(both[1].sizeBytes);
    const first = await readFile(videoOf(scene, 'difference'));
    await client.playback(job.jobId, 'flicker');
    await client.playback(job.jobId, 'difference');
    expect(await readFile(videoOf(scene, 'difference'))).toEqual(first);
  });

  test('gives its frames as pictures to a client that cannot play it, fewer at its end', async () => {
    const { client, job } = await finishJob();
    const wish = { side: 'edit', jobId: job.jobId, maxSide: 32 } as const;
    const jpegs = await client.frames({ ...wish, firstFrame: 30, frames: 24 });
    expect(jpegs).toHaveLength(10);
    for (const jpeg of jpegs) expect([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)]).toEqual([255, 216, 255, 217]);
    await expect(client.frames({ ...wish, firstFrame: 40, frames: 1 })).rejects.toMatchObject({
      code: 'invalid-request',
      message: 'The video has 40 frames, 0 to 39; frame 40 is none of them.',
    });
  });

  test('is deleted with its job', async () => {
    const scene = await finishJob();
    const { client, job } = scene;
    const { url } = await client.playback(job.jobId, 'edit');
    await client.deleteJob(job.jobId);
    expect(existsSync(videoOf(scene, 'edit'))).toBe(false);
    expect((await fetch(url)).status).toBe(404);
  });

  test('is deleted with its clip where it shows the clip, and stays where it shows the edit', async () => {
    const scene = await finishJob();
    const { client, job } = scene;
    for (const side of ['edit', 'original', 'difference'] as const) await client.playback(job.jobId, side);
    await client.request({ type: 'clip-delete', clipId: job.clipId });
    expect(['edit', 'original', 'difference'].filter((side) => existsSync(videoOf(scene, side)))).toEqual(['edit']);
    await expect(client.playback(job.jobId, 'original')).rejects.toMatchObject({ code: 'clip-missing' });
    expect((await client.playback(job.jobId, 'edit')).frames).toBe(40);
  });

  test('is not there for a preview, whose frames are no neighbours', async () => {
    const { client, job } = await finishJob(true);
    await expect(client.playback(job.jobId, 'edit')).rejects.toMatchObject({ code: 'invalid-request' });
  });
});
