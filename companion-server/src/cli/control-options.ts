// The options of `edit` that say which ControlNets guide it.

import { basename, resolve } from 'node:path';
import { controlKinds, controlledFrames, type ControlChoice, type ControlKind } from '../../../protocol/control.ts';
import { controlScaleRange, maxControls } from '../../../protocol/limits.ts';
import { EditError } from '../errors.ts';
import { freeName, isFile, stemOf } from './adapter-options.ts';
import type { Options, Values } from './options.ts';

export const controlOptions = {
  control: {
    kind: 'texts',
    placeholder: 'KIND[:NET][:VIDEO][:X]',
    help: `A ControlNet. KIND is what it is shown of the clip: ${controlKinds.slice(0, -1).join(', ')}; or own, for a VIDEO that has such pictures already, frame by frame. NET is its file, its folder, or its name (see models list); without it the first that fits the kind and the model. X is its strength from ${controlScaleRange.min} to ${controlScaleRange.max}. Default: 1. May be given up to ${maxControls} times.`,
  },
  'control-start': {
    kind: 'number',
    placeholder: 'X',
    help: 'The share of the steps after which ControlNets begin, 0 to 1. Default: 0.',
  },
  'control-end': {
    kind: 'number',
    placeholder: 'X',
    help: 'The share of the steps after which ControlNets end, 0 to 1. Default: 1.',
  },
  'control-guess': {
    kind: 'flag',
    help: 'ControlNets in guess mode: the control picture says more than the prompt.',
  },
  'control-frames': {
    kind: 'choice',
    choices: controlledFrames,
    help: 'Which frames ControlNets guide: keyframes, from which the others take over what was made, or all. Default: keyframes.',
  },
} as const satisfies Options;

/** Where an error is, by the field of a control. */
export const controlPlaces: Readonly<Record<string, string>> = {
  scale: 'The strength of --control',
  start: '--control-start',
  end: '--control-end',
};

export interface ControlRequest {
  readonly controls: readonly ControlChoice[];
  /** Absolute paths by name in the settings. */
  readonly controlFiles: ReadonlyMap<string, string>;
  /** Absolute paths by what the settings call them. */
  readonly controlVideos: ReadonlyMap<string, string>;
}

/** Throws EditError('invalid-request') that names the option. */
export function readControls(values: Values<typeof controlOptions>): ControlRequest {
  const controlFiles = new Map<string, string>();
  const controlVideos = new Map<string, string>();
  const controls = values.control.map((text): ControlChoice => {
    const { kind, net, video, scale } = parseControl(text);
    const common = {
      kind,
      scale,
      start: values['control-start'] ?? 0,
      end: values['control-end'] ?? 1,
      guess: values['control-guess'],
      ...(net !== undefined && { net: nameOf(net, controlFiles) }),
    };
    if (video === undefined) return common;
    const clip = `video-${controlVideos.size + 1}`;
    controlVideos.set(clip, resolve(video));
    return { ...common, clip };
  });
  if (controls.length === 0) refuseWithoutControl(values);
  return { controls, controlFiles, controlVideos };
}

function nameOf(net: string, files: Map<string, string>): string {
  const path = resolve(net);
  const known = [...files].find(([, file]) => file === path);
  if (known !== undefined) return known[0];
  if (!isFile(net)) return net;
  const name = freeName(/\.(safetensors|sft)$/i.test(net) ? stemOf(net) : basename(net), files);
  files.set(name, path);
  return name;
}

interface ParsedControl {
  readonly kind: ControlKind;
  readonly net?: string | undefined;
  readonly video?: string | undefined;
  readonly scale: number;
}

function parseControl(text: string): ParsedControl {
  // A colon behind a single letter is a drive of Windows.
  const [first = '', ...rest] = text.split(/(?<!(?:^|:)[A-Za-z]):/);
  const kind = controlKinds.find((known) => known === first);
  if (kind === undefined) {
    throw new EditError('invalid-request', `--control must begin with ${controlKinds.join(', ')}, got '${text}'.`, {
      hint: 'For example: --control canny, or --control canny:control_v11p_sd15_canny.safetensors:0.8.',
    });
  }
  const last = rest.at(-1);
  const hasScale = last !== undefined && /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(last);
  const [net, video, ...surplus] = hasScale ? rest.slice(0, -1) : rest;
  const needsVideo = kind === 'own';
  if (surplus.length > 0 || (video !== undefined) !== needsVideo) {
    const form = needsVideo ? 'own:NET:VIDEO[:X]' : `${kind}[:NET][:X]`;
    throw new EditError('invalid-request', `--control must look like ${form}, got '${text}'.`);
  }
  return { kind, net, video, scale: hasScale ? Number(last) : 1 };
}

/** An option that changes nothing is a mistake. */
function refuseWithoutControl(values: Values<typeof controlOptions>): void {
  const given = {
    'control-start': values['control-start'],
    'control-end': values['control-end'],
    'control-guess': values['control-guess'] ? true : undefined,
    'control-frames': values['control-frames'],
  };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  throw new EditError('invalid-request', `--${option} needs --control.`);
}
