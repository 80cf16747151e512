// Stores the state that outlives the panel: presets, tasks, throughputs, the form, and the history of each project. Writes
// a moment after the last change, so that a progress bar does not write files; a task's change of step is written at once.

import { createTurns } from '../../../protocol/turns.ts';
import type { PanelEvent } from '../state/events.ts';
import {
  readPersisted,
  writeForm,
  writeThroughputs,
  writeTasks,
  readHistory,
  writeHistory,
} from '../state/persisted.ts';
import type { PanelState } from '../state/panel-state.ts';
import { readPresets, writePresets } from '../state/presets.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { problemOf } from './problem-of.ts';

const debounceMs = 1_000;

const files = {
  presets: ({ presets }: PanelState) => writePresets(presets),
  tasks: ({ tasks }: PanelState) => writeTasks(tasks),
  throughputs: ({ throughputs }: PanelState) => writeThroughputs(throughputs),
  form: ({ form }: PanelState) => writeForm(form),
} as const;
/** Of `throughputs`, in earlier versions. */
const earlierName = 'paces';
type FileName = keyof typeof files;

export function startPersistence({ host, store, clock, random }: EffectDeps): StopEffect {
  const { dispatch } = store;
  const written = new Map<string, string>();
  let cancelDebounce: () => void = () => undefined;
  let isLoaded = false;
  let projectId: string | null = null;
  const writes = createTurns();

  async function load(): Promise<void> {
    const texts = new Map<string, string | null>();
    for (const name of Object.keys(files)) texts.set(name, await host.storage.read(name));
    if (texts.get('throughputs') === null) texts.set('throughputs', await host.storage.read(earlierName));
    const { kept, complaints } = readPersisted((name) => texts.get(name) ?? null);
    for (const complaint of complaints) host.shell.log(`Kept state was left out: ${complaint}`);
    isLoaded = true;
    dispatch({ type: 'kept-read', kept });
    // Changes that came meanwhile must not wait for the next change.
    if (store.state.tasks.length > kept.tasks.length) save();
  }

  async function loadHistory(id: string): Promise<void> {
    const text = await host.storage.read(historyKey(id));
    if (projectId !== id) return;
    const history = text === null ? [] : readHistory(text);
    written.set(historyKey(id), writeHistory(history));
    dispatch({ type: 'history-read', history });
  }

  function save(): void {
    cancelDebounce();
    const { state } = store;
    for (const name of Object.keys(files) as FileName[]) put(name, files[name](state));
    if (projectId !== null && written.has(historyKey(projectId))) {
      put(historyKey(projectId), writeHistory(state.history));
    }
  }

  function put(key: string, text: string): void {
    if (written.get(key) === text) return;
    written.set(key, text);
    writes
      .take(() => host.storage.write(key, text))
      .catch((error: unknown) => {
        written.delete(key);
        host.shell.log(`${key} could not be kept: ${String(error)}`);
      });
  }

  async function importPresets(): Promise<void> {
    const file = await host.files.openText('.json');
    if (file === null) return;
    const stamp = Math.floor(random() * 1e9).toString(36);
    try {
      const presets = readPresets(file.text, (index) => `own-${stamp}-${index}`);
      dispatch({ type: 'presets-imported', presets });
      dispatch({ type: 'toast-raised', text: 'presets-imported', problem: null });
    } catch (error) {
      dispatch({ type: 'toast-raised', text: 'presets-unreadable', problem: problemOf(error) });
    }
  }

  const fail = (error: unknown): void => dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });

  function answer(event: PanelEvent, state: PanelState): void {
    if (event.type === 'selection-read') {
      const id = event.selection.project?.id ?? null;
      if (id !== null && id !== projectId) {
        projectId = id;
        loadHistory(id).catch(fail);
      }
    }
    if (event.type === 'presets-import-pressed') importPresets().catch(fail);
    if (event.type === 'presets-export-pressed') {
      host.files
        .saveText('tokenflow-presets.json', writePresets(state.presets))
        .then((isSaved) => isSaved && dispatch({ type: 'toast-raised', text: 'saved', problem: null }), fail);
    }
    if (event.type === 'preset-saved') {
      dispatch({ type: 'toast-raised', text: 'preset-saved', problem: null });
    }
    if (!isLoaded) return;
    if (event.type === 'task-added' || event.type === 'task-taken') save();
    else if (isWorthKeeping(event)) {
      cancelDebounce();
      cancelDebounce = clock.after(debounceMs, save);
    }
  }

  const stopListening = store.subscribe(answer);
  load().catch((error: unknown) => {
    isLoaded = true;
    host.shell.log(`Kept state could not be read: ${String(error)}`);
  });
  return () => {
    stopListening();
    cancelDebounce();
    if (isLoaded) save();
  };
}

/** Progress comes often, and the server sends it again. */
function isWorthKeeping({ type }: PanelEvent): boolean {
  return ![
    'job-progress',
    'jobs-moved',
    'prepare-progress',
    'picture-changed',
    'play-ticked',
    'divider-moved',
  ].includes(type);
}

function historyKey(projectId: string): string {
  return `history.${projectId.replaceAll(/[^A-Za-z0-9-]/g, '-')}`;
}
