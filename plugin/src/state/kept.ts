// What outlives the panel, as texts. A text that cannot be read is left out with a complaint; the rest is used.

import { parseEditSettings } from '../../../protocol/edit-settings.ts';
import { readFields } from '../../../protocol/fields.ts';
import { maxPromptCharacters } from '../../../protocol/limits.ts';
import { techniqueNames } from '../../../protocol/techniques.ts';
import type { Kept } from './events.ts';
import type { EditForm } from './form.ts';
import type { HistoryEntry, Pace } from './panel-state.ts';
import { readPresets } from './presets.ts';
import { isOver, type Task } from './task.ts';

/** Finished tasks are kept too, so that a failure that nobody has seen is still there tomorrow; not for ever. */
const maxTasks = 50;

export function writeTasks(tasks: readonly Task[]): string {
  return JSON.stringify(tasks.slice(0, maxTasks));
}

export function writePaces(paces: Readonly<Record<string, Pace>>): string {
  return JSON.stringify(paces);
}

/** Words are in the history; what is kept of the form is how a person likes to work. */
export function writeForm({ dial, technique, codec, isSeedLocked, model }: EditForm): string {
  return JSON.stringify({ dial, technique, codec, isSeedLocked, model });
}

export function writeHistory(history: readonly HistoryEntry[]): string {
  return JSON.stringify(history);
}

/** `read(name)` gives the text of that name, or null. */
export function readKept(read: (name: string) => string | null): {
  readonly kept: Kept;
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
  const kept: Kept = {
    presets: tryTo('presets', [], (text) => readPresets(text, (index) => `own-${index}`)),
    tasks: tryTo('tasks', [], readTasks),
    paces: tryTo('paces', {}, readPaces),
    form: tryTo('form', {}, readForm),
  };
  return { kept, complaints };
}

export function readHistory(text: string): readonly HistoryEntry[] {
  const file = readFields({ entries: JSON.parse(text) as unknown }, 'history', ['entries']);
  const keys = ['prompt', 'sourcePrompt', 'negativePrompt'] as const;
  return file.objects('entries', 1_000, keys).map((entry) => ({
    prompt: entry.text('prompt', { max: maxPromptCharacters }),
    sourcePrompt: entry.text('sourcePrompt', { max: maxPromptCharacters }),
    negativePrompt: entry.text('negativePrompt', { max: maxPromptCharacters }),
  }));
}

/**
 * What is checked is what the flow goes on with. The rest was written by this panel, and shows nothing worse than a wrong
 * number when somebody else has changed it.
 */
function readTasks(text: string): readonly Task[] {
  const file = readFields({ tasks: JSON.parse(text) as unknown }, 'tasks', ['tasks']);
  return file.items('tasks', maxTasks).flatMap(({ value, path }) => {
    const task = value as Task;
    const fields = readFields(value, path, Object.keys(task));
    fields.text('key', { min: 8, max: 64 });
    fields.nullable('jobId', () => fields.hex('jobId', 32));
    fields.nullable('clipId', () => fields.hex('clipId', 32));
    readFields(task.snapshot, `${path}.snapshot`, Object.keys(task.snapshot)).oneOf('kind', ['timeline', 'file']);
    parseEditSettings(task.settings, `${path}.settings`);
    fields.object('state', Object.keys(task.state)).text('name', { min: 1, max: 20 });
    // A done task has its version; what was canceled is nobody's concern any more.
    return isOver(task) && (task.state.name === 'done' || task.state.name === 'canceled')
      ? []
      : [{ ...task, isCanceling: false }];
  });
}

function readPaces(text: string): Record<string, Pace> {
  const value = JSON.parse(text) as Record<string, unknown>;
  const models = Object.keys(value);
  const file = readFields(value, 'paces', models);
  const keys = ['secondsPerEvaluation', 'evaluationsPerFrameStep', 'steps'];
  return Object.fromEntries(
    models.map((model) => {
      const pace = file.object(model, keys);
      return [
        model,
        {
          secondsPerEvaluation: pace.number('secondsPerEvaluation', 0, Number.MAX_VALUE),
          evaluationsPerFrameStep: pace.number('evaluationsPerFrameStep', 0, Number.MAX_VALUE),
          steps: pace.integer('steps', 1, Number.MAX_SAFE_INTEGER),
        },
      ];
    }),
  );
}

function readForm(text: string): Partial<EditForm> {
  const keys = ['dial', 'technique', 'codec', 'isSeedLocked', 'model'];
  const fields = readFields(JSON.parse(text), 'form', keys);
  return {
    dial: fields.number('dial', 0, 1),
    technique: fields.oneOf('technique', techniqueNames),
    codec: fields.oneOf('codec', ['prores', 'h264']),
    isSeedLocked: fields.flag('isSeedLocked'),
    model: fields.nullable('model', () => fields.text('model', { min: 1, max: 200 })),
  };
}
