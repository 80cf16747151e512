// The form, its presets and its history.

import type { PanelEvent } from '../events.ts';
import { fromSettings, withChange } from '../form.ts';
import type { HistoryEntry, PanelState } from '../panel-state.ts';
import { applyPreset, builtInPresets, maxPresets, presetOf } from '../presets.ts';

const maxHistory = 50;

export function reduceForm(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'form-changed':
      return { ...state, form: withChange(state.form, event.change) };
    case 'loras-listed':
      return { ...state, loras: event.loras };
    case 'control-picture-changed': {
      const { kind, url } = event;
      const others = Object.entries(state.controlPictures).filter(([other]) => other !== kind);
      return { ...state, controlPictures: Object.fromEntries(url === null ? others : [...others, [kind, url]]) };
    }
    case 'advanced-toggled':
      return { ...state, isAdvancedOpen: !state.isAdvancedOpen };
    case 'seed-rolled':
      return { ...state, form: { ...state.form, seed: event.seed } };
    case 'preset-chosen': {
      const preset = state.presets.find(({ id }) => id === event.id);
      return preset === undefined ? state : { ...state, form: applyPreset(state.form, preset) };
    }
    case 'preset-saved': {
      const name = event.name.trim();
      if (name === '') return state;
      const others = state.presets.filter((preset) => preset.isBuiltIn || preset.name !== name);
      if (others.length >= maxPresets + builtInPresets.length) return state;
      return { ...state, presets: [...others, presetOf(state.form, event.id, name)] };
    }
    case 'preset-removed':
      return {
        ...state,
        presets: state.presets.filter(({ id, isBuiltIn }) => isBuiltIn || id !== event.id),
      };
    case 'presets-imported': {
      const names = new Set(event.presets.map(({ name }) => name));
      const kept = state.presets.filter(({ isBuiltIn, name }) => isBuiltIn || !names.has(name));
      return { ...state, presets: [...kept, ...event.presets] };
    }
    case 'kept-read': {
      const { presets, tasks, throughputs, form } = event.kept;
      return {
        ...state,
        presets: [...builtInPresets, ...presets],
        tasks: [...tasks, ...state.tasks],
        throughputs: { ...throughputs, ...state.throughputs },
        form: { ...state.form, ...form },
      };
    }
    case 'history-read':
      return { ...state, history: event.history.slice(0, maxHistory) };
    case 'history-added': {
      const isOther = (entry: HistoryEntry): boolean => JSON.stringify(entry) !== JSON.stringify(event.entry);
      const history = [event.entry, ...state.history.filter(isOther)].slice(0, maxHistory);
      return { ...state, history };
    }
    case 'history-chosen':
      return { ...state, form: { ...state.form, ...event.entry } };
    case 'rerun-pressed': {
      const edit = state.edits.find(({ editId }) => editId === event.editId);
      const recipe = edit?.versions.find(({ version }) => version === event.version)?.recipe;
      if (recipe === undefined) return state;
      const { codec, followsSequence } = state.form;
      const form = { ...fromSettings(recipe.settings, recipe.model, codec), followsSequence };
      return { ...state, form, rerunOf: event.editId, page: 'edit' };
    }
    case 'rerun-dropped':
      return { ...state, rerunOf: null };
    default:
      return state;
  }
}
