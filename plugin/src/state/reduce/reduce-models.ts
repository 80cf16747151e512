// Models that are downloaded or removed, their licences, and sample clips.

import { chosenModel } from '../choices.ts';
import type { PanelEvent } from '../events.ts';
import type { ListKind } from '../model-list.ts';
import type { Overlay, PanelState } from '../panel-state.ts';

export function reduceModels(state: PanelState, event: PanelEvent): PanelState {
  const { overlay } = state;
  switch (event.type) {
    case 'get-model-pressed':
    case 'licence-declined':
      return { ...state, overlay: modelList('get') };
    // The server tells of downloads after this, where there are any.
    case 'link-changed':
      return event.link.name === 'online' ? { ...state, downloads: [] } : state;
    case 'downloads-told':
      return { ...state, downloads: event.downloads };
    case 'model-download-pressed': {
      const isBegun = state.downloads.some(({ id }) => id === event.modelId);
      const offer = state.models?.offers.find(({ id }) => id === event.modelId);
      if (isBegun || offer === undefined) return state;
      const { id: modelId, title } = offer;
      return { ...state, overlay: { name: 'licence', modelId, title, licence: null, problem: null } };
    }
    case 'licence-read':
      if (overlay?.name !== 'licence' || overlay.modelId !== event.licence.modelId) return state;
      return { ...state, overlay: { ...overlay, licence: event.licence, problem: null } };
    case 'licence-failed':
      if (overlay?.name !== 'licence') return state;
      return { ...state, overlay: { ...overlay, problem: event.problem } };
    case 'licence-accepted':
      return overlay?.name === 'licence' ? { ...state, overlay: modelList('get') } : state;
    case 'model-remove-confirmed':
      return { ...state, overlay: modelList(event.kind === 'lora' ? 'loras' : 'models') };
    case 'model-arrived': {
      // Who waited for a model for real footage wants to use it.
      const isPractice = chosenModel(state)?.vocabulary != null;
      const isUsable =
        state.models?.models.some(({ id, problem }) => id === event.modelId && problem === null) === true;
      return isPractice && isUsable ? { ...state, form: { ...state.form, model: event.modelId } } : state;
    }
    case 'sample-taken': {
      const { sourcePrompt, prompts } = event.sample;
      const words = { prompt: prompts[0] ?? '', sourcePrompt, negativePrompt: '' };
      return { ...state, page: 'edit', overlay: null, form: { ...state.form, ...words, model: event.modelId } };
    }
    default:
      return state;
  }
}

function modelList(kind: ListKind): Overlay {
  return { name: 'models', kind, filter: '', isLooking: true, problem: null };
}
