// What the machine must have: Node, ffmpeg, room on the disk, a device that computes correctly.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Check } from '../../../protocol/diagnostics.ts';
import { devicesToProbe, runtimeFailure, probeDevice, type DeviceProbe } from '../engine/device/device-probe.ts';
import { EditError } from '../errors.ts';
import { freeBytesAt } from '../files/free-space.ts';
import { checkAdobePanel } from './adobe-panel.ts';
import { findProgram, type Program } from '../media/ffmpeg/binaries.ts';

const run = promisify(execFile);
const versionTimeoutMs = 10_000;

/** The oldest Node that the program is made for, as package.json says. */
const oldestNode = [20, 19] as const;

/** Less than this on a disk that a clip, its latents and its result must fit on is a problem soon. */
const leastFreeBytes = 5e9;

export async function checkMachine(): Promise<readonly Check[]> {
  const programs = await Promise.all([checkProgram('ffmpeg'), checkProgram('ffprobe')]);
  return [checkNode(), ...programs, ...(await checkAdobePanel()), ...checkRuntime(), ...(await checkDevices())];
}

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  return {
    name: 'Node.js',
    status: isOld ? 'problem' : 'ok',
    detail: `Version ${version}.`,
    advice: isOld ? `Install Node.js ${oldestNode.join('.')} or newer.` : null,
  };
}

export async function checkProgram(program: Program): Promise<Check> {
  try {
    const path = await findProgram(program);
    const { stdout } = await run(path, ['-version'], { timeout: versionTimeoutMs });
    const version = /version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
    return { name: program, status: 'ok', detail: `Version ${version} at ${path}.`, advice: null };
  } catch (error) {
    const isKnown = error instanceof EditError;
    return {
      name: program,
      status: 'problem',
      detail: isKnown ? error.message : `It does not run: ${toLine(error)}`,
      advice: (isKnown ? error.hint : undefined) ?? 'Install FFmpeg (https://ffmpeg.org/download.html) and try again.',
    };
  }
}

/** Nothing when ONNX Runtime is loaded: the devices then speak for it. */
export function checkRuntime(failure = runtimeFailure()): readonly Check[] {
  if (failure === null) return [];
  return [
    {
      name: 'ONNX Runtime',
      status: 'problem',
      detail: failure.slice(0, 800),
      advice: 'Nothing can be edited before this is mended.',
    },
  ];
}

/** `what` is for example `data folder`. The folder is made when it is missing. */
export async function checkFolder(what: string, path: string, variable: string): Promise<Check> {
  const advice = `Free some space, or set ${variable} to a folder on another disk.`;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.W_OK);
    const freeBytes = await freeBytesAt(path);
    const isShort = freeBytes < leastFreeBytes;
    return {
      name: what,
      status: isShort ? 'problem' : 'ok',
      detail: `${(freeBytes / 1e9).toFixed(1)} GB are free for ${path}.`,
      advice: isShort ? advice : null,
    };
  } catch (error) {
    return {
      name: what,
      status: 'problem',
      detail: `${path} cannot be used: ${toLine(error)}`,
      advice: `Set ${variable} to a folder that can be written.`,
    };
  }
}

/** A real, tiny run on every device that is there, compared with the CPU's numbers. */
export async function checkDevices(
  devices = devicesToProbe(),
  tryOut: (device: DeviceProbe['device']) => Promise<DeviceProbe> = probeDevice,
): Promise<readonly Check[]> {
  const checks: Check[] = [];
  // One after the other: they would take the same memory and the same processors.
  for (const device of devices) {
    const { isRight, finding, seconds } = await tryOut(device);
    const speed = seconds === null ? '' : `, ${(seconds * 1_000).toFixed(0)} ms for a small network`;
    // One that is not there, or has no driver, is none of the machine's faults; one that computes nonsense is.
    const isWrong = device === 'cpu' || finding.includes('differs from the CPU');
    checks.push({
      name: `device ${device}`,
      status: isRight ? 'ok' : isWrong ? 'problem' : 'unknown',
      detail: `${capitalised(finding)}${speed}.`,
      advice: isRight ? null : 'Edits go on without it. See docs/gpu.md.',
    });
  }
  return checks;
}

export function toLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.slice(0, 500);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1, 800);
}
