// Whole edits: clip -> socket -> server -> fake engine -> socket -> file.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  editOverSocket,
  type ClientProgress,
  type EditOverSocketOptions,
} from '../../companion-server/src/client/edit-over-socket.ts';
import { CanceledError } from '../../companion-server/src/errors.ts';
import { sha256OfFile } from '../../companion-server/src/files/sha256.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { createLifeline } from './lifeline.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

function createOptions({ clipPath, folder }: Workspace, prompt = 'a wolf'): EditOverSocketOptions {
  return {
    clipPath,
    outPath: join(folder, 'out.mov'),
    settings: { ...defaultSettings(), prompt },
    model: null,
    device: 'cpu',
    onProgress: () => undefined,
  };
}

/** Names in the workspace beside what was there at the start. */
async function newFiles({ folder }: Workspace): Promise<readonly string[]> {
  const known = ['cache', 'clip.mp4', 'data', 'model'];
  return (await readdir(folder)).filter((name) => !known.includes(name)).sort();
}

describe('an edit over the socket', () => {
  test('brings the result, the report and the seconds of every stage', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace));
    const edited = await editOverSocket(connection, createOptions(workspace));
    expect(edited).toMatchObject({ sizeBytes: workspace.clipBytes.length, report: { frames: 40 } });
    expect(Object.keys(edited.stageSeconds)).toEqual(['upload', 'decode', 'edit', 'download']);
    expect(workspace.clipBytes.equals(await readFile(edited.outPath))).toBe(true);
    expect(await newFiles(workspace)).toEqual(['out.mov']);
  });

  test('sends the matte of its mask, and leaves neither it nor the clip on the server', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace));
    const options = createOptions(workspace);
    const mattePath = join(workspace.folder, 'matte.mp4');
    await writeFile(mattePath, Buffer.concat([workspace.clipBytes, Buffer.from('a matte')]));
    const sha256 = await sha256OfFile(mattePath);
    const edge = { follows: true, invert: false, grow: 0, feather: 0, asAlpha: false };
    const mask = { matte: { sha256, channel: 'luma', frame: 0 }, ...edge } as const;
    const settings = { ...options.settings, mask };
    await expect(editOverSocket(connection, { ...options, settings })).rejects.toMatchObject({ code: 'clip-missing' });
    await editOverSocket(connection, { ...options, settings, uploads: [mattePath] });
    expect(await newFiles(workspace)).toEqual(['matte.mp4', 'out.mov']);
    expect(await readdir(join(workspace.folder, 'data', 'clips'))).toEqual([]);
  });

  test('can follow another on the same connection', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace));
    for (const name of ['first.mov', 'second.mov']) {
      const outPath = join(workspace.folder, name);
      await editOverSocket(connection, { ...createOptions(workspace), outPath });
    }
    expect(await newFiles(workspace)).toEqual(['first.mov', 'second.mov']);
  });

  test('progress never falls, however the engine chatters', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace, 'chatty'));
    const heard: ClientProgress[] = [];
    await editOverSocket(connection, {
      ...createOptions(workspace),
      onProgress: (progress) => heard.push(progress),
    });
    const shares = heard.flatMap((value) => (value.phase === 'edit' ? [value.progress.progress] : []));
    expect(shares.length).toBeGreaterThan(10);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    const phases = heard.map(({ phase }) => phase);
    expect([...new Set(phases)]).toEqual(['upload', 'queue', 'edit', 'download']);
  });

  test('a crash of the engine fails the job, and the next job works', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace, 'crashing'));
    await expect(editOverSocket(connection, createOptions(workspace, 'crash'))).rejects.toMatchObject({
      code: 'engine-crashed',
    });
    expect(await newFiles(workspace)).toEqual([]);
    await editOverSocket(connection, createOptions(workspace));
    expect(await newFiles(workspace)).toEqual(['out.mov']);
  });

  test('cancel ends engine and job, and leaves the connection in use', async () => {
    const lifeline = await createLifeline();
    vi.stubEnv('TEST_LIFELINE_PORT', String(lifeline.port));
    onTestFinished(() => void vi.unstubAllEnvs());
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace, 'hanging'));
    for (let round = 0; round < 2; round++) {
      const canceler = new AbortController();
      const onProgress = ({ phase }: ClientProgress): void => {
        if (phase === 'edit') canceler.abort();
      };
      const options = { ...createOptions(workspace), onProgress, signal: canceler.signal };
      await expect(editOverSocket(connection, options)).rejects.toThrow(CanceledError);
      expect(await newFiles(workspace)).toEqual([]);
    }
    expect(lifeline.made()).toBe(4);
    await lifeline.ended();
  });

  test('cancel while the clip is sent leaves nothing', async () => {
    const workspace = await createWorkspace();
    const server = await startTestServer(workspace);
    const connection = await connectTo(server);
    const canceler = new AbortController();
    const options = {
      ...createOptions(workspace),
      onProgress: () => canceler.abort(),
      signal: canceler.signal,
    };
    await expect(editOverSocket(connection, options)).rejects.toThrow(CanceledError);
    expect(await newFiles(workspace)).toEqual([]);
    await server.close();
    expect(await workspace.leftovers()).toEqual([]);
  });

  test('a result that exists is kept when the edit fails', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace, 'failing'));
    const options = createOptions(workspace);
    await writeFile(options.outPath, 'an earlier result');
    await expect(editOverSocket(connection, options)).rejects.toMatchObject({
      code: 'clip-unreadable',
    });
    expect(await readFile(options.outPath, 'utf8')).toBe('an earlier result');
    expect(await newFiles(workspace)).toEqual(['out.mov']);
  });

  test('the end of the server is a lost connection, and leaves no working files', async () => {
    const lifeline = await createLifeline();
    vi.stubEnv('TEST_LIFELINE_PORT', String(lifeline.port));
    onTestFinished(() => void vi.unstubAllEnvs());
    const workspace = await createWorkspace();
    const server = await startTestServer(workspace, 'hanging');
    const connection = await connectTo(server);
    let closed: Promise<void> | undefined;
    const onProgress = ({ phase }: ClientProgress): void => {
      if (phase === 'edit') closed = server.close();
    };
    await expect(editOverSocket(connection, { ...createOptions(workspace), onProgress })).rejects.toMatchObject({
      code: 'connection-lost',
    });
    await closed;
    await lifeline.ended();
    expect(await workspace.leftovers()).toEqual([]);
    expect(await newFiles(workspace)).toEqual([]);
  });

  test('whoever ends the server a second time waits for the same end', async () => {
    const server = await startTestServer(await createWorkspace());
    const ended = server.close();
    expect(server.close()).toBe(ended);
    await ended;
    expect(server.close()).toBe(ended);
  });

  test('nothing of an edit stays on the server', async () => {
    const workspace = await createWorkspace();
    const connection = await connectTo(await startTestServer(workspace));
    await editOverSocket(connection, createOptions(workspace));
    const names = await workspace.leftovers();
    expect(names.filter((name) => /\.(mp4|mov)$/.test(name))).toEqual([]);
    const { jobs } = await connection.request({ type: 'job-list', afterJobId: null });
    expect(jobs).toEqual([]);
  });
});
