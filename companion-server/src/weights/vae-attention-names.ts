// The VAE's attention had other names before diffusers 0.17 (query, key, value, proj_attn), and some converters
// store its weights as 1x1 convolutions. Here both become the new names with matrices; no byte is moved.

import type { StoredTensor, StoredTensors } from '../tensor/stored-tensor.ts';

const newNames: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

const attentionWeight = /^(.*\.attentions\.\d+\.)(query|key|value|proj_attn)\.(weight|bias)$/;
const attentionMatrix = /\.attentions\.\d+\.to_(?:q|k|v|out\.0)\.weight$/;

/** The weights of an AutoencoderKL under the names of today: `...to_q.weight` [C, C] and so on. */
export function modernVaeNames(weights: StoredTensors): StoredTensors {
  const renamed = [...weights].map(([name, stored]): [string, StoredTensor] => {
    const modern = modernName(name);
    return [modern, attentionMatrix.test(modern) ? asMatrix(stored) : stored];
  });
  return new Map(renamed);
}

function modernName(name: string): string {
  const [, prefix = '', old = '', suffix = ''] = attentionWeight.exec(name) ?? [];
  const modern = newNames[old];
  return modern === undefined ? name : `${prefix}${modern}.${suffix}`;
}

/** [C, C, 1, 1] -> [C, C]; anything else as it is. */
function asMatrix(stored: StoredTensor): StoredTensor {
  const [rows = 0, columns = 0, ...kernel] = stored.dims;
  const isPointwise = kernel.length === 2 && kernel.every((size) => size === 1);
  return isPointwise ? { ...stored, dims: [rows, columns] } : stored;
}
