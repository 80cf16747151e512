import { expect, test } from 'vitest';
import { CanceledError } from '../../errors.ts';
import { plainExecution, preferredExecution } from '../../onnx/execution.ts';
import { availableProviders } from '../../onnx/session.ts';
import { probeThroughput } from './throughput-probe.ts';

const network = {
  unet: { finestLevel: { channels: 32, heads: 4 } },
  latentSize: { width: 16, height: 8 },
};

test('a device that is not there is guessed to be as fast as the processor', async () => {
  const missing = availableProviders().includes('coreml') ? 'dml' : 'coreml';
  const seconds = await probeThroughput(preferredExecution[missing], network);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(3_600);
});

test.each([
  ['fused', preferredExecution.cpu],
  ['plain', plainExecution('cpu')],
])('a trial by %s operators tells seconds', async (_, execution) => {
  const seconds = await probeThroughput(execution, network);
  expect(seconds).toBeGreaterThan(0);
  // No machine takes an hour for a billion multiplications.
  expect(seconds).toBeLessThan(3_600);
});

test('a process tries a device once for a network, and another network by itself', async () => {
  const wider = { ...network, latentSize: { width: 16, height: 16 } };
  const first = await probeThroughput(preferredExecution.cpu, network);
  const other = await probeThroughput(preferredExecution.cpu, wider);
  expect(await probeThroughput(preferredExecution.cpu, network)).toBe(first);
  expect(other).not.toBe(first);
});

test('a trial that is canceled tells no throughput', async () => {
  const canceler = new AbortController();
  const untried = { ...network, latentSize: { width: 8, height: 8 } };
  const probing = probeThroughput(preferredExecution.cpu, untried, canceler.signal);
  canceler.abort();
  await expect(probing).rejects.toThrow(CanceledError);
  expect(await probeThroughput(preferredExecution.cpu, untried)).toBeGreaterThan(0);
});
