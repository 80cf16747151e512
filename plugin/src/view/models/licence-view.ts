// The licence of a model, to be accepted before it is downloaded.

import type { Context, Piece } from '../context.ts';
import { createProblemView } from '../problem-view.ts';
import { setText, show } from '../ui.ts';

export function createLicenceView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const l = t.licence;
  const reading = ui.el('div', 'hint', l.reading);
  const problem = createProblemView(context);
  const heading = ui.el('div', 'strong');
  const lead = ui.el('p', 'card-text');
  const text = ui.el('div', 'licence-text');
  const source = ui.el('div', 'hint');
  let accepted: { readonly modelId: string; readonly sha256: string } | null = null;
  const accept = ui.button(l.accept, 'primary', () => {
    if (accepted !== null) dispatch({ type: 'licence-accepted', ...accepted });
  });
  const decline = ui.button(l.decline, '', () => dispatch({ type: 'licence-declined' }));
  const buttons = ui.el('div', 'row actions', accept, decline);
  return {
    root: ui.el('div', 'overlay-body', heading, reading, problem.root, lead, text, source, buttons),
    update({ overlay }) {
      if (overlay?.name !== 'licence') return;
      const { licence } = overlay;
      setText(heading, l.title(overlay.title));
      show(reading, licence === null && overlay.problem === null);
      problem.update(overlay.problem);
      for (const part of [lead, source, accept]) show(part, licence !== null);
      show(text, licence !== null && licence.text !== null);
      accepted = licence === null ? null : { modelId: licence.modelId, sha256: licence.sha256 };
      if (licence === null) return;
      setText(lead, l.text(licence.name));
      setText(text, licence.text ?? '');
      setText(source, licence.text === null ? l.onlyAddress(licence.url) : l.source(licence.url));
    },
  };
}
