import { expect, test } from 'vitest';
import { devices } from '../../../../protocol/devices.ts';
import { devicesToProbe, probeDevice } from './device-probe.ts';

test('the CPU is always there, and its fast operators equal its plain ones', async () => {
  expect(devicesToProbe()).toContain('cpu');
  const trial = await probeDevice('cpu');
  expect(trial).toMatchObject({ device: 'cpu', isRight: true });
  expect(trial.finding).toMatch(/^equals the CPU/);
  expect(trial.seconds).toBeGreaterThan(0);
});

test('a device that this system cannot have is reported, not thrown', async () => {
  const missing = devices.find((device) => !devicesToProbe().includes(device)) ?? 'dml';
  expect(await probeDevice(missing)).toMatchObject({ device: missing, isRight: false, seconds: null });
});
