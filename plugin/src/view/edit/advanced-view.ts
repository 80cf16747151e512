// What most people never open: what to avoid, technique, quality, steps, what guides and how much, keyframes, seed, kind of file, what is written into it. Empty numbers are the model's own.

import { guidanceBases, guidanceRange, maxKeyframeInterval, maxSteps } from '../../../../protocol/edit-settings.ts';
import { techniqueInfo, techniqueInfos, techniqueNames } from '../../../../protocol/techniques.ts';
import { panelPipelines, type EditForm } from '../../state/form.ts';
import { randomSeed, type Context, type Piece } from '../context.ts';
import { createCodecField } from './codec-field.ts';
import { createNumber, createSegments, createToggle } from './fields.ts';
import { createField } from './prompt-view.ts';
import { setClass, setText, setValue, show } from '../ui.ts';

const techniqueTitles = Object.fromEntries(techniqueInfos.map(({ name, title }) => [name, title]));

export function createAdvancedView(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const a = t.advanced;
  const change = (part: Partial<EditForm>): void => dispatch({ type: 'form-changed', change: part });
  const arrow = ui.el('span', 'fold-arrow');
  const toggle = ui.button('', 'fold', () => dispatch({ type: 'advanced-toggled' }));
  toggle.appendChild(arrow);
  toggle.appendChild(ui.el('span', 'fold-title', a.title));
  const summary = ui.el('span', 'fold-summary');
  toggle.appendChild(summary);

  const negative = createField(context, 'negativePrompt', 1);
  negative.placeholder = t.prompt.negativePlaceholder;
  const technique = createSegments(context, a.technique, techniqueNames, techniqueTitles, (value) =>
    change({ technique: value }),
  );
  const techniqueHint = ui.el('div', 'hint');
  const pipeline = createSegments(context, a.pipeline, panelPipelines, a.pipelines, (value) =>
    change({ pipeline: value }),
  );
  const codec = createCodecField(context);
  const writesPrompt = createToggle(context, a.writesPrompt, a.writesPromptHint, (isOn) =>
    change({ writesPrompt: isOn }),
  );
  const keepsLocation = createToggle(context, a.keepsLocation, a.keepsLocationHint, (isOn) =>
    change({ keepsLocation: isOn }),
  );

  const steps = createNumber(context, a.steps, { min: 1, max: maxSteps, isWhole: true }, (value) =>
    change({ steps: value }),
  );
  const guideBy = createSegments(context, a.guideBy, ['auto', ...guidanceBases], a.guideBys, (value) =>
    change({ guideBy: value === 'auto' ? null : value }),
  );
  const guidance = createNumber(context, a.guidance, { ...guidanceRange, isWhole: false }, (value) =>
    change({ guidance: value }),
  );
  const keyframes = createNumber(context, a.keyframes, { min: 1, max: maxKeyframeInterval, isWhole: true }, (value) => {
    if (value !== null) change({ keyframeInterval: value });
  });
  const seed = createNumber(context, a.seed, { min: 0, max: 2 ** 32 - 1, isWhole: true }, (value) => {
    if (value !== null) change({ seed: value });
  });
  let isLocked = false;
  const lock = ui.button(a.lock, 'small toggle', () => change({ isSeedLocked: !isLocked }));
  ui.hint(lock, a.lockHint);
  const dice = ui.button(a.dice, 'small', () => dispatch({ type: 'seed-rolled', seed: randomSeed(env) }));

  const row = (label: string, ...parts: HTMLElement[]): HTMLElement =>
    ui.el('div', 'row', ui.el('span', 'label fixed', label), ...parts);
  const body = ui.el(
    'div',
    'fold-body',
    ui.el('label', 'field-block', ui.el('span', 'label', t.prompt.negative), negative),
    row(a.technique, technique.root),
    techniqueHint,
    row(a.pipeline, pipeline.root),
    row(a.steps, steps.field),
    row(a.guideBy, guideBy.root),
    ui.el('div', 'hint', a.guideByHint),
    row(a.guidance, guidance.field),
    row(a.keyframes, keyframes.field),
    row(a.seed, seed.field, lock, dice),
    row(a.codec, codec.root),
    codec.use,
    row(a.written, writesPrompt.button, keepsLocation.button),
  );
  return {
    root: ui.el('section', 'section', toggle, body),
    update({ form, isAdvancedOpen }) {
      show(body, isAdvancedOpen);
      setClass(arrow, 'open', isAdvancedOpen);
      ui.describe(toggle, { expanded: isAdvancedOpen });
      show(summary, !isAdvancedOpen);
      const stepsText = form.steps === null ? '' : ` · ${form.steps} ${a.steps.toLowerCase()}`;
      const draftText = form.pipeline === 'draft' ? ` · ${a.pipelines.draft}` : '';
      setText(summary, `${techniqueInfo(form.technique).title}${draftText}${stepsText}`);
      setValue(negative, form.negativePrompt);
      technique.update(form.technique);
      pipeline.update(form.pipeline);
      codec.update(form.codec);
      writesPrompt.update(form.writesPrompt);
      keepsLocation.update(form.keepsLocation);
      setText(techniqueHint, techniqueInfo(form.technique).hint);
      steps.update(form.steps);
      guideBy.update(form.guideBy ?? 'auto');
      guidance.update(form.guidance);
      keyframes.update(form.keyframeInterval);
      seed.update(form.seed);
      isLocked = form.isSeedLocked;
      setText(lock, isLocked ? a.locked : a.lock);
      ui.choose(lock, isLocked, 'pressed');
    },
  };
}
