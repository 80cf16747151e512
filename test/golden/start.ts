// Where sampling starts in the reference pipeline, against what the official code makes of its own inversion.

import { createInversionSchedule } from '../../companion-server/src/diffusion/inversion-schedule.ts';
import { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import { writeOfficialStart } from '../../companion-server/src/engine/run/initial-latents.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { sliceRows, tensor } from '../../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { invert } from '../../companion-server/src/tokenflow/inversion.ts';
import type { FlowSetting } from './flows.ts';
import { GoldenFile, readJson } from './folder.ts';
import type { GoldenReport } from './report.ts';

export const startName = 'start.safetensors';
const limit = 2e-4;

/** Inverts the first frames as the golden data was made, and starts at each of its timesteps. */
export async function compareStart(
  dir: string,
  { run, unet, schedule, conditioning, clip, size }: FlowSetting,
  report: GoldenReport,
): Promise<void> {
  const golden = await GoldenFile.open(dir, run.only, startName);
  const [endName] = golden.names.filter((name) => name.startsWith('noisiest.t'));
  if (endName === undefined) return;
  const config = parseSchedulerConfig(await readJson(dir, 'scheduler', 'scheduler_config.json'));
  const steps = createInversionSchedule(config, schedule, golden.number('inversion_steps'));
  const [end = 0] = steps.timesteps;
  const expected = await golden.read(endName);
  const clean = new InMemoryLatents(sliceRows(clip, 0, expected.dims[0] ?? 0));
  const noisiest = new InMemoryLatents(clean.tensor);
  const denoiser = new UNetDenoiser({ ...unet, size });
  let walked = 0;
  for await (const step of invert({
    denoiser,
    schedule: steps,
    conditioning: conditioning.source,
    startStep: 0,
    latents: noisiest,
    next: noisiest,
    method: { name: 'ddim' },
    keep: () => undefined,
    chunkSize: clean.frameCount,
  })) {
    walked = step;
  }
  if (walked !== steps.timesteps.length) throw new TypeError('The inversion ended early.');
  await denoiser.release();
  report.compare(`noisiest.t${end}`, noisiest.tensor.data, expected.data, limit);
  for (const name of golden.names.filter((name) => name.startsWith('start.t'))) {
    const start = new InMemoryLatents(tensor(expected.dims));
    const timestep = Number(name.slice('start.t'.length));
    const at = { end, timestep, schedule, chunkSize: 1 };
    await writeOfficialStart({ clean, noisiest, start }, at);
    report.compare(name, start.tensor.data, (await golden.read(name)).data, limit);
  }
}
