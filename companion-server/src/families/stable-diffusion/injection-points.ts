// Where Plug-and-Play (arXiv 2211.12572) reaches into the UNet of Stable Diffusion 1.x and 2.x.

import type { InjectionPoints } from '../../nets/denoising-network.ts';
import type { ConfigReader } from '../config-reader.ts';

export const injectionPoints: InjectionPoints = {
  /** Layer 4 of the decoder, a grid of 16x16 where latents are 64x64. */
  features: 'up_blocks.1.resnets.1',
  /** Layers 4 to 11 of the decoder. */
  attention: /^up_blocks\.(1\.attentions\.[12]|[23]\.attentions\.[012])\./,
};

/** The field of unet/config.json in which a checkpoint names points of its own. Other programs do not read it. */
const field = 'plug_and_play';

/**
 * A network of other latents has its outlines at another level: `{"features": "up_blocks.2.resnets.1", "attention":
 * ["up_blocks.2.attentions", "up_blocks.3.attentions"]}`, where attention is that of all layers whose keys begin so. null when
 * the config names none. Throws EditError('model-unsupported') for a residual block or level that the network does not have.
 */
export function readInjectionPoints(
  config: ConfigReader,
  levels: number,
  layersPerBlock: number,
): InjectionPoints | null {
  const value = config.raw(field) ?? null;
  if (value === null) return null;
  const { features, attention } = typeof value === 'object' ? (value as Record<string, unknown>) : {};
  const [, level, block] =
    typeof features === 'string' ? (/^up_blocks\.(\d+)\.resnets\.(\d+)$/.exec(features) ?? []) : [];
  if (typeof features !== 'string' || !(Number(level) < levels) || !(Number(block) <= layersPerBlock)) {
    config.fail(`${field}.features`, 'must be a residual block of the decoder, as up_blocks.1.resnets.1', features);
  }
  const isKey = (key: unknown): key is string => {
    const [, of] = typeof key === 'string' ? (/^up_blocks\.(\d+)\.attentions(\.\d+)?$/.exec(key) ?? []) : [];
    return Number(of) < levels;
  };
  if (!Array.isArray(attention) || attention.length === 0 || !attention.every(isKey)) {
    config.fail(
      `${field}.attention`,
      'must be a list of attentions of the decoder, as up_blocks.1.attentions',
      attention,
    );
  }
  return { features, attention: new RegExp(`^(${attention.map((key) => key.replaceAll('.', '\\.')).join('|')})\\.`) };
}
