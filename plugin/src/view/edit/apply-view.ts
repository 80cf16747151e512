// Preview and Apply, how long it will take, and why they cannot be pressed.

import { applyBlock, chosenModel, previewBlock } from '../../state/choices.ts';
import { guessSeconds, throughputKey } from '../../state/throughput.ts';
import type { PanelState } from '../../state/panel-state.ts';
import { isCurrent, previewed } from '../../state/preview.ts';
import type { Context, Piece } from '../context.ts';
import { shownDoubt } from '../../state/practice.ts';
import { createProblemView } from '../problem-view.ts';
import { createPracticeView } from './practice-view.ts';
import { withoutCommand } from '../texts/without-command.ts';
import { setClass, setText, show } from '../ui.ts';

export function createApplyView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const apply = ui.button(t.apply.apply, 'primary apply', () => dispatch({ type: 'apply-pressed' }));
  const preview = ui.button(t.apply.preview, 'preview', () => dispatch({ type: 'preview-pressed' }));
  ui.hint(preview, t.apply.previewHint);
  const buttons = ui.el('div', 'apply-row', preview, apply);
  const continues = ui.el('div', 'estimate good-text', t.apply.continues);
  const estimate = ui.el('div', 'estimate');
  ui.describe(estimate, { role: 'status' });
  const advice = ui.el('div', 'hint warn-text');
  const problem = createProblemView(context);
  const practice = createPracticeView(context);
  return {
    root: ui.el('section', 'section apply-section', problem.root, advice, practice.root, buttons, continues, estimate),
    update(state) {
      practice.update(state);
      const isHeld = shownDoubt(state) !== null;
      show(buttons, !isHeld);
      show(estimate, !isHeld);
      const block = applyBlock(state);
      // Not disabled: UXP drops such a button from the order of TAB. Pressing it then does nothing.
      setClass(apply, 'off', block !== null);
      ui.off(apply, block !== null);
      const previewIsOff = previewBlock(state) !== null;
      setClass(preview, 'off', previewIsOff);
      ui.off(preview, previewIsOff);
      const shown = previewed(state);
      const isPromised = shown !== null && isCurrent(state, shown);
      setText(preview, isPromised && !state.form.isSeedLocked ? t.apply.previewAnother : t.apply.preview);
      show(continues, isPromised && !isHeld);
      const clips = state.selection?.clips.length ?? 0;
      const isVersion = state.rerunOf !== null || state.selection?.clips[0]?.edit != null;
      setText(apply, clips > 1 ? t.apply.applySeveral(clips) : isVersion ? t.apply.applyVersion : t.apply.apply);
      setText(
        estimate,
        block === null || block === 'no-prompt' ? estimateText(state, context, block) : t.apply.blocks[block],
      );
      const known = state.estimate.name === 'known' ? withoutCommand(state.estimate.estimate.advice) : null;
      show(advice, known !== null);
      setText(advice, known ?? '');
      problem.update(state.estimate.name === 'failed' ? state.estimate.problem : null);
    },
  };
}

function estimateText(state: PanelState, { t }: Context, block: 'no-prompt' | null): string {
  const parts = [block === null ? '' : t.apply.blocks[block], timeText(state, { t })];
  return parts.filter((part) => part !== '').join(' ');
}

function timeText(state: PanelState, { t }: Pick<Context, 't'>): string {
  const { estimate } = state;
  switch (estimate.name) {
    case 'asking':
      return t.apply.estimating;
    case 'guess':
      return t.apply.guess(t.duration(estimate.seconds));
    case 'known': {
      const { frames, peakMemoryBytes } = estimate.estimate;
      const throughput = state.throughputs[throughputKey(chosenModel(state)?.id ?? '', state.form)];
      // The server may not have measured this device yet, where the panel has seen an edit.
      const seconds = estimate.estimate.seconds ?? guessSeconds(throughput, frames, state.form);
      const memory = t.apply.memory((peakMemoryBytes / 1e9).toFixed(1));
      if (seconds === null) return `${t.apply.unknown} ${memory}.`;
      const { previewSeconds } = estimate;
      const preview = previewSeconds === null ? [] : [t.apply.previewTakes(t.duration(previewSeconds))];
      return [t.apply.about(t.duration(seconds)), ...preview, memory].join(' · ');
    }
    case 'none':
      return t.apply.unknown;
    case 'failed':
      return '';
  }
}
