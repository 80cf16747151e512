// How the result is encoded, and what that is good for.

import { codecInfo, codecInfos } from '../../../../protocol/codecs.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context } from '../context.ts';
import { setText } from '../ui.ts';

export interface CodecField {
  readonly root: HTMLElement;
  /** A sentence about the chosen one. */
  readonly use: HTMLElement;
  update(state: Pick<PanelState, 'form' | 'selection'>): void;
}

/** The choice that is no codec. */
const asSequence = 'sequence';

/** In Premiere, only what Premiere reads, and the codec of the sequence. */
export function createCodecField({ ui, t, env, dispatch }: Context): CodecField {
  const isPage = env.kind === 'browser';
  const offered = codecInfos.filter(({ name }) => isPage || name !== 'ffv1');
  const root = ui.el('select', 'field select');
  ui.name(root, t.advanced.codec);
  const add = (value: string, title: string): void => {
    const option = ui.el('option', '', title);
    option.value = value;
    root.appendChild(option);
  };
  if (!isPage) add(asSequence, t.advanced.asSequence);
  for (const { name, title, extensions } of offered) add(name, `${title} (${extensions[0]})`);
  ui.on(root, 'change', () => {
    const chosen = offered.find(({ name }) => name === root.value);
    if (chosen !== undefined) {
      dispatch({ type: 'form-changed', change: { codec: chosen.name, followsSequence: false } });
    } else if (root.value === asSequence) dispatch({ type: 'form-changed', change: { followsSequence: true } });
  });
  const use = ui.el('div', 'hint');
  return {
    root,
    use,
    update({ form: { codec, followsSequence }, selection }) {
      const value = followsSequence && !isPage ? asSequence : codec;
      if (root.value !== value) root.value = value;
      const found = selection?.clips[0]?.sequenceCodec ?? null;
      const { asKnownSequence, asUnknownSequence } = t.advanced;
      if (value !== asSequence) setText(use, codecInfo(codec).use);
      else
        setText(
          use,
          found === null ? asUnknownSequence(codecInfo(codec).title) : asKnownSequence(codecInfo(found).title),
        );
    },
  };
}
