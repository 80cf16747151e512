// How a version was made, as lines.

import { techniqueInfo } from '../../../../protocol/techniques.ts';
import type { Recipe } from '../../host/edits.ts';
import { nearestStop } from '../../state/form.ts';
import type { Texts } from './strings.ts';

export function recipeLines(
  { settings, model, createdAt }: Recipe,
  { recipe: r, region, strength, advanced: { pipelines, guideBys } }: Texts,
): readonly { readonly label: string; readonly value: string }[] {
  const own = (value: number | null): string => (value === null ? r.auto : String(value));
  const lines = [
    { label: r.prompt, value: settings.prompt },
    { label: r.source, value: settings.sourcePrompt },
    { label: r.negative, value: settings.negativePrompt },
    { label: r.model, value: model },
    { label: r.loras, value: settings.loras.map(({ name, strength: of }) => `${name} (${of})`).join(', ') },
    {
      label: r.strength,
      value: `${strength.stops[nearestStop(settings.strength)]} (${settings.strength})`,
    },
    { label: region.title, value: settings.mask === undefined ? '' : region.made(settings.mask.words ?? null) },
    { label: r.technique, value: techniqueInfo(settings.technique).title },
    { label: r.pipeline, value: settings.pipeline === 'draft' ? pipelines.draft : '' },
    { label: r.steps, value: own(settings.steps) },
    { label: r.guideBy, value: settings.guideBy === null ? '' : guideBys[settings.guideBy] },
    { label: r.guidance, value: own(settings.guidance) },
    { label: r.keyframes, value: r.frames(settings.keyframeInterval) },
    { label: r.seed, value: String(settings.seed) },
    { label: r.made, value: createdAt.slice(0, 16).replace('T', ' ') },
  ];
  return lines.filter(({ value }) => value !== '');
}
