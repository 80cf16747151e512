// Versions of an edit as a host has kept them, in a project or in a browser's storage.

import { fromEarlierSettings } from '../../../protocol/earlier-settings.ts';
import { editSettings } from '../../../protocol/edit-settings.ts';
import { integer, nullable, object, text } from '../../../protocol/fields.ts';

const maxText = 100_000;

export const editVersion = object({
  version: integer(1, 1_000_000),
  recipe: object({
    jobId: text({ min: 1, max: 100 }),
    settings: editSettings,
    model: text({ max: 1_000 }),
    createdAt: text({ max: 100 }),
  }),
  resultId: text({ min: 1, max: 1_000 }),
  path: nullable(text({ max: maxText })),
});

/** A stored edit with the present names of its settings. A value without settings is left to the reader that checks it. */
export function withVersionsOfToday(edit: unknown): unknown {
  if (!has(edit, 'versions') || !Array.isArray(edit.versions)) return edit;
  return { ...edit, versions: edit.versions.map(versionOfToday) };
}

function versionOfToday(version: unknown): unknown {
  if (!has(version, 'recipe') || !has(version.recipe, 'settings')) return version;
  return { ...version, recipe: { ...version.recipe, settings: fromEarlierSettings(version.recipe.settings) } };
}

function has<Name extends string>(value: unknown, name: Name): value is Readonly<Record<Name, unknown>> {
  return typeof value === 'object' && value !== null && name in value;
}
