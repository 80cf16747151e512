import { expect, test } from 'vitest';
import { CanceledError } from '../errors.ts';
import { plainExecution, preferredExecution } from '../onnx/execution.ts';
import { availableProviders } from '../onnx/session.ts';
import { probePace } from './pace-probe.ts';

const network = {
  unet: { blockChannels: [32, 64], heads: [4, 4] },
  latentSize: { width: 16, height: 8 },
};

test('a device that is not there is guessed to be as fast as the processor', async () => {
  const missing = availableProviders().includes('coreml') ? 'dml' : 'coreml';
  const seconds = await probePace(preferredExecution[missing], network);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(3_600);
});

test.each([
  ['fused', preferredExecution.cpu],
  ['plain', plainExecution('cpu')],
])('a trial by %s operators tells seconds', async (_, execution) => {
  const seconds = await probePace(execution, network);
  expect(seconds).toBeGreaterThan(0);
  // No machine takes an hour for a billion multiplications.
  expect(seconds).toBeLessThan(3_600);
});

test('a trial that is canceled tells no pace', async () => {
  const canceler = new AbortController();
  const probing = probePace(preferredExecution.cpu, network, canceler.signal);
  canceler.abort();
  await expect(probing).rejects.toThrow(CanceledError);
});
