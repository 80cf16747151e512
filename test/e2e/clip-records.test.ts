// What a server has found in a clip, after it has started again.

import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

test('a server that has started again estimates an edit of a known clip without a look into it', async () => {
  const workspace = await createWorkspace();
  const clipPath = await makeClip(join(workspace.folder, 'film.mkv'), testPicture('64x48', '25', 3));
  const start = (): Promise<RunningServer> => startTestServer(workspace, 'estimating-slowly', { probe: null });
  const ask = async (server: RunningServer, clipId: string) => {
    const settings = { ...defaultSettings(), prompt: 'a wolf' };
    const connection = await connectTo(server);
    const wish = { clipId, settings, model: null, device: 'auto' } as const;
    return connection.request<'estimate'>({ type: 'estimate', estimateId: 1, ...wish });
  };

  const first = await start();
  const { clipId } = await uploadClip(await connectTo(first), clipPath);
  expect(await ask(first, clipId)).toMatchObject({ type: 'estimated', edit: { frames: 40 } });
  await first.close();

  vi.stubEnv('FFPROBE_PATH', join(workspace.folder, 'no-ffprobe'));
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(probeClip(clipPath)).rejects.toMatchObject({ code: 'ffmpeg-missing' });
  expect(await ask(await start(), clipId)).toMatchObject({ type: 'estimated', edit: { frames: 40 } });
});
