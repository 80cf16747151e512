import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../../../protocol/devices.ts';
import { plainExecution, preferredExecution } from '../../onnx/execution.ts';
import { checkDevice, chooseDevice, reason, type DeviceReport } from './device.ts';
import { probeIsolated } from './isolated-probe.ts';

const [fast, slow] = [0, 1e6];

/** A probe that knows only the devices given, and notes which it was asked for. */
function fakeProbe(known: Readonly<Partial<Record<Device, Partial<DeviceReport>>>>) {
  const asked: string[] = [];
  const probe = (device: Device, purpose: string): Promise<DeviceReport> => {
    asked.push(`${device} ${purpose}`);
    const missing = {
      device,
      execution: null,
      seconds: null,
      finding: 'is not there',
      refused: [],
    };
    return Promise.resolve({ ...missing, ...known[device] });
  };
  return { asked, probe };
}

describe('the device', () => {
  it('cpu is taken without a trial', async () => {
    const { asked, probe } = fakeProbe({});
    expect(await chooseDevice('cpu', probe)).toBe(preferredExecution.cpu);
    expect(asked).toEqual([]);
  });

  it('that is named must work, or the finding says why not', async () => {
    const { probe } = fakeProbe({ webgpu: { finding: 'differs from the CPU by 0.3' } });
    await expect(chooseDevice('webgpu', probe)).rejects.toMatchObject({
      code: 'device-unavailable',
      message: "The device webgpu can't be used: differs from the CPU by 0.3.",
    });
  });

  it('that is named is taken in the form that works, however slow', async () => {
    const execution = plainExecution('webgpu');
    const { asked, probe } = fakeProbe({ webgpu: { execution, seconds: slow } });
    expect(await chooseDevice('webgpu', probe)).toBe(execution);
    expect(asked).toEqual(['webgpu check']);
  });

  it('auto is the first that is right and faster than the CPU', async () => {
    const { asked, probe } = fakeProbe({
      cuda: { finding: 'is wrong' },
      dml: { execution: preferredExecution.dml, seconds: slow },
      coreml: { execution: preferredExecution.coreml, seconds: fast },
      webgpu: { execution: preferredExecution.webgpu, seconds: fast },
    });
    expect(await chooseDevice('auto', probe)).toBe(preferredExecution.coreml);
    expect(asked).toEqual(['cuda race', 'dml race', 'coreml race']);
  });

  it('auto is the CPU when no other will do, one that was not timed included', async () => {
    const { probe } = fakeProbe({ webgpu: { execution: preferredExecution.webgpu } });
    expect(await chooseDevice('auto', probe)).toBe(preferredExecution.cpu);
  });
});

describe('a trial of a device', () => {
  it('finds the CPU equal to itself', async () => {
    expect(await checkDevice('cpu')).toMatchObject({
      execution: preferredExecution.cpu,
      finding: 'equals the CPU (float32, fused operators)',
      refused: [],
    });
  });

  it('of one that this system does not have ends with a reason, not with an error', async () => {
    const missing = process.platform === 'win32' ? 'coreml' : 'dml';
    const { execution, finding } = await checkDevice(missing);
    expect(execution).toBeNull();
    expect(finding).not.toBe('');
  });
});

describe("the reason of ONNX Runtime's error", () => {
  it.each([
    [
      '/src/cuda_call.cc:154 [with THRW = true] CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; expr=cudaSetDevice()',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    ],
    [
      '/src/webgpu_context.cc:136 adapter != nullptr was false. Failed to get a WebGPU adapter.',
      'Failed to get a WebGPU adapter.',
    ],
    ['Failed to load shared library', 'Failed to load shared library'],
  ])('of "%s" is short', (message, short) => {
    expect(reason(new Error(`${message}\nstack`))).toBe(short);
  });
});

describe('a trial in a process of its own', () => {
  let cacheDir: string;
  beforeAll(async () => {
    cacheDir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-probe-'));
  });
  afterAll(() => rm(cacheDir, { recursive: true }));

  it('is not made for a device that this ONNX Runtime lacks', async () => {
    const missing = process.platform === 'win32' ? 'coreml' : 'dml';
    const report = await probeIsolated(missing, 'check', cacheDir);
    expect(report).toMatchObject({ execution: null, finding: 'is not part of this ONNX Runtime' });
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('is made once and remembered, until the finding is old or damaged', async () => {
    const found = await probeIsolated('cpu', 'race', cacheDir);
    expect(found).toMatchObject({ execution: preferredExecution.cpu });
    expect(found.seconds).toBeGreaterThan(0);
    const [name = ''] = await readdir(cacheDir);
    const file = path.join(cacheDir, name);
    const memory = JSON.parse(await readFile(file, 'utf8')) as { at: number; report: DeviceReport };
    await writeFile(file, JSON.stringify({ ...memory, report: { ...found, finding: 'remembered' } }));
    expect((await probeIsolated('cpu', 'race', cacheDir)).finding).toBe('remembered');
    await writeFile(
      file,
      JSON.stringify({ at: memory.at - 25 * 60 * 60 * 1000, report: { ...found, finding: 'old' } }),
    );
    expect((await probeIsolated('cpu', 'race', cacheDir)).finding).toContain('equals the CPU');
    await writeFile(file, '{"at":');
    expect((await probeIsolated('cpu', 'race', cacheDir)).finding).toContain('equals the CPU');
  });

  it('is still told where its finding cannot be kept', async () => {
    const blocked = path.join(cacheDir, 'file');
    await writeFile(blocked, '');
    const report = await probeIsolated('cpu', 'check', path.join(blocked, 'cache'));
    expect(report.execution).toEqual(preferredExecution.cpu);
  });
});
