// UNet and VAE forwards against the golden tensors.

import path from 'node:path';
import { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import { parts as sdxlParts } from '../../companion-server/src/families/sdxl/parts.ts';
import { parseUNetConfig as parseSdxlUNetConfig } from '../../companion-server/src/families/sdxl/unet-config.ts';
import { denoisingUNet as denoisingSdxlUNet } from '../../companion-server/src/families/sdxl/unet.ts';
import { denoisingUNet } from '../../companion-server/src/families/stable-diffusion/unet.ts';
import { parts } from '../../companion-server/src/families/stable-diffusion/parts.ts';
import { parseUNetConfig } from '../../companion-server/src/families/stable-diffusion/unet-config.ts';
import { parseVaeConfig } from '../../companion-server/src/families/stable-diffusion/vae-config.ts';
import type { DenoisingNetwork } from '../../companion-server/src/nets/denoising-network.ts';
import type { UNetConfig } from '../../companion-server/src/nets/unet-blocks.ts';
import { buildVaeDecoder, buildVaeEncoder } from '../../companion-server/src/nets/vae.ts';
import { plansForEachShape, sessionOptionsOf } from '../../companion-server/src/onnx/execution.ts';
import type { Graph } from '../../companion-server/src/onnx/graph.ts';
import { createSession } from '../../companion-server/src/onnx/session.ts';
import { concatRows, sliceRows, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { predict } from '../../companion-server/src/tokenflow/denoiser.ts';
import type { JsonObject } from '../../companion-server/src/weights/json-file.ts';
import { openComponent } from '../../companion-server/src/weights/component.ts';
import { readJson, weightsFor, type GoldenFile, type GoldenRun } from './folder.ts';
import type { GoldenReport } from './report.ts';

/** Largest error in single precision on the CPU, and on another device. */
const limits = { cpu: 1e-4, other: 5e-3 } as const;

export function networkLimit({ execution }: GoldenRun): number {
  return execution.provider === 'cpu' ? limits.cpu : limits.other;
}

export async function openUNet(dir: string, run: GoldenRun) {
  const isSdxl = (await readJson(dir, 'unet', 'config.json'))['addition_embed_type'] === 'text_time';
  const component = await openComponent(path.join(dir, 'unet'), isSdxl ? sdxlParts.unet : parts.unet);
  const { float, fused } = run.execution;
  const load = run.createSession ?? createSession;
  return {
    ...(isSdxl ? sdxlNetwork(component.config) : network(component.config)),
    graph: { weights: await weightsFor(component.weights, run), float, fused },
    createSession: (make: () => Graph) => load(make(), sessionOptionsOf(run.execution)),
    keepsBatch: plansForEachShape[run.execution.provider],
  };
}

interface DescribedNetwork {
  readonly config: UNetConfig;
  readonly network: DenoisingNetwork;
}

function network(json: JsonObject): DescribedNetwork {
  const config = parseUNetConfig(json);
  return { config, network: denoisingUNet(config) };
}

function sdxlNetwork(json: JsonObject): DescribedNetwork {
  const config = parseSdxlUNetConfig(json);
  return { config, network: denoisingSdxlUNet(config) };
}

export async function compareUNet(
  dir: string,
  golden: GoldenFile,
  run: GoldenRun,
  report: GoldenReport,
): Promise<void> {
  const latents = await golden.read('unet.in.latents');
  const context = await golden.read('unet.in.context');
  const [pooled, timeIds] = golden.has('unet.in.pooled')
    ? [await golden.read('unet.in.pooled'), await golden.read('unet.in.time_ids')]
    : [];
  const [pictures = 0, , height = 0, width = 0] = latents.dims;
  const denoiser = new UNetDenoiser({ ...(await openUNet(dir, run)), size: { height, width } });
  for (const name of golden.names.filter((entry) => entry.startsWith('unet.out.t'))) {
    const timestep = Number(name.slice('unet.out.t'.length));
    const outputs: Tensor[] = [];
    for (let i = 0; i < pictures; i++) {
      const row = (values: Tensor) => sliceRows(values, i, i + 1);
      const conditioning = {
        tokens: row(context),
        ...(pooled && { pooled: row(pooled) }),
        ...(timeIds && { timeIds: row(timeIds) }),
      };
      outputs.push(await predict(denoiser, row(latents), timestep, conditioning));
    }
    const expected = await golden.read(name);
    report.compare(name, concatRows(outputs).data, expected.data, networkLimit(run));
  }
  await denoiser.release();
}

export async function compareVae(dir: string, golden: GoldenFile, run: GoldenRun, report: GoldenReport): Promise<void> {
  const component = await openComponent(path.join(dir, 'vae'), parts.vae);
  const config = parseVaeConfig(component.config);
  const weights = await weightsFor(component.weights, { ...run, execution: { ...run.execution, float: 'float32' } });
  const mean = await golden.read('vae.out.mean');
  const [, , height = 0, width = 0] = mean.dims;
  const { fused } = run.execution;
  const session = sessionOptionsOf(run.execution);
  const options = (name: string) => ({ name, weights, float: 'float32', fused }) as const;
  const size = { height, width };

  const encoder = await createSession(buildVaeEncoder(config, size, options('encoder')), session);
  const encoded = await encoder.run({ image: await golden.read('vae.in.image') });
  await encoder.release();
  const decoder = await createSession(buildVaeDecoder(config, size, options('decoder')), session);
  const decoded = await decoder.run({ latents: mean });
  await decoder.release();

  const results = { mean: encoded['mean'], logvar: encoded['logvar'], decoded: decoded['image'] };
  for (const [part, actual] of Object.entries(results)) {
    const expected = await golden.read(`vae.out.${part}`);
    report.compare(`vae.out.${part}`, actual?.data ?? [], expected.data, networkLimit(run));
  }
}
