// The names under which adapters change the modules of a checkpoint, made forwards from the checkpoint's own keys: nothing
// is parsed out of an adapter's names, which have lost where their dots were.
//
// kohya (github.com/kohya-ss/sd-scripts, networks/lora.py) writes a prefix and underscores, for Stable Diffusion XL with LDM
// names; diffusers and PEFT write the part's folder and dots; LyCORIS writes `lycoris_` or kohya's prefix.

import { ldmNamesOfUNet } from '../ldm/unet-module-names.ts';

/** The weight or the bias of a checkpoint that a module has. */
export interface ModuleTarget {
  /** Folder of the part, for instance `unet`. */
  readonly part: string;
  /** The key without `.weight` or `.bias`. */
  readonly module: string;
}

/** Folders of the parts that adapters change. */
export const adaptedParts = ['unet', 'text_encoder', 'text_encoder_2'] as const;

/** By folder: what stands before names with underscores. */
const underscorePrefixes: Readonly<Record<string, readonly string[]>> = {
  unet: ['lora_unet_', 'lycoris_', 'lycoris_unet_'],
  text_encoder: ['lora_te_', 'lora_te1_', 'lycoris_', 'lycoris_te_', 'lycoris_te1_'],
  text_encoder_2: ['lora_te2_', 'lycoris_te2_'],
};

/** By folder: what stands before names with dots, beside the folder itself. */
const dotPrefixes: Readonly<Record<string, readonly string[]>> = {
  unet: ['', 'base_model.model.', 'unet.base_model.model.', 'diffusion_model.', 'model.diffusion_model.'],
  text_encoder: ['', 'base_model.model.', 'text_encoder.base_model.model.', 'text_encoders.clip_l.transformer.'],
  text_encoder_2: ['text_encoder_2.base_model.model.', 'text_encoders.clip_g.transformer.'],
};

/**
 * Every name that a module may have in an adapter.
 * @param parts the keys of each part's weights, by folder; the first part has a name that two would have
 */
export function adapterNames(parts: ReadonlyMap<string, Iterable<string>>): ReadonlyMap<string, ModuleTarget> {
  const names = new Map<string, ModuleTarget>();
  for (const [part, keys] of parts) {
    const modules = [...new Set([...keys].flatMap((key) => /^(.+)\.(?:weight|bias)$/.exec(key)?.[1] ?? []))];
    const ldm = part === 'unet' ? ldmNamesOfUNet(modules) : new Map<string, string>();
    for (const module of modules) {
      for (const name of namesOfModule(part, module, ldm.get(module))) {
        if (!names.has(name)) names.set(name, { part, module });
      }
    }
  }
  return names;
}

function* namesOfModule(part: string, module: string, ldm: string | undefined): Generator<string> {
  const forms = [module, ...(ldm === undefined ? [] : [ldm])].flatMap(withShortOutput);
  for (const form of forms) {
    for (const prefix of underscorePrefixes[part] ?? []) yield prefix + form.replaceAll('.', '_');
    for (const prefix of [`${part}.`, ...(dotPrefixes[part] ?? [])]) {
      yield prefix + form;
      // diffusers before 0.23 kept the pair in the attention's processor, and in text encoders beside the projection.
      yield prefix + form.replace(/\.(attn\d)\.(to_[a-z]+)$/, '.$1.processor.$2');
      yield prefix + form.replace(/\.self_attn\.(q|k|v|out)_proj$/, '.self_attn.to_$1');
    }
  }
}

/** `to_out.0` is called `to_out` as well. */
function withShortOutput(module: string): readonly string[] {
  return module.endsWith('.to_out.0') ? [module, module.slice(0, -2)] : [module];
}
