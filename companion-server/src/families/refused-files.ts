// What files of weights are that no family takes, by their keys and shapes: a refusal says it by name, and what to take
// instead. Keys as in ComfyUI's model_detection.py, diffusers' single_file_utils.py and stable-diffusion.cpp's model.cpp.

/** Tensors by key; of their values nothing is known. */
export type FileShapes = ReadonlyMap<string, { readonly dims: readonly number[] }>;

/** What a file is instead. */
export interface FileRefusal {
  /** As the rest of "... is". */
  readonly what: string;
  /** What to do. */
  readonly instead: string;
}

const ownCheckpoint = 'Use a text-to-image checkpoint of Stable Diffusion.';
const plainCheckpoint = 'Use the plain text-to-image checkpoint that it was made from.';

interface Kind extends FileRefusal {
  /** Some key that fits says that the file is of this kind. */
  readonly key: RegExp;
}

const refiner: FileRefusal = {
  what: "Stable Diffusion XL's refiner",
  instead: 'It only finishes pictures of the base model: use the base model.',
};

/** Of the refiner's UNet: the prompt's embedding, and five numbers about the picture instead of six. */
const refinerAddedFeatures = 1280 + 5 * 256;

/** Files that contain all that a family looks for, and more: these are asked first. */
const imitators: readonly Kind[] = [
  {
    key: /^scaled_fp8$|\.scale_weight$/,
    what: 'quantised: its 8-bit weights have scales of their own',
    instead: 'Use the file in half precision.',
  },
  {
    key: /^control_model\./,
    what: 'a ControlNet',
    instead: 'It controls another model and is none itself. ' + plainCheckpoint,
  },
  {
    key: /^edm_vpred\.sigma_max$/,
    what: 'CosXL, which has a noise schedule of its own',
    instead: 'Use Stable Diffusion XL base, or a model that was made from it.',
  },
  {
    key: /^edm_mean$/,
    what: 'Playground 2.5, which has a noise schedule of its own',
    instead: 'Use Stable Diffusion XL base, or a model that was made from it.',
  },
  { key: /^conditioner\.embedders\.0\.model\.transformer\.resblocks\./, ...refiner },
  {
    key: /\.(time_stack|time_mixer|temporal_transformer_blocks|temporal_attentions)\.|^model\.diffusion_model\..*\.motion_modules\./,
    what: 'a video model',
    instead: ownCheckpoint,
  },
  {
    key: /\.fuser\.linear\.weight$|^position_net\./,
    what: 'GLIGEN, which takes boxes as well',
    instead: plainCheckpoint,
  },
  { key: /^depth_model\./, what: 'a depth-guided model', instead: plainCheckpoint },
  {
    key: /^noise_augmentor\.|^embedder\.model\.visual\./,
    what: 'an image-variation model (unCLIP)',
    instead: plainCheckpoint,
  },
];

/** UNets by their number of input channels (4 of them are the noisy latents). */
const otherInputChannels: Readonly<Record<number, string>> = {
  5: 'a depth-guided model',
  7: 'an upscaler',
  8: 'InstructPix2Pix, or an image-to-video model',
  9: 'an inpainting model',
};

/** Files of which no family knows anything. */
const strangers: readonly Kind[] = [
  { key: /(^|\.)joint_blocks\.\d+\.|(^|\.)context_block\./, what: 'Stable Diffusion 3', instead: ownCheckpoint },
  { key: /(^|\.)distilled_guidance_layer\./, what: 'Chroma', instead: ownCheckpoint },
  { key: /(^|\.)txt_in\.individual_token_refiner\./, what: 'Hunyuan Video', instead: ownCheckpoint },
  { key: /(^|\.)double_stream_modulation_img\./, what: 'Flux.2', instead: ownCheckpoint },
  {
    key: /(^|\.)(double_blocks|single_blocks)\.\d+\.|(^|\.)single_transformer_blocks\.\d+\./,
    what: 'Flux',
    instead: ownCheckpoint,
  },
  { key: /(^|\.)double_layers\.\d+\./, what: 'AuraFlow', instead: ownCheckpoint },
  { key: /(^|\.)cap_embedder\./, what: 'Lumina', instead: ownCheckpoint },
  {
    key: /(^|\.)txt_norm\.weight$|(^|\.)transformer_blocks\.\d+\.img_mod\./,
    what: 'Qwen-Image',
    instead: ownCheckpoint,
  },
  {
    key: /(^|\.)(patchify_proj|adaln_single)\.|(^|\.)patchify_proj\b/,
    what: 'PixArt or LTX-Video',
    instead: ownCheckpoint,
  },
  {
    key: /(^|\.)blocks\.\d+\.cross_attn\.|(^|\.)head\.modulation$/,
    what: 'Wan, a video model',
    instead: ownCheckpoint,
  },
  { key: /(^|\.)clip_txt_mapper\.|(^|\.)clip_txt_pooled_mapper\./, what: 'Stable Cascade', instead: ownCheckpoint },
  { key: /(^|\.)motion_modules\.\d+\./, what: 'a motion module of AnimateDiff', instead: ownCheckpoint },
  {
    key: /^controlnet_cond_embedding\./,
    what: 'a ControlNet',
    instead: 'It controls another model and is none itself. ' + ownCheckpoint,
  },
  {
    key: /^(image_proj|ip_adapter)\./,
    what: 'an IP-Adapter',
    instead: 'It belongs to another model. ' + ownCheckpoint,
  },
  {
    key: /^(adapter\.)?body\.\d+\.(block1|block2|in_conv|resnets)\b|^conv_in\.weight$.*adapter/,
    what: 'a T2I-Adapter',
    instead: 'It belongs to another model. ' + ownCheckpoint,
  },
  {
    key: /(\.|_)lora(_|\.)?(down|up|A|B|mid|linear)|\.(hada_w|lokr_w)|\.dora_scale$/,
    what: 'a LoRA',
    instead: 'Give it to a checkpoint with --lora.',
  },
  {
    key: /^(emb_params|clip_[lg]|string_to_param\.\*)$/,
    what: 'a textual inversion embedding',
    instead: 'It is a word for prompts of another model. ' + ownCheckpoint,
  },
  {
    key: /^(first_stage_model\.|vae\.)?decoder\.(mid|mid_block|up|up_blocks)\./,
    what: 'a VAE alone',
    instead: 'Use a whole checkpoint.',
  },
  {
    key: /^(down_blocks|up_blocks|mid_block)\./,
    what: 'the UNet of a checkpoint alone',
    instead: 'Name the folder of the checkpoint: the one with model_index.json in it.',
  },
  {
    key: /^(text_model|transformer\.text_model)\.|^encoder\.block\.\d+\.layer\./,
    what: 'a text encoder alone',
    instead: 'Name the whole checkpoint.',
  },
  {
    key: /^(taesd|decoder\.layers|encoder\.layers|\d+\.conv\.\d)\./,
    what: 'a tiny VAE (TAESD)',
    instead: ownCheckpoint,
  },
  {
    key: /^(model\.\d+\.(weight|sub)|body\.\d+\.rdb\d|RRDB_trunk\.)/,
    what: 'an upscaler of pictures',
    instead: ownCheckpoint,
  },
  { key: /^model\.layers\.\d+\.(self_attn|mlp)\./, what: 'a language model', instead: ownCheckpoint },
];

/** Asked before the families are. */
export function refuseImitator(tensors: FileShapes): FileRefusal | null {
  const kind = kindAmong(imitators, tensors);
  if (kind !== null) return kind;
  if (tensors.get('model.diffusion_model.label_emb.0.0.weight')?.dims[1] === refinerAddedFeatures) return refiner;
  const inputChannels = tensors.get('model.diffusion_model.input_blocks.0.0.weight')?.dims[1];
  const what = inputChannels === undefined ? undefined : otherInputChannels[inputChannels];
  if (what === undefined) return null;
  return { what: `${what}: its UNet takes ${inputChannels} input channels`, instead: plainCheckpoint };
}

/** Asked when no family took the file. */
export function refuseStranger(tensors: FileShapes): FileRefusal {
  const known = kindAmong(strangers, tensors);
  if (known !== null) return known;
  const [first] = tensors.keys();
  const example = first === undefined ? 'it has no tensors' : `of its tensors one is named "${first}"`;
  return { what: `no model that is known here: ${example}`, instead: ownCheckpoint };
}

function kindAmong(kinds: readonly Kind[], tensors: FileShapes): FileRefusal | null {
  const keys = [...tensors.keys()];
  const found = kinds.find(({ key }) => keys.some((name) => key.test(name)));
  return found === undefined ? null : { what: found.what, instead: found.instead };
}
