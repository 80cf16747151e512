// The networks of the golden fixtures, ready to build graphs of.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parts as sdxlParts } from '../companion-server/src/families/sdxl/parts.ts';
import { parseUNetConfig as parseSdxlUNetConfig } from '../companion-server/src/families/sdxl/unet-config.ts';
import { denoisingUNet as denoisingSdxlUNet } from '../companion-server/src/families/sdxl/unet.ts';
import { parseClipTextConfig } from '../companion-server/src/families/stable-diffusion/clip-text-config.ts';
import { denoisingUNet } from '../companion-server/src/families/stable-diffusion/unet.ts';
import { parts } from '../companion-server/src/families/stable-diffusion/parts.ts';
import { parseUNetConfig } from '../companion-server/src/families/stable-diffusion/unet-config.ts';
import { parseVaeConfig } from '../companion-server/src/families/stable-diffusion/vae-config.ts';
import type { ClipTextConfig } from '../companion-server/src/nets/clip-text-encoder.ts';
import type { DenoisingNetwork } from '../companion-server/src/nets/denoising-network.ts';
import type { VaeConfig } from '../companion-server/src/nets/vae.ts';
import type { FusedOperators } from '../companion-server/src/onnx/builder.ts';
import type { StoredTensors } from '../companion-server/src/tensor/stored-tensor.ts';
import { openComponent, type PartLayout } from '../companion-server/src/weights/component.ts';
import { float32Copy } from '../companion-server/src/weights/float32-copy.ts';
import { openSafetensors, storedTensors } from '../companion-server/src/weights/safetensors.ts';
import { writeSmallUNet } from './fixtures/small-unet.ts';
import { fused } from './run-graph.ts';

export const goldenDir = path.join(import.meta.dirname, 'fixtures', 'golden');

/** One network: its config.json and its weights, in float32 or as stored (float16). */
export interface FixtureNetwork {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: StoredTensors;
  readonly stored: StoredTensors;
}

export interface FixtureNetworks {
  /** `folder` is below test/fixtures/golden, for instance `sd1/unet`. */
  open(folder: string, name: keyof typeof parts): Promise<FixtureNetwork>;
  /** A smaller UNet out of that of `family` (small-unet.ts). */
  openSmallUNet(family: 'sd1' | 'sd2' | 'sdxl'): Promise<FixtureNetwork>;
  remove(): Promise<void>;
}

/** Keeps float32 copies in a temporary folder until `remove`. */
export async function openFixtureNetworks(): Promise<FixtureNetworks> {
  const cacheDir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-networks-'));
  const openFolder = async (folder: string, part: PartLayout): Promise<FixtureNetwork> => {
    const { config, weights } = await openComponent(folder, part);
    return { config, stored: await weights.stored(), weights: await float32Copy(weights, cacheDir).stored() };
  };
  const partsOf = (family: string) => (family.startsWith('sdxl') ? sdxlParts : parts);
  return {
    open: (folder, name) => openFolder(path.join(goldenDir, folder), partsOf(folder)[name]),
    async openSmallUNet(family) {
      const folder = path.join(cacheDir, family);
      if (!existsSync(folder)) await writeSmallUNet(path.join(goldenDir, family, 'unet'), folder);
      return openFolder(folder, partsOf(family).unet);
    },
    remove: () => rm(cacheDir, { recursive: true, force: true }),
  };
}

/** The weights of a tiny decoder, as stored (float16); `name` is a file's of test/fixtures/golden/tiny-decoder. */
export async function fixtureTinyDecoder(name: string): Promise<StoredTensors> {
  return storedTensors(await openSafetensors(path.join(goldenDir, 'tiny-decoder', name)));
}

/** Graph options for a network in single precision. */
export function graphOptions({ weights }: FixtureNetwork, operators: FusedOperators = fused) {
  return { name: 'test', weights, float: 'float32', fused: operators } as const;
}

/** The network of a UNet. */
export function fixtureUNet({ config }: FixtureNetwork): DenoisingNetwork {
  return config['addition_embed_type'] === 'text_time'
    ? denoisingSdxlUNet(parseSdxlUNetConfig(config))
    : denoisingUNet(parseUNetConfig(config));
}

export function fixtureVae({ config }: FixtureNetwork): VaeConfig {
  return parseVaeConfig(config);
}

export function fixtureText({ config }: FixtureNetwork): ClipTextConfig {
  return parseClipTextConfig(config);
}
