import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../edit-settings.ts';
import type { JobView } from '../job.ts';
import { protocolVersion } from '../version.ts';
import type { LinkState } from './link-state.ts';
import { createScene } from './testing/fake-client.ts';
import { code, token } from './testing/fake-state.ts';

const settings = { ...defaultSettings(), prompt: 'a wolf' };

function namesOf(client: { onLink(listener: (state: LinkState) => void): unknown }): string[] {
  const names: string[] = [];
  client.onLink(({ name }) => names.push(name));
  return names;
}

describe('a session', () => {
  test('comes online with what the server says of itself', async () => {
    const { client, clock } = createScene();
    client.start();
    await clock.settle();
    expect(client.link).toMatchObject({ name: 'online', server: { models: [{ id: 'demo' }] } });
  });

  test('tries again with growing pauses while no server answers, and comes online when one does', async () => {
    const { client, server, clock } = createScene();
    server.isUp = false;
    client.start();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      await clock.settle();
      expect(client.link.name).toBe('unreachable');
      const pause = clock.pending[0] ?? 0;
      pauses.push(pause);
      await clock.advance(pause);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    server.isUp = true;
    client.retryNow();
    await clock.settle();
    expect(client.link.name).toBe('online');
  });

  test('is lost, not unreachable, when a server that was there goes, and comes back by itself', async () => {
    const { client, server, clock } = createScene();
    client.start();
    await clock.settle();
    const names = namesOf(client);
    server.cutAll();
    await clock.settle();
    expect(client.link).toMatchObject({ name: 'lost', server: { version: '0.1.0' } });
    await clock.runUntil(() => client.link.name === 'online');
    expect(names).toEqual(['lost', 'online']);
  });

  test('asks for a code when it has no token, and is online after the right one', async () => {
    const { client, server, clock, kept, outcome } = createScene({ isPaired: false });
    client.start();
    await clock.settle();
    expect(client.link).toEqual({ name: 'unpaired', isBusy: false, problem: null });
    await expect(outcome(client.pair('WRONG'))).rejects.toMatchObject({ code: 'pairing-refused' });
    expect(client.link).toMatchObject({ name: 'unpaired', problem: { code: 'pairing-refused' } });
    // The server ends connections that have said nothing for a while.
    server.cutAll();
    await clock.settle();
    expect(client.link.name).toBe('unpaired');
    await outcome(client.pair(code));
    expect(client.link.name).toBe('online');
    expect(kept.token).toBe(token);
  });

  test('that was paired on the connection that asked for the code is lost when the server goes, and comes back', async () => {
    const { client, server, clock, outcome } = createScene({ isPaired: false });
    client.start();
    await clock.settle();
    await outcome(client.pair(code));
    const names = namesOf(client);
    server.cutAll();
    await clock.settle();
    await clock.runUntil(() => client.link.name === 'online');
    expect(names).toEqual(['lost', 'online']);
  });

  test('forgets a token that the server does not accept any more', async () => {
    const { client, server, clock, kept } = createScene();
    server.acceptsToken = false;
    client.start();
    await clock.settle();
    expect(client.link.name).toBe('unpaired');
    expect(kept.token).toBeNull();
  });

  test('says that versions do not fit, and tries again for the day when they do', async () => {
    const { client, server, clock } = createScene();
    server.protocol = protocolVersion + 1;
    client.start();
    await clock.settle();
    expect(client.link).toMatchObject({ name: 'mismatch', problem: { code: 'version-mismatch' } });
    server.protocol = protocolVersion;
    await clock.runUntil(() => client.link.name === 'online');
  });

  test('asks a silent server for a sign of life, and leaves one that gives none', async () => {
    const { client, server, clock } = createScene();
    client.start();
    await clock.settle();
    const before = server.heard.length;
    await clock.advance(15_000);
    expect(server.heard.length).toBe(before + 1);
    expect(client.link.name).toBe('online');
    server.isAwake = false;
    await clock.advance(15_000);
    expect(client.link.name).toBe('online');
    await clock.advance(10_000);
    expect(client.link.name).toBe('lost');
    server.isAwake = true;
    await clock.runUntil(() => client.link.name === 'online');
  });

  test('tells after every connection what became of the jobs in between', async () => {
    const { client, server, clock, outcome } = createScene();
    client.start();
    const told: JobView[] = [];
    client.onJobs({ onJob: (job) => told.push(job), onProgress: () => undefined });
    const wish = { clipId: 'c'.repeat(32), model: null, device: 'auto' } as const;
    const made = await outcome(client.createJob({ ...wish, key: 'key-of-the-job', priority: 0, settings }));
    server.isUp = false;
    server.cutAll();
    await clock.settle();
    server.changeJob(made.jobId, 'done');
    server.isUp = true;
    await clock.runUntil(() => client.link.name === 'online');
    await clock.settle();
    expect(told.at(-1)).toMatchObject({ jobId: made.jobId, state: 'done' });
  });

  test('makes one job of a request whose reply was lost', async () => {
    const { client, server, clock, outcome } = createScene();
    client.start();
    await clock.settle();
    const wish = { clipId: 'c'.repeat(32), model: null, device: 'auto' } as const;
    const made = client.createJob({
      ...wish,
      key: 'key-of-the-job',
      priority: 0,
      settings,
    });
    // Cut between the server's taking the job and the panel's hearing of it.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    server.cutAll();
    await outcome(made);
    expect(server.jobs.size).toBe(1);
  });

  test('that is stopped while it reads its token opens no connection', async () => {
    const { client, server, clock } = createScene();
    client.start();
    await client.stop();
    await clock.settle();
    expect(server.connections).toBe(0);
  });

  test('that is stopped stays stopped', async () => {
    const { client, server, clock } = createScene();
    client.start();
    await clock.settle();
    await client.stop();
    await clock.advance(60_000);
    expect(server.connections).toBe(1);
    expect(clock.pending).toEqual([]);
  });
});
