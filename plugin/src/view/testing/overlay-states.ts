// What lies over the pages, and what is said beside them: questions, dialogs and short messages, for the gallery.

import type { PlacedEdit } from '../../host/edits.ts';
import type { PanelState } from '../../state/panel-state.ts';
import { withModels } from './models-state.ts';

/** `state` is a panel with a clip that is ready to be edited. */
export function overlayStates(state: PanelState, edit: PlacedEdit): Readonly<Record<string, PanelState>> {
  const { editId } = edit;
  const versions: PanelState = { ...state, page: 'versions', edits: [edit], editId };
  return {
    about: { ...state, overlay: { name: 'about' } },
    unpair: { ...state, overlay: { name: 'unpair' } },
    'save-preset': { ...state, overlay: { name: 'save-preset' } },
    'forget-version': { ...versions, overlay: { name: 'forget-version', editId, version: 2 } },
    recipe: { ...versions, overlay: { name: 'recipe', editId, version: 2 } },
    diagnostics: {
      ...state,
      overlay: {
        name: 'diagnostics',
        problem: null,
        checks: [
          { name: 'ffmpeg', status: 'ok', detail: 'ffmpeg 6.1 in /usr/bin/ffmpeg.', advice: null },
          {
            name: 'device',
            status: 'problem',
            detail: 'CUDA was not found.',
            advice: 'Edits run on the processor. See docs/gpu.md.',
          },
        ],
      },
    },
    'remove-model': {
      ...withModels(state, 'models'),
      overlay: { name: 'remove-model', kind: 'checkpoint', id: 'stable-diffusion-1.5', title: 'Stable Diffusion 1.5' },
    },
    'model-in-use': withProblem(withModels(state, 'models')),
    toasts: {
      ...state,
      toasts: [
        { id: 1, text: 'edit-done', problem: null },
        { id: 2, text: 'failed', problem: { code: 'disk-full', message: 'ENOSPC: no space left on device, write' } },
      ],
    },
  };
}

function withProblem(state: PanelState): PanelState {
  const { overlay } = state;
  if (overlay?.name !== 'models') return state;
  return {
    ...state,
    overlay: {
      ...overlay,
      problem: {
        code: 'model-in-use',
        message: 'stable-diffusion-1.5 cannot be removed: the edit "a harbour in deep winter" uses it.',
        hint: 'The edit "a harbour in deep winter" is not finished. Wait for its end or cancel it, then remove the model.',
      },
    },
  };
}
