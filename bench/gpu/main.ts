// npm run bench -- gpu [--device NAME,...] [--minutes N] [--out DIR] [--quick]: everything that is to be known of a
// graphics card, the most important first, within a time that is given.

import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { devices, type Device } from '../../protocol/devices.ts';
import { probeAfresh } from '../../companion-server/src/engine/device/isolated-probe.ts';
import { devicesToProbe } from '../../companion-server/src/engine/device/device-probe.ts';
import { preferredExecution, type Execution } from '../../companion-server/src/onnx/execution.ts';
import { benchFolder } from '../folder.ts';
import type { Bench, BenchOptions } from '../table.ts';
import { Torch } from '../torch.ts';
import { describeCard } from './card.ts';
import { editSection } from './edit.ts';
import { goldenSection } from './golden.ts';
import { optionsSection } from './options.ts';
import { partsSection } from './parts.ts';
import { pictureSection } from './picture.ts';
import { fullSize, smallSize, writeRandomCheckpoint } from '../../test/random-checkpoint.ts';
import { Results } from './results.ts';
import { rowOf, type Section, type SectionInput, type SectionMessage } from './section.ts';
import { unetSection } from './unet.ts';

const entry = fileURLToPath(new URL('section-process.ts', import.meta.url));
/** In the order of what is missed most. */
const order: readonly Section[] = [
  unetSection,
  editSection,
  goldenSection,
  partsSection,
  optionsSection,
  pictureSection,
];
const defaultMinutes = 20;
/** Of the least time of a part, in the small form. */
const quickShare = 0.1;
/** Side of the product that stands for what the card can do. */
const largeProduct = { full: 8192, quick: 256 } as const;

export const gpuBench: Bench = {
  name: 'gpu',
  title: 'A graphics card: right or wrong, how fast, and what an edit of full size takes on it',
  parts: order.map(({ name }) => name),
  isOnDemand: true,
  run: (options) => measureCard(options),
};

async function measureCard({ isQuick, only, gpu, log }: BenchOptions) {
  const outDir = path.resolve(gpu.outDir ?? path.join(benchFolder(), 'gpu'));
  const workDir = path.join(benchFolder(), 'gpu-work');
  await mkdir(workDir, { recursive: true });
  const results = new Results(outDir, log);
  const endsAt = Date.now() + 60_000 * (gpu.minutes ?? defaultMinutes);
  const card = await describeCard();
  results.add('found', '', rowOf('card', card ?? 'no nvidia-smi here'), { card });
  const usable = await findDevices(results, gpu.devices, endsAt);
  const size = isQuick ? smallSize : fullSize;
  const torch = await Torch.start({ channels: size.channels, context: size.context });
  results.add('found', '', rowOf('compared with', torch?.title ?? 'nothing: Python has no PyTorch 2'));
  const peakFlops = await measurePeak(torch, results, isQuick);
  const begun = performance.now();
  const modelDir = await writeRandomCheckpoint(
    path.join(workDir, `checkpoint-${size.channels.join('-')}`),
    size,
    'F16',
  );
  results.log(`random checkpoint: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const input = { isQuick, size, modelDir, workDir, outDir, peakFlops };
  for (const section of order) {
    if (only !== null && !only.includes(section.name)) continue;
    for (const execution of usable.filter(({ provider }) => section.devices?.includes(provider) ?? true)) {
      const left = (endsAt - Date.now()) / 1000;
      if (left < section.leastSeconds * (isQuick ? quickShare : 1)) {
        results.add(section.name, execution.provider, rowOf(section.name, `not begun: ${left.toFixed(0)} s were left`));
        continue;
      }
      const until = Math.min(endsAt, Date.now() + 1000 * section.mostSeconds);
      await runSection({ ...input, section: section.name, execution, endsAt: until }, torch, results);
    }
  }
  torch?.stop();
  return results.rows;
}

/** Devices whose numbers are right, in the forms in which they are; where there is none, the CPU stands in. */
async function findDevices(
  results: Results,
  named: readonly Device[] | null,
  endsAt: number,
): Promise<readonly Execution[]> {
  const candidates = named ?? devicesToProbe().filter((device) => device !== 'cpu');
  const usable: Execution[] = [];
  for (const device of candidates) {
    const start = performance.now();
    const { report } = await probeAfresh(device, 'check', endsAt - Date.now());
    const seconds = (performance.now() - start) / 1000;
    const { execution, finding, refused } = report;
    const values = { execution, finding, refused, seconds };
    results.add('found', device, rowOf('trial', `${finding}, ${seconds.toFixed(1)} s`), values);
    for (const reason of refused) results.add('found', device, rowOf('refused', reason));
    if (execution !== null) usable.push(execution);
  }
  if (usable.length > 0) return usable;
  results.log('No device can be used: the CPU stands in.');
  return [preferredExecution.cpu];
}

/** Floating-point operations per second of PyTorch's large product in the card's half precision. */
async function measurePeak(torch: Torch | null, results: Results, isQuick: boolean): Promise<number | null> {
  if (torch === null) return null;
  const size = largeProduct[isQuick ? 'quick' : 'full'];
  const seconds = await torch.time({ part: 'matmul', size });
  const flops = (2 * size ** 3) / seconds;
  results.add(
    'found',
    '',
    rowOf(`PyTorch's product of two ${size}x${size} matrices`, `${(flops / 1e12).toFixed(1)} TFLOP/s`),
    { flops },
  );
  return flops;
}

/** Ends when the part has ended, of itself, by its time or by a crash. */
function runSection(input: SectionInput, torch: Torch | null, results: Results): Promise<void> {
  const { section, execution, endsAt } = input;
  results.log(`-- ${section} on ${execution.provider}, at most ${((endsAt - Date.now()) / 1000).toFixed(0)} s`);
  return new Promise((resolve) => {
    // Sums of single precision that are compared must not be rounded to TF32's ten bits, as CUDA's libraries do.
    const env = section === goldenSection.name ? { ...process.env, NVIDIA_TF32_OVERRIDE: '0' } : process.env;
    const child = fork(entry, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(1, endsAt - Date.now()));
    child.on('message', (sent) => {
      const message = sent as SectionMessage;
      if (message.kind === 'row') results.add(section, execution.provider, message.row, message.values);
      else if (message.kind === 'log') results.log(message.line);
      else void answer(message.request).then((seconds) => child.connected && child.send({ seconds }));
    });
    const answer = async (request: Parameters<Torch['time']>[0]): Promise<number | null> => {
      if (torch === null) return null;
      return torch.time(request).catch((error: unknown) => {
        results.log(`PyTorch: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      });
    };
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== null || code !== 0) {
        results.add(section, execution.provider, rowOf(section, `its process ended with ${signal ?? String(code)}`));
      }
      resolve();
    });
    child.send(input);
  });
}

/** The names of `--device`, or an error text. */
export function parseDevices(text: string | undefined): readonly Device[] | string | null {
  if (text === undefined) return null;
  const names = text.split(',');
  const unknown = names.find((name) => !(devices as readonly string[]).includes(name));
  return unknown === undefined
    ? (names as Device[])
    : `There is no device ${unknown}. There are: ${devices.join(', ')}.`;
}
