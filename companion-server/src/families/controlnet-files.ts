// What a file of weights is that is given as a ControlNet, by its keys: which naming it has, or what it is instead. Keys as
// in ComfyUI's controlnet.py and diffusers' models/controlnets.

import { refuseImitator, refuseStranger, type FileRefusal, type FileShapes } from './refused-files.ts';

/** How a ControlNet's file names its tensors. */
export interface ControlNetForm {
  readonly naming: 'diffusers' | 'ldm';
  /** With which its keys begin. */
  readonly prefix: string;
  /** Whether what it copied from the UNet is written as the difference to the UNet. */
  readonly isDifference: boolean;
}

const plainNet = 'Use a plain ControlNet: a diffusers folder, or a .safetensors file.';

const refused: readonly (FileRefusal & { readonly key: RegExp })[] = [
  { key: /^lora_controlnet$/, what: 'a Control-LoRA', instead: plainNet },
  {
    key: /^(task_embedding|control_type_proj\..*|control_add_embedding\..*|transformer_layes\..*)$/,
    what: 'a ControlNet++ (Union), which holds many kinds in one network',
    instead: plainNet,
  },
  { key: /^lllite_/, what: 'a ControlNet-LLLite', instead: plainNet },
  {
    key: /^(control_model\.)?(control_to_base|base_to_control|ctrl_to_base)/,
    what: 'a ControlNet-XS',
    instead: plainNet,
  },
  {
    key: /^controlnet_(blocks|single_blocks|x_embedder)\./,
    what: 'a ControlNet for Flux or Stable Diffusion 3',
    instead: plainNet,
  },
];

const markers: readonly Omit<ControlNetForm, 'isDifference'>[] = [
  { naming: 'diffusers', prefix: '' },
  { naming: 'ldm', prefix: 'control_model.' },
  { naming: 'ldm', prefix: '' },
];

const firstTensor = {
  diffusers: 'controlnet_cond_embedding.conv_in.weight',
  ldm: 'input_hint_block.0.weight',
} as const;

/** Null where the file is something else, which `refuseControlNet` names. */
export function formOfControlNet(tensors: FileShapes): ControlNetForm | null {
  if (kindAmong(tensors) !== null) return null;
  const found = markers.find(({ naming, prefix }) => tensors.has(prefix + firstTensor[naming]));
  return found === undefined ? null : { ...found, isDifference: tensors.has('difference') };
}

/** What the file is that was given as a ControlNet. */
export function refuseControlNet(tensors: FileShapes): FileRefusal {
  return kindAmong(tensors) ?? refuseImitator(tensors) ?? refuseStranger(tensors);
}

/** Kinds of control that are no ControlNets of here; null for any other file. */
export function kindAmong(tensors: FileShapes): FileRefusal | null {
  const keys = [...tensors.keys()];
  const found = refused.find(({ key }) => keys.some((name) => key.test(name)));
  return found === undefined ? null : { what: found.what, instead: found.instead };
}
