import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { createAdmission } from './admission.ts';

const connections = (count: number) => Array.from({ length: count }, () => new PassThrough());

test('a stranger goes when its time is over, a trusted connection stays', () => {
  vi.useFakeTimers();
  const admission = createAdmission({ unauthenticatedMs: 1_000 });
  const [stranger, client] = connections(2) as [PassThrough, PassThrough];
  admission.admit(stranger);
  admission.admit(client);
  admission.trust(client);
  vi.advanceTimersByTime(999);
  expect(stranger.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect([stranger.destroyed, client.destroyed]).toEqual([true, false]);
  vi.useRealTimers();
});

test('one stranger too many sends the longest waiting one away', () => {
  const admission = createAdmission({ maxUnauthenticated: 2 });
  const [client, ...strangers] = connections(4) as [PassThrough, ...PassThrough[]];
  admission.admit(client);
  admission.trust(client);
  for (const stranger of strangers) admission.admit(stranger);
  expect(strangers.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  expect([client.destroyed, admission.unauthenticated()]).toEqual([false, 2]);
});

test('a connection that ends is no stranger any more', async () => {
  const admission = createAdmission();
  const connection = new PassThrough();
  admission.admit(connection);
  connection.destroy();
  await new Promise((resolve) => connection.once('close', resolve));
  expect(admission.unauthenticated()).toBe(0);
});
