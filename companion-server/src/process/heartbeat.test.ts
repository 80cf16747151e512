import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchHeartbeat } from './heartbeat.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const tickMs = 100;
const ticks = (count: number) => vi.advanceTimersByTime(count * tickMs);

test('a process that beats is taken for frozen after five silent ticks, once', () => {
  const beats = new PassThrough();
  const onSilence = vi.fn();
  watchHeartbeat(beats, tickMs, onSilence);
  for (let beat = 0; beat < 20; beat++) {
    beats.emit('data', '.');
    ticks(5);
  }
  expect(onSilence).not.toHaveBeenCalled();
  ticks(1);
  expect(onSilence).toHaveBeenCalledOnce();
  ticks(100);
  expect(onSilence).toHaveBeenCalledOnce();
});

test('a process that is starting has thirty ticks', () => {
  const onSilence = vi.fn();
  watchHeartbeat(new PassThrough(), tickMs, onSilence);
  ticks(30);
  expect(onSilence).not.toHaveBeenCalled();
  ticks(1);
  expect(onSilence).toHaveBeenCalledOnce();
});

test('a watch that is ended says nothing, nor does a pipe that breaks', () => {
  const beats = new PassThrough();
  const onSilence = vi.fn();
  const stop = watchHeartbeat(beats, tickMs, onSilence);
  beats.emit('error', new Error('broken'));
  stop();
  ticks(100);
  expect(onSilence).not.toHaveBeenCalled();
});
