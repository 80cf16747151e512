// Chooses the device by running a small network on it: numbers must equal the CPU's, and it must be faster.

import { plainExecution, preferredExecution, sessionOptionsOf, type Execution } from '../../onnx/execution.ts';
import { createSession, runtimeFailure, type ExecutionProvider } from '../../onnx/session.ts';
import { EditError } from '../../errors.ts';
import type { Device, DeviceChoice } from '../../../../protocol/devices.ts';
import { explainMissingCuda } from './cuda-libraries.ts';
import { buildProbe, probeInputs } from './probe-graph.ts';

/** Fastest first. */
const candidates: readonly Device[] = ['cuda', 'dml', 'coreml', 'webgpu'];

/** Side of the probe's image: small for correctness, larger where speed is compared. */
const checkSide = 16;
const raceSide = 48;

/** Largest difference from the CPU that is rounding and not a fault. */
const tolerance = { float32: 1e-3, float16: 2e-2 } as const;

export interface DeviceReport {
  readonly device: Device;
  /** How to run graphs on it, or null when it can't be used. */
  readonly execution: Execution | null;
  /** One sentence: what was found. */
  readonly finding: string;
  /** Faster forms that were tried before the one that is right, each with what was wrong. */
  readonly refused: readonly string[];
  /** Seconds for the larger probe, if it was requested and ended in time. */
  readonly seconds: number | null;
}

/** The ways to run graphs on a device, from fast to safe. */
function attempts(provider: ExecutionProvider): readonly Execution[] {
  const fast = preferredExecution[provider];
  const plain = plainExecution(provider);
  return [fast, { ...fast, fused: plain.fused }, { ...plain, fused: fast.fused }, plain];
}

async function runProbe(execution: Execution, side: number): Promise<{ data: Float32Array; seconds: number }> {
  const session = await createSession(buildProbe(execution, side), sessionOptionsOf(execution));
  try {
    const inputs = probeInputs(side);
    await session.run(inputs);
    const start = performance.now();
    const { result } = await session.run(inputs);
    if (result === undefined) throw new TypeError('The probe returned nothing.');
    return { data: result.data, seconds: (performance.now() - start) / 1000 };
  } finally {
    await session.release();
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => {
    const difference = Math.abs(value - (b[i] ?? NaN));
    return difference <= worst ? worst : Number.isNaN(difference) ? Infinity : difference;
  }, 0);
}

/**
 * Tries a device's ways of running graphs until one agrees with the CPU. Never throws for a device that is missing
 * or wrong; the report says why. Loads native code: a broken driver can take the process down.
 */
export async function checkDevice(device: Device): Promise<DeviceReport> {
  const unusable = (finding: string): DeviceReport => {
    return { device, execution: null, seconds: null, finding, refused: [] };
  };
  const failure = runtimeFailure();
  if (failure !== null) return unusable(failure);
  const expected = await runProbe(plainExecution('cpu'), checkSide);
  const refused: string[] = [];
  const findings = new Set<string>();
  for (const execution of attempts(device)) {
    const form = `${execution.float}, ${execution.fused.multiHeadAttention ? 'fused' : 'plain'} operators`;
    try {
      const { data } = await runProbe(execution, checkSide);
      const difference = largestDifference(data, expected.data);
      if (difference <= tolerance[execution.float]) {
        return { device, execution, seconds: null, finding: `equals the CPU (${form})`, refused };
      }
      const fault = `differs from the CPU by ${difference.toPrecision(2)} (${form})`;
      refused.push(fault);
      findings.add(fault);
    } catch (error) {
      refused.push(`${reason(error)} (${form})`);
      findings.add(reason(error));
    }
  }
  const missing = device === 'cuda' ? await explainMissingCuda() : null;
  return unusable(missing ?? [...findings].join('; '));
}

/** Seconds that one run of the larger probe takes. */
export async function timeExecution(execution: Execution): Promise<number> {
  return (await runProbe(execution, raceSide)).seconds;
}

/**
 * The way to run graphs for a choice. A device named by the user must work: EditError('device-unavailable') says why
 * not. `auto` takes the first that agrees with the CPU and is faster, and falls back to the CPU. `probe` reports
 * on one device; it may run in another process.
 */
export async function chooseDevice(
  choice: DeviceChoice,
  probe: (device: Device, purpose: 'check' | 'race') => Promise<DeviceReport>,
): Promise<Execution> {
  if (choice === 'cpu') return preferredExecution.cpu;
  if (choice !== 'auto') {
    const { execution, finding } = await probe(choice, 'check');
    if (execution !== null) return execution;
    throw new EditError('device-unavailable', `The device ${choice} can't be used: ${finding}.`, {
      hint: 'Choose --device auto or --device cpu, or see docs/gpu.md.',
    });
  }
  let cpuSeconds: number | undefined;
  for (const device of candidates) {
    const { execution, seconds } = await probe(device, 'race');
    if (execution === null || seconds === null) continue;
    cpuSeconds ??= await timeExecution(preferredExecution.cpu);
    if (seconds < cpuSeconds) return execution;
  }
  return preferredExecution.cpu;
}

/** The first line of an error, without the places in ONNX Runtime's source that it names. */
export function reason(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const ofCuda = /CUDA failure \d+: [^;]+/.exec(line)?.[0];
  if (ofCuda !== undefined) return ofCuda.trim();
  return line.replace(/^.*\bwas false\. /, '');
}
