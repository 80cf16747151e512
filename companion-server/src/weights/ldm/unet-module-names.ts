// The way back of unet-names.ts: the names that the original code gives to the modules of a UNet that has diffusers' names.
// Adapters use both. What block a module is in is counted from the names alone, so that any depth fits.

import { outsideOfBlocks, residual } from './unet-names.ts';

const inverted = (names: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(names).map(([ldm, name]) => [name, ldm]));

const outside = inverted(outsideOfBlocks);
const insideResnet = inverted(residual);

/**
 * The LDM name of each module, by its name in diffusers; modules that have none are left out.
 * @param modules names of a whole UNet, such as `down_blocks.0.attentions.0.proj_in`
 */
export function ldmNamesOfUNet(modules: readonly string[]): ReadonlyMap<string, string> {
  const layout = layoutOf(modules);
  return new Map(
    modules.flatMap((module) => {
      const name = ldmName(module, layout);
      return name === undefined ? [] : [[module, name] as const];
    }),
  );
}

interface Layout {
  /** Residual blocks of a level on the way down. */
  readonly layers: number;
  /** Whether a level of the way up has attention. */
  readonly upHasAttention: (level: number) => boolean;
}

function layoutOf(modules: readonly string[]): Layout {
  const down = modules.flatMap((name) => /^down_blocks\.0\.resnets\.(\d+)\./.exec(name)?.[1] ?? []);
  const withAttention = new Set(modules.flatMap((name) => /^up_blocks\.(\d+)\.attentions\./.exec(name)?.[1] ?? []));
  return {
    layers: 1 + Math.max(-1, ...down.map(Number)),
    upHasAttention: (level) => withAttention.has(String(level)),
  };
}

function ldmName(module: string, { layers, upHasAttention }: Layout): string | undefined {
  const known = outside.get(module);
  if (known !== undefined) return known;
  const [, way, levelText, kind, indexText, inside] =
    /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(module) ?? [];
  if (way === undefined || kind === undefined || inside === undefined) return middleName(module);
  const level = Number(levelText);
  const index = Number(indexText);
  // The first input block is conv_in; a level is its layers and one change of size.
  if (way === 'down') {
    const block = `input_blocks.${1 + level * (layers + 1) + (kind === 'downsamplers' ? layers : index)}`;
    if (kind === 'downsamplers') return inside === 'conv' ? `${block}.0.op` : undefined;
    return insideBlock(block, kind, inside);
  }
  const block = `output_blocks.${level * (layers + 1) + (kind === 'upsamplers' ? layers : index)}`;
  if (kind === 'upsamplers') return inside === 'conv' ? `${block}.${upHasAttention(level) ? 2 : 1}.conv` : undefined;
  return insideBlock(block, kind, inside);
}

function middleName(module: string): string | undefined {
  const [, kind, index, inside] = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/.exec(module) ?? [];
  if (kind === undefined || inside === undefined) return undefined;
  if (kind === 'attentions') return `middle_block.1.${inside}`;
  const name = insideResnet.get(inside);
  return name === undefined ? undefined : `middle_block.${2 * Number(index)}.${name}`;
}

function insideBlock(block: string, kind: string, inside: string): string | undefined {
  if (kind === 'attentions') return `${block}.1.${inside}`;
  const name = insideResnet.get(inside);
  return name === undefined ? undefined : `${block}.0.${name}`;
}
