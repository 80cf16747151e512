// A real, tiny run on a device that shows whether the device works: the trial by which an edit chooses its device, done
// now and not remembered.

import type { Device } from '../../../../protocol/devices.ts';
import { availableProviders, runtimeFailure } from '../../onnx/session.ts';
import { probeAfresh } from './isolated-probe.ts';

export interface DeviceProbe {
  readonly device: Device;
  /** Its numbers equal those of the CPU's plain operators. */
  readonly isRight: boolean;
  /** What was found, as the end of a sentence: `equals the CPU (float32, fused operators)`. */
  readonly finding: string;
  /** Seconds of one run of a small network; null when it is not right or took too long. */
  readonly seconds: number | null;
}

/** Why ONNX Runtime cannot be loaded at all, so that no device can be used; or null. */
export { runtimeFailure };

/** Devices that this build of ONNX Runtime has on this system; whether they work is another matter. */
export function devicesToProbe(): readonly Device[] {
  const order: readonly Device[] = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'];
  return order.filter((device) => availableProviders().includes(device));
}

/**
 * Runs a small network on the device and compares the numbers with the CPU's, in a process of its own, which may take
 * some seconds and is ended after a few more. Never throws for a device that is missing, wrong or crashes.
 */
export async function probeDevice(device: Device): Promise<DeviceProbe> {
  if (!devicesToProbe().includes(device)) {
    const finding = 'is not part of this ONNX Runtime';
    return { device, isRight: false, finding, seconds: null };
  }
  const { report } = await probeAfresh(device, 'race');
  const { execution, finding, seconds } = report;
  return { device, isRight: execution !== null, finding, seconds };
}
