// The options of `edit`, and the settings that they make.

import { extname, join, parse, resolve } from 'node:path';
import { deviceChoices, type DeviceChoice } from '../../../protocol/devices.ts';
import { codecExtension, codecInfo, codecInfos, outputCodecs, type OutputCodec } from '../../../protocol/codecs.ts';
import {
  defaultSettings,
  details,
  modelColours,
  guidanceBases,
  referencePipeline,
  initialNoises,
  parseEditSettings,
  propagations,
  pipelines,
  type EditSettings,
} from '../../../protocol/edit-settings.ts';
import { FieldError } from '../../../protocol/fields.ts';
import { loraStrengthRange, maxLoras } from '../../../protocol/limits.ts';
import { techniqueInfos, techniqueNames } from '../../../protocol/techniques.ts';
import { EditError } from '../errors.ts';
import type { ModelReading } from '../models/readings.ts';
import { controlOptions, controlPlaces, readControls, type ControlRequest } from './control-options.ts';
import { readAdapters, refuseFiles, type AdapterRequest } from './adapter-options.ts';
import { keyframeOptions } from './keyframe-options.ts';
import { maskOptions } from './mask-options.ts';
import type { Options, Values } from './options.ts';
import { readingOptions, readReading } from './reading-options.ts';
import { typed } from '../typed-command.ts';

const defaults = defaultSettings();

export const editOptions = {
  prompt: {
    kind: 'text',
    placeholder: 'TEXT',
    help: 'What the clip should become. Required; with --keyframe, the source prompt when left out.',
  },
  'source-prompt': {
    kind: 'text',
    placeholder: 'TEXT',
    help: 'What the clip shows now; improves the inversion.',
  },
  negative: { kind: 'text', placeholder: 'TEXT', help: 'What to avoid.' },
  technique: {
    kind: 'choice',
    choices: techniqueNames,
    help: `How the structure of the clip is kept: ${techniqueInfos
      .map(({ name, title }) => `${name} (${title})`)
      .join(', ')}. Default: ${defaults.technique}.`,
  },
  strength: {
    kind: 'number',
    placeholder: 'X',
    help: `0 keeps the structure most, 1 follows the prompt most. Default: ${techniqueInfos
      .map(({ name, strength }) => `${strength} for ${name}`)
      .join(', ')}.`,
  },
  guidance: {
    kind: 'number',
    placeholder: 'X',
    help: 'Classifier-free guidance, 0 to 30; up to 1 there is none. Default: what suits the model and --guide-by (7.5 for Stable Diffusion away from the negative prompt, 3 away from the source prompt).',
  },
  'guide-by': {
    kind: 'choice',
    choices: guidanceBases,
    help: 'What guidance leads away from. negative: the negative prompt. source: the source prompt, so that only what changes is pressed on. both: halfway. Default: negative if there is one, else what suits the model.',
  },
  steps: {
    kind: 'number',
    placeholder: 'N',
    help: 'Sampling steps, 1 to 1000. Default: what suits the model (20 for Stable Diffusion, 4 to 8 for models of few steps).',
  },
  'inversion-steps': {
    kind: 'number',
    placeholder: 'N',
    help: 'Forwards of the network per frame of the inversion, a multiple of the sampling steps, up to 1000. Default: as many as find the clip again.',
  },
  'keyframe-interval': {
    kind: 'number',
    placeholder: 'N',
    help: `One keyframe in so many frames, 1 to 64. Default: ${defaults.keyframeInterval}.`,
  },
  propagation: {
    kind: 'choice',
    choices: propagations,
    help: `How keyframes reach the other frames. Default: ${defaults.propagation}.`,
  },
  'initial-noise': {
    kind: 'choice',
    formerly: 'noise',
    choices: initialNoises,
    help: `Where sdedit starts: from the inverted clip, or from the clip with noise that all frames share or each has of its own. Default: ${defaults.initialNoise}.`,
  },
  pipeline: {
    kind: 'choice',
    formerly: 'schedule',
    choices: pipelines,
    help: `fast: few steps, and the clip's correspondences are found once. draft: the same in a third of the time or less, for a first look at the whole clip. reference: the official code's work, ${referencePipeline.inversionSteps} inversion and ${referencePipeline.steps} sampling steps, its propagation and guidance ${referencePipeline.guidance}.`,
  },
  preview: {
    kind: 'flag',
    help: 'Edit the keyframes alone; the result is a short clip of them.',
  },
  seed: {
    kind: 'number',
    placeholder: 'N',
    help: `Another seed makes another edit of the same inverted clip. ${defaults.seed} begins from the inverted clip as it is. Default: ${defaults.seed}.`,
  },
  size: {
    kind: 'text',
    placeholder: 'WxH',
    help: 'Working size in pixels, 64 to 2048 each. Default: the largest that fits the model.',
  },
  detail: {
    kind: 'choice',
    choices: details,
    help: `source: a clip larger than the working size keeps its fine detail where the edit left it alone. none: the edited picture is scaled up. Default: ${defaults.detail}.`,
  },
  'model-colour': {
    kind: 'choice',
    choices: modelColours,
    help: 'How the model is shown a clip in PQ or HLG. auto: tone-mapped to standard range; the change is carried back into the codes of the clip. off: as it is. Default: auto.',
  },
  ...maskOptions,
  ...keyframeOptions,
  'write-prompt': {
    kind: 'flag',
    help: 'Write the prompt into the result, beside the mark that says that it was edited by AI.',
  },
  'keep-location': {
    kind: 'flag',
    help: 'Keep in the result where the clip was recorded, if the clip says so.',
  },
  start: { kind: 'number', placeholder: 'SECONDS', help: 'Where to begin in the clip.' },
  end: { kind: 'number', placeholder: 'SECONDS', help: 'Where to stop in the clip.' },
  model: {
    kind: 'text',
    placeholder: 'NAME|DIR|FILE',
    help: `A model by its name (see ${typed('models')}), a checkpoint folder, or a checkpoint in one .safetensors file; with --server, one of its models by name.`,
  },
  ...readingOptions,
  lora: {
    kind: 'texts',
    placeholder: 'FILE|NAME[:X]',
    help: `A LoRA by its .safetensors file, or by its name on the server, and its strength from ${loraStrengthRange.min} to ${loraStrengthRange.max}. Default: 1. May be given up to ${maxLoras} times; with --server, by name only.`,
  },
  vae: {
    kind: 'text',
    placeholder: 'FILE|DIR|NAME',
    help: "A VAE in place of the model's own: a .safetensors file, a folder in diffusers layout, or a name (see models list). With --server, by name only.",
  },
  ...controlOptions,
  embedding: {
    kind: 'texts',
    placeholder: 'FILE',
    help: 'A textual inversion in a .safetensors file: the name of the file becomes a word of the prompts. May be given several times; not with --server.',
  },
  device: {
    kind: 'choice',
    choices: deviceChoices,
    help: 'What computes. Default: auto, the fastest that is found to compute correctly.',
  },
  codec: {
    kind: 'choice',
    choices: outputCodecs,
    help: `${codecInfos.map(({ name, title, extensions: [ending] }) => `${name}: ${title} (${ending})`).join('; ')}. Default: as the name of --out says, else prores.`,
  },
  out: {
    kind: 'text',
    placeholder: 'FILE',
    help: 'Where the result goes. Default: CLIP-edited next to the clip.',
  },
  server: {
    kind: 'text',
    placeholder: 'URL',
    help: 'Use the companion server that runs there. Default: one is started for this edit.',
  },
  json: { kind: 'flag', help: 'Print one JSON object per line.' },
} as const satisfies Options;

export interface EditRequest {
  /** Absolute. */
  readonly clipPath: string;
  /** Absolute. */
  readonly outPath: string;
  readonly settings: EditSettings;
  readonly device: DeviceChoice;
  /** Absolute paths of the LoRA that are named by a file, by their names in the settings. */
  readonly loraFiles: ReadonlyMap<string, string>;
  /** Absolute paths of embeddings, by their word. */
  readonly embeddingFiles: ReadonlyMap<string, string>;
  /** How the model is read; undefined where nothing was said. */
  readonly reading: ModelReading | undefined;
  /** Absolute path of the VAE that is named by a file or folder, by its name in the settings. */
  readonly vaeFiles: ReadonlyMap<string, string>;
  /** Absolute paths of the ControlNets that are named by a file or folder, by their names in the settings. */
  readonly controlFiles: ReadonlyMap<string, string>;
  /** Absolute paths of control videos, by what the settings call them until they are uploaded. */
  readonly controlVideos: ReadonlyMap<string, string>;
}

/** The request that the arguments of `edit` make. Throws EditError that names the option. */
export function readEditRequest(values: Values<typeof editOptions>, positionals: readonly string[]): EditRequest {
  const clipPath = readClipPath(positionals);
  const { codec, outPath } = chooseOutput(clipPath, values.out, values.codec ?? alphaCodec(values));
  if (values['output-alpha'] && !codecInfo(codec).hasAlpha) throw withoutAlpha(codec);
  const { loras, vae, ...files } = readAdapters(values.lora, values.embedding, values.vae);
  const { controls, ...ofControls } = readControls(values);
  if (values.server !== undefined) refuseFiles({ ...files, ...ofControls });
  const reading = readReading(values);
  if (values.server !== undefined && reading !== undefined) {
    const option = values.parts === undefined ? '--prediction' : '--parts';
    throw new EditError('invalid-request', `${option} cannot be used together with --server.`, {
      hint: 'On the machine of the server, models add with --parts and --prediction keeps both beside the model.',
    });
  }
  return {
    clipPath,
    outPath,
    reading,
    settings: readSettings(values, codec, { loras, vae, controls }),
    device: values.device ?? 'auto',
    ...files,
    ...ofControls,
  };
}

function readSettings(
  values: Values<typeof editOptions>,
  codec: OutputCodec,
  { loras, vae, controls }: Pick<AdapterRequest, 'loras' | 'vae'> & Pick<ControlRequest, 'controls'>,
): EditSettings {
  const base: EditSettings = {
    ...defaultSettings(values.technique),
    ...(values.pipeline === 'reference' ? referencePipeline : {}),
  };
  try {
    return parseEditSettings({
      // Keyframes say what changes.
      prompt: values.prompt ?? (values.keyframe.length > 0 ? values['source-prompt'] : undefined) ?? base.prompt,
      sourcePrompt: values['source-prompt'] ?? base.sourcePrompt,
      negativePrompt: values.negative ?? base.negativePrompt,
      technique: base.technique,
      pipeline: values.pipeline ?? base.pipeline,
      propagation: values.propagation ?? base.propagation,
      initialNoise: values['initial-noise'] ?? base.initialNoise,
      strength: values.strength ?? base.strength,
      guideBy: values['guide-by'] ?? base.guideBy,
      guidance: values.guidance ?? base.guidance,
      steps: values.steps ?? base.steps,
      // Those of the reference belong to its own number of steps.
      inversionSteps: values['inversion-steps'] ?? (values.steps === undefined ? base.inversionSteps : null),
      keyframeInterval: values['keyframe-interval'] ?? base.keyframeInterval,
      seed: values.seed ?? base.seed,
      size: values.size === undefined ? base.size : parseSize(values.size),
      startSeconds: values.start ?? base.startSeconds,
      endSeconds: values.end ?? base.endSeconds,
      codec,
      sound: base.sound,
      writesPrompt: values['write-prompt'],
      keepsLocation: values['keep-location'],
      detail: values.detail ?? base.detail,
      ...(values['model-colour'] !== undefined && { modelColour: values['model-colour'] }),
      loras,
      ...(vae === undefined ? {} : { vae }),
      ...(controls.length > 0 && { controls }),
      ...(values['control-frames'] !== undefined && { controlledFrames: values['control-frames'] }),
      preview: values.preview,
    } satisfies EditSettings);
  } catch (error) {
    throw error instanceof FieldError ? nameOption(error) : error;
  }
}

/** Settings whose option has another name than the setting in kebab case. */
const optionNames: Readonly<Record<string, string>> = {
  'settings.negativePrompt': 'negative',
  'settings.startSeconds': 'start',
  'settings.endSeconds': 'end',
  'settings.size.width': 'size',
  'settings.size.height': 'size',
};

function nameOption({ path, complaint, code }: FieldError): EditError {
  if (path.startsWith('settings.loras')) {
    const what = path.endsWith('strength') ? 'The strength of --lora' : '--lora';
    return new EditError(code, `${what} ${complaint}`);
  }
  if (path.startsWith('settings.controls')) {
    const [, field = ''] = /\.(\w+)$/.exec(path) ?? [];
    return new EditError(code, `${controlPlaces[field] ?? '--control'} ${complaint}`);
  }
  const kebab = path.replace('settings.', '').replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  return new EditError(code, `--${optionNames[path] ?? kebab} ${complaint}`);
}

function parseSize(text: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/i.exec(text) ?? [];
  if (width !== undefined && height !== undefined) {
    return { width: Number(width), height: Number(height) };
  }
  throw new EditError('invalid-request', `--size must look like 512x320, got '${text}'.`);
}

function readClipPath(positionals: readonly string[]): string {
  const [clip, surplus] = positionals;
  if (clip === undefined || clip === '') {
    throw new EditError('invalid-request', 'edit needs a clip.', {
      hint: 'For example: edit clip.mp4 --prompt "a silver robotic wolf".',
    });
  }
  if (surplus !== undefined) {
    throw new EditError('invalid-request', `edit takes one clip, got '${surplus}' as well.`, {
      hint: 'Put quotation marks around a prompt of more than one word.',
    });
  }
  return resolve(clip);
}

/** A layer goes onto a timeline. Other files than .mov decide for themselves. */
function alphaCodec({ out, 'output-alpha': isLayer }: Values<typeof editOptions>): OutputCodec | undefined {
  const isMov = out === undefined || extname(out).toLowerCase() === codecExtension('prores-4444');
  return isLayer && isMov ? 'prores-4444' : undefined;
}

function withoutAlpha(codec: OutputCodec): EditError {
  const those = codecInfos.filter(({ hasAlpha }) => hasAlpha).map(({ name }) => name);
  return new EditError('invalid-request', `--output-alpha needs a codec that keeps alpha, got ${codec}.`, {
    hint: `Name one with --codec: ${those.join(', ')}.`,
  });
}

function chooseOutput(
  clipPath: string,
  out: string | undefined,
  codec: OutputCodec | undefined,
): { readonly codec: OutputCodec; readonly outPath: string } {
  if (out === undefined) {
    const chosen = codec ?? defaults.codec;
    const { dir, name } = parse(clipPath);
    return { codec: chosen, outPath: join(dir, `${name}-edited${codecExtension(chosen)}`) };
  }
  const ending = extname(out).toLowerCase();
  const fitting = outputCodecs.filter((known) => codecInfo(known).extensions.includes(ending));
  const chosen = codec ?? fitting[0];
  if (chosen === undefined || !fitting.includes(chosen)) {
    const known = (codec === undefined ? outputCodecs : [codec]).flatMap((name) => codecInfo(name).extensions);
    const rule = [...new Set(known)].join(' or ');
    const forCodec = codec === undefined ? '' : ` for ${codec}`;
    throw new EditError('invalid-request', `--out must end in ${rule}${forCodec}, got '${out}'.`);
  }
  const outPath = resolve(out);
  if (outPath === clipPath) {
    throw new EditError('invalid-request', '--out must be another file than the clip.');
  }
  return { codec: chosen, outPath };
}
