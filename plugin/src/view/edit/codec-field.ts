// How the result is encoded, and what that is good for.

import { codecInfo, codecInfos, type OutputCodec } from '../../../../protocol/codecs.ts';
import type { Context } from '../context.ts';
import { setText } from '../ui.ts';

export interface CodecField {
  readonly root: HTMLElement;
  /** A sentence about the chosen one. */
  readonly use: HTMLElement;
  update(codec: OutputCodec): void;
}

/** In Premiere, only what Premiere reads. */
export function createCodecField({ ui, t, env, dispatch }: Context): CodecField {
  const offered = codecInfos.filter(({ name }) => env.kind === 'browser' || name !== 'ffv1');
  const root = ui.el('select', 'field select');
  ui.name(root, t.advanced.codec);
  for (const { name, title, extensions } of offered) {
    const option = ui.el('option', '', `${title} (${extensions[0]})`);
    option.value = name;
    root.appendChild(option);
  }
  ui.on(root, 'change', () => {
    const chosen = offered.find(({ name }) => name === root.value);
    if (chosen !== undefined) dispatch({ type: 'form-changed', change: { codec: chosen.name } });
  });
  const use = ui.el('div', 'hint');
  return {
    root,
    use,
    update(codec) {
      if (root.value !== codec) root.value = codec;
      setText(use, codecInfo(codec).use);
    },
  };
}
