// A ControlNet in one file, as lllyasviel's code writes it: its keys become those of diffusers. What it copies from the UNet
// has the UNet's names. No byte is moved.

import { renamed } from './prefix.ts';
import { ldmUNetNames } from './unet-names.ts';

/** Convolutions of the control picture's embedding: the first and last have names of their own, with SiLU between all. */
const embedding = /^input_hint_block\.(\d+)\.(weight|bias)$/;

/** The weights of a ControlNetModel under diffusers' keys. Takes keys without the prefix `control_model.`. */
export function ldmControlNetNames<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const last = Math.max(0, ...[...entries.keys()].map((key) => Number(embedding.exec(key)?.[1] ?? 0)));
  return new Map([...ldmUNetNames(entries), ...renamed(entries, (key) => ownName(key, last))]);
}

/** @param last position of the last convolution of the embedding, counted with the SiLU between them */
function ownName(key: string, last: number): string | null {
  const [, at, of] = embedding.exec(key) ?? [];
  if (at !== undefined && of !== undefined) return `controlnet_cond_embedding.${convolution(Number(at), last)}.${of}`;
  const [, zero, part] = /^zero_convs\.(\d+)\.0\.(weight|bias)$/.exec(key) ?? [];
  if (zero !== undefined && part !== undefined) return `controlnet_down_blocks.${zero}.${part}`;
  const [, middle] = /^middle_block_out\.0\.(weight|bias)$/.exec(key) ?? [];
  return middle === undefined ? null : `controlnet_mid_block.${middle}`;
}

function convolution(at: number, last: number): string {
  if (at === 0) return 'conv_in';
  return at === last ? 'conv_out' : `blocks.${at / 2 - 1}`;
}
