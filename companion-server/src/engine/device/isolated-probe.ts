// Tries a device in a process of its own and keeps the result for a day.

import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { availableProviders, runtimeFailure } from '../../onnx/session.ts';
import { adoptChild, endChild } from '../../process/children.ts';
import { loaderArguments } from '../../process/typescript-loader.ts';
import type { DeviceReport } from './device.ts';
import type { Device } from '../../../../protocol/devices.ts';

const entry = fileURLToPath(new URL('./probe-entry.ts', import.meta.url));
/** Per purpose: a software adapter gives correct numbers in the end, but it is useless when speed matters. */
const timeoutMs = { check: 60_000, race: 15_000 } as const;
type Purpose = keyof typeof timeoutMs;
/** How long a result is valid: a day, or a few minutes when the trial gave no answer. */
const memoryMs = { conclusive: 24 * 60 * 60 * 1000, open: 10 * 60 * 1000 } as const;

/**
 * Reports on a device without running its code in this process: whether it is right (`check`), and how fast (`race`).
 * Findings are kept in `cacheDir` for a day.
 */
export async function probeIsolated(device: Device, purpose: Purpose, cacheDir: string): Promise<DeviceReport> {
  if (!availableProviders().includes(device)) {
    return unusable(device, runtimeFailure() ?? 'is not part of this ONNX Runtime');
  }
  const file = findingFile(device, purpose, cacheDir);
  const remembered = await recall(file);
  if (remembered !== undefined) return remembered;
  const { report, isConclusive } = await probeAfresh(device, purpose);
  // If the result cannot be stored, the device is tried again next time.
  await mkdir(cacheDir, { recursive: true })
    .then(() =>
      writeFile(
        file,
        JSON.stringify({
          until: Date.now() + memoryMs[isConclusive ? 'conclusive' : 'open'],
          report,
        }),
      ),
    )
    .catch(() => undefined);
  return report;
}

/** The stored result of `probeIsolated`; a device that has not been tried yet counts as missing. */
export async function recallProbe(device: Device, purpose: Purpose, cacheDir: string): Promise<DeviceReport> {
  const remembered = await recall(findingFile(device, purpose, cacheDir));
  return remembered ?? unusable(device, 'has not been tried yet');
}

function unusable(device: Device, finding: string): DeviceReport {
  return { device, execution: null, seconds: null, finding, refused: [] };
}

function findingFile(device: Device, purpose: Purpose, cacheDir: string): string {
  return path.join(cacheDir, `device-${device}-${purpose}-${machineKey()}.json`);
}

/** Of a finding's file. */
const findingVersion = 2;

/** Changes when a result may no longer be valid: another system, another driver selection. */
function machineKey(): string {
  const parts = [
    findingVersion,
    os.release(),
    os.cpus()[0]?.model,
    process.env['VK_ICD_FILENAMES'],
    process.versions.node,
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

async function recall(file: string): Promise<DeviceReport | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // Only this file writes it; a damaged one counts as missing.
  try {
    const { until, report } = JSON.parse(text) as { until: number; report: DeviceReport };
    return Date.now() < until ? report : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Reports on a device that this ONNX Runtime has, in a process of its own and whatever is remembered. Not conclusive is
 * a trial that ended without an answer: it says little about the next one, for the machine may have been busy. It is
 * ended after `limitMs`, or what is usual for the purpose.
 */
export function probeAfresh(
  device: Device,
  purpose: Purpose,
  limitMs = Infinity,
): Promise<{ readonly report: DeviceReport; readonly isConclusive: boolean }> {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const child = fork(entry, [device, purpose], {
      execArgv: loaderArguments(entry),
      stdio: [...stdio],
    });
    adoptChild(child);
    // SIGKILL at once: a driver that hangs does not react to SIGTERM.
    const end = (): void => endChild(child, { graceMs: 0 });
    const timer = setTimeout(end, Math.min(limitMs, timeoutMs[purpose]));
    let last: DeviceReport | undefined;
    child.on('message', (message) => (last = message as DeviceReport));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const finding = `its trial run ended with ${signal ?? `exit code ${code ?? 'unknown'}`}`;
      const report = last ?? unusable(device, finding);
      resolve({ report, isConclusive: last !== undefined });
    });
  });
}
