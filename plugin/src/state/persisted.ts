// The stored state, as texts. A text that cannot be read is left out and reported; the rest is used.

import { fromEarlierSettings } from '../../../protocol/earlier-settings.ts';
import { outputCodecs } from '../../../protocol/codecs.ts';
import {
  defaultSettings,
  editSettings,
  guidanceBases,
  guidanceRange,
  maxKeyframeInterval,
  maxSteps,
} from '../../../protocol/edit-settings.ts';
import {
  flag,
  hex,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  openObject,
  parse,
  recordOf,
  text,
  withDefault,
} from '../../../protocol/fields.ts';
import { maxPromptCharacters } from '../../../protocol/limits.ts';
import { loraChoices } from '../../../protocol/lora.ts';
import { techniqueNames } from '../../../protocol/techniques.ts';
import type { PersistedState } from './events.ts';
import { nameStrength } from './earlier-names.ts';
import { emptyForm, panelPipelines, type EditForm } from './form.ts';
import type { HistoryEntry, Throughput } from './panel-state.ts';
import { readPresets } from './presets.ts';
import type { Task } from './task.ts';

/** Finished tasks are kept for some time too, so that a failure that the user has not seen is still there tomorrow. */
const maxTasks = 50;

export function writeTasks(tasks: readonly Task[]): string {
  return JSON.stringify(tasks.slice(0, maxTasks));
}

export function writeThroughputs(throughputs: Readonly<Record<string, Throughput>>): string {
  return JSON.stringify(throughputs);
}

/** The whole form: a panel that was closed or reloaded in the middle of a sentence loses none of it. */
export function writeForm(form: EditForm): string {
  return JSON.stringify(form);
}

export function writeHistory(history: readonly HistoryEntry[]): string {
  return JSON.stringify(history);
}

/** `read(name)` gives the text of that name, or null. */
export function readPersisted(read: (name: string) => string | null): {
  readonly kept: PersistedState;
  readonly complaints: readonly string[];
} {
  const complaints: string[] = [];
  const tryTo = <T>(name: string, otherwise: T, parse: (text: string) => T): T => {
    const text = read(name);
    if (text === null) return otherwise;
    try {
      return parse(text);
    } catch (error) {
      complaints.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return otherwise;
    }
  };
  const kept: PersistedState = {
    presets: tryTo('presets', [], (text) => readPresets(text, (index) => `own-${index}`)),
    tasks: tryTo('tasks', [], readTasks),
    throughputs: tryTo('throughputs', {}, readThroughputs),
    form: tryTo('form', {}, readForm),
  };
  return { kept, complaints };
}

const words = text({ max: maxPromptCharacters });
const keptHistory = object({
  entries: list(object({ prompt: words, sourcePrompt: words, negativePrompt: words }), 1_000),
});

export function readHistory(text: string): readonly HistoryEntry[] {
  return parse(keptHistory, { entries: JSON.parse(text) as unknown }, 'history').entries;
}

/**
 * Only the fields that the flow continues with are checked. This panel wrote the rest; if another program has changed it,
 * the worst effect is a wrong number on the screen.
 */
const keptTasks = object({
  tasks: list(
    openObject({
      key: text({ min: 8, max: 64 }),
      jobId: nullable(hex(32)),
      clipId: nullable(hex(32)),
      snapshot: openObject({ kind: oneOf(['timeline', 'file']) }),
      settings: editSettings,
      state: openObject({ name: text({ min: 1, max: 20 }) }),
    }),
    maxTasks,
  ),
});

function readTasks(text: string): readonly Task[] {
  const kept: unknown = JSON.parse(text);
  const named = Array.isArray(kept) ? kept.map(withSettingsOfToday) : kept;
  const { tasks } = parse(keptTasks, { tasks: named }, 'tasks');
  // A done task has its version; a canceled task is not needed any more.
  return (tasks as unknown as readonly Task[])
    .filter(({ state }) => state.name !== 'done' && state.name !== 'canceled')
    .map((task) => ({ ...task, isCanceling: false, asked: null }));
}

function withSettingsOfToday(task: unknown): unknown {
  if (typeof task !== 'object' || task === null || !('settings' in task)) return task;
  return { ...task, settings: fromEarlierSettings(task.settings) };
}

const keptThroughputs = recordOf(
  object({
    secondsPerEvaluation: number(0, Number.MAX_VALUE),
    evaluationsPerFrameStep: number(0, Number.MAX_VALUE),
    steps: integer(1, Number.MAX_SAFE_INTEGER),
  }),
  10_000,
  'models',
);

function readThroughputs(text: string): Readonly<Record<string, Throughput>> {
  return parse(keptThroughputs, JSON.parse(text), 'throughputs');
}

const newForm = emptyForm('h264');

/** What earlier versions did not keep is as in a new form. */
const keptForm = object({
  strength: number(0, 1),
  technique: oneOf(techniqueNames),
  codec: oneOf(outputCodecs),
  isSeedLocked: flag,
  model: nullable(text({ min: 1, max: 200 })),
  writesPrompt: withDefault(flag, newForm.writesPrompt),
  keepsLocation: withDefault(flag, newForm.keepsLocation),
  loras: withDefault(loraChoices, newForm.loras),
  prompt: withDefault(words, newForm.prompt),
  sourcePrompt: withDefault(words, newForm.sourcePrompt),
  negativePrompt: withDefault(words, newForm.negativePrompt),
  pipeline: withDefault(oneOf(panelPipelines), newForm.pipeline),
  steps: withDefault(nullable(integer(1, maxSteps)), newForm.steps),
  guideBy: withDefault(nullable(oneOf(guidanceBases)), newForm.guideBy),
  guidance: withDefault(nullable(number(guidanceRange.min, guidanceRange.max)), newForm.guidance),
  keyframeInterval: withDefault(integer(1, maxKeyframeInterval), newForm.keyframeInterval),
  seed: withDefault(integer(0, 2 ** 32 - 1), newForm.seed),
  others: withDefault(openObject({}), {}),
});

function readForm(text: string): Partial<EditForm> {
  const form = parse(keptForm, nameStrength(JSON.parse(text)), 'form');
  // The others are read as the settings that they are a part of.
  parse(
    editSettings,
    { ...defaultSettings(form.technique), prompt: 'any', steps: form.steps, ...form.others },
    'form.others',
  );
  return form;
}
