// Estimates over a session: a newer one ends the one before, a preview is asked for with its edit, a refusal says why.

import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import type { Estimate } from '../../protocol/estimate.ts';
import { createDeferred, type Deferred } from '../deferred.ts';
import { EditError } from '../../companion-server/src/errors.ts';
import { createSessionFixture, hello, oneEstimate } from './session-fixture.ts';

/** A session on which an estimate comes when the test says so, in the order in which they were asked for. */
async function createEstimateFixture() {
  const asked: (Deferred<Estimate> & { readonly settings: EditSettings; readonly signal: AbortSignal | undefined })[] =
    [];
  const told = new EventEmitter();
  const asks = async (count: number): Promise<void> => {
    while (asked.length < count) await once(told, 'ask');
  };
  const fixture = await createSessionFixture({
    estimate(_owner, { settings }, signal) {
      const answer = createDeferred<Estimate>();
      asked.push({ ...answer, settings, signal });
      told.emit('ask');
      return answer.promise;
    },
  });
  fixture.say(hello);
  await fixture.hears(1);
  const ask = (requestId: number, estimateId: number, steps: number): void => {
    const settings = { ...defaultSettings(), prompt: 'x', steps };
    fixture.say({
      type: 'estimate',
      requestId,
      estimateId,
      clipId: '0'.repeat(32),
      settings,
      model: null,
      device: 'auto',
    });
  };
  /** Settles what was asked for of an edit with so many steps. */
  const settle = (steps: number, how: (answer: Deferred<Estimate>, isPreview: boolean) => void): void => {
    for (const one of asked) if (one.settings.steps === steps) how(one, one.settings.preview);
  };
  return { ...fixture, asked, asks, ask, settle };
}

test('one question is answered for the edit and for its preview', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ resolve }, isPreview) => resolve({ ...oneEstimate, seconds: isPreview ? 2 : 20 }));
  await hears(2);
  expect(heard[1]).toEqual({
    type: 'estimated',
    requestId: 1,
    estimateId: 70,
    edit: { ...oneEstimate, seconds: 20 },
    preview: { ...oneEstimate, seconds: 2 },
  });
  await session.close();
});

test('a preview that cannot be estimated keeps the answer of the edit from nobody', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ resolve, reject }, isPreview) =>
    isPreview ? reject(new EditError('invalid-request', 'No keyframe.')) : resolve(oneEstimate),
  );
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'estimated', edit: oneEstimate, preview: null });
  await session.close();
});

test('a newer estimate of a connection ends the one before, which is answered by that alone', async () => {
  const { session, heard, ask, asked, asks, settle, hears, connect } = await createEstimateFixture();
  const other = connect();
  other.say(hello);
  await other.hears(1);
  ask(1, 70, 20);
  ask(2, 71, 30);
  await hears(2);
  expect(heard[1]).toEqual({ type: 'estimate-canceled', requestId: 1, estimateId: 70 });
  await asks(4);
  expect(asked.map(({ settings, signal }) => [settings.steps, signal?.aborted])).toEqual([
    ...[20, 20].map((steps) => [steps, true]),
    ...[30, 30].map((steps) => [steps, false]),
  ]);
  // What the older one comes to after all is told to nobody.
  settle(20, ({ resolve }) => resolve(oneEstimate));
  settle(30, ({ resolve }) => resolve({ ...oneEstimate, seconds: 30 }));
  await hears(3);
  expect(heard[2]).toMatchObject({ type: 'estimated', requestId: 2, estimateId: 71, edit: { seconds: 30 } });
  await session.close();
  await other.session.close();
  expect(heard).toHaveLength(3);
});

test('an estimate of another connection ends none of this one, and a job that is made ends none', async () => {
  const { session, heard, ask, asked, asks, settle, hears, say, connect } = await createEstimateFixture();
  const other = connect();
  other.say(hello);
  ask(1, 70, 20);
  const wish = { clipId: '0'.repeat(32), settings: { ...defaultSettings(), prompt: 'x' }, model: null, device: 'auto' };
  other.say({ type: 'estimate', requestId: 1, estimateId: 70, ...wish });
  say({ type: 'job-create', requestId: 2, key: 'a-key-of-a-job', ...wish, priority: 0 });
  await asks(5);
  expect(asked.map(({ signal }) => signal?.aborted ?? false)).toEqual([false, false, false, false, false]);
  settle(20, ({ resolve }) => resolve(oneEstimate));
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'estimated', estimateId: 70 });
  for (const { resolve } of asked) resolve(oneEstimate);
  await Promise.all([session.close(), other.session.close()]);
});

test('a connection that ends takes its estimate with it', async () => {
  const { session, ask, asked, asks } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  await session.close();
  expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});

test('a failed estimate is refused with its reason, and the next one is answered', async () => {
  const { session, heard, ask, asks, settle, hears } = await createEstimateFixture();
  ask(1, 70, 20);
  await asks(2);
  settle(20, ({ reject }) => reject(new EditError('model-missing', 'No such model.')));
  await hears(2);
  expect(heard[1]).toMatchObject({ type: 'error', requestId: 1, error: { code: 'model-missing' } });
  ask(2, 71, 30);
  await asks(4);
  settle(30, ({ resolve }) => resolve(oneEstimate));
  await hears(3);
  expect(heard[2]).toMatchObject({ type: 'estimated', estimateId: 71 });
  await session.close();
});
