// Which edits were made in a sequence, and how. The records lie in the sequence's Properties, so that they travel with
// the project and are undone with the placing; and again in the panel's own folder, so that a version that was undone
// can still be brought back. What stands on the timeline is never kept here: placed-versions.ts looks.

import { parseEditSettings } from '../../../../protocol/edit-settings.ts';
import { FieldError, readFields, type FieldReader } from '../../../../protocol/fields.ts';
import type { EditRecord, EditVersion } from '../edits.ts';
import type { HostStorage } from '../host.ts';
import type { TimelineSnapshot } from '../selection.ts';
import type { Action, Properties, Sequence, Surroundings } from './api.ts';

/** An edit of a clip on a timeline, without what only the timeline knows. */
export interface StoredEdit extends Omit<EditRecord, 'placed'> {
  readonly original: TimelineSnapshot;
  readonly place: NonNullable<EditRecord['place']>;
}

const propertyName = 'tokenflow.edits';
const maxEdits = 10_000;
const maxVersions = 1_000;
const maxText = 100_000;

export interface EditRecords {
  /** The edits of a sequence, the oldest first. A record that cannot be read is left out and told to the log. */
  read(sequence: Sequence): Promise<StoredEdit[]>;
  /** Makes the action that writes the records; called within a transaction. Null where sequences keep none. */
  writer(sequence: Sequence, edits: readonly StoredEdit[]): Promise<(() => Action) | null>;
  /** Keeps the records in the panel's folder as well; after the transaction. */
  remember(sequenceId: string, edits: readonly StoredEdit[]): Promise<void>;
}

export function createEditRecords(
  { ppro }: Surroundings,
  storage: HostStorage,
  log: (line: string) => void,
  hasProperties: boolean,
): EditRecords {
  const storageKey = (sequenceId: string): string => `edits.${sequenceId}`;

  async function readProperty(sequence: Sequence): Promise<StoredEdit[]> {
    if (!hasProperties) return [];
    const properties = await ppro.Properties.getProperties(sequence);
    // getValue throws for what is not there.
    return properties.hasValue(propertyName) ? read(properties.getValue(propertyName)) : [];
  }

  function read(text: string): StoredEdit[] {
    try {
      return parseStoredEdits(text);
    } catch (error) {
      log(`Records of edits could not be read: ${String(error)}`);
      return [];
    }
  }

  return {
    async read(sequence) {
      const remembered = await storage.read(storageKey(sequence.guid.toString()));
      return mergeEdits(await readProperty(sequence), remembered === null ? [] : read(remembered));
    },
    async writer(sequence, edits) {
      if (!hasProperties) return null;
      const properties: Properties = await ppro.Properties.getProperties(sequence);
      const text = JSON.stringify({ edits });
      return () => properties.createSetValueAction(propertyName, text, ppro.Constants.PropertyType.PERSISTENT);
    },
    remember: (sequenceId, edits) => storage.write(storageKey(sequenceId), JSON.stringify({ edits })),
  };
}

/** Both lists as one. A version that both have is `first`'s; one that only `second` has keeps its number if it is free. */
export function mergeEdits(first: readonly StoredEdit[], second: readonly StoredEdit[]): StoredEdit[] {
  const merged = first.map((edit) => {
    const other = second.find(({ editId }) => editId === edit.editId);
    return other === undefined ? edit : { ...edit, versions: mergeVersions(edit, other) };
  });
  const known = new Set(first.map(({ editId }) => editId));
  return [...merged, ...second.filter(({ editId }) => !known.has(editId))];
}

function mergeVersions(first: StoredEdit, second: StoredEdit): EditVersion[] {
  const missing = second.versions.filter((version) =>
    first.versions.every((known) => known.version !== version.version && known.recipe.jobId !== version.recipe.jobId),
  );
  return [...first.versions, ...missing].sort((a, b) => a.version - b.version);
}

/** Throws FieldError, or SyntaxError for what is no JSON. */
export function parseStoredEdits(text: string): StoredEdit[] {
  const fields = readFields(JSON.parse(text), 'record', ['edits']);
  const keys = ['editId', 'original', 'originalName', 'place', 'versions'];
  return fields.objects('edits', maxEdits, keys).map((edit) => {
    const place = edit.object('place', ['sequenceId', 'trackIndex', 'start', 'end']);
    return {
      editId: edit.text('editId', { min: 1, max: 100 }),
      original: parseTimelineSnapshot(edit.value('original'), `${edit.path}.original`),
      originalName: edit.text('originalName', { max: maxText }),
      place: {
        sequenceId: place.text('sequenceId', { max: 200 }),
        trackIndex: place.integer('trackIndex', 0, 10_000),
        start: readTicks(place, 'start'),
        end: readTicks(place, 'end'),
      },
      versions: edit.objects('versions', maxVersions, ['version', 'recipe', 'resultId', 'path']).map(readVersion),
    };
  });
}

function readVersion(fields: FieldReader): EditVersion {
  const recipe = fields.object('recipe', ['jobId', 'settings', 'model', 'createdAt']);
  return {
    version: fields.integer('version', 1, 1_000_000),
    recipe: {
      jobId: recipe.text('jobId', { min: 1, max: 100 }),
      settings: parseEditSettings(recipe.value('settings'), `${recipe.path}.settings`),
      model: recipe.text('model', { max: 1_000 }),
      createdAt: recipe.text('createdAt', { max: 100 }),
    },
    resultId: fields.text('resultId', { min: 1, max: 1_000 }),
    path: fields.nullable('path', () => fields.text('path', { max: maxText })),
  };
}

/** Reads a snapshot that was kept as JSON. Throws FieldError. */
export function parseTimelineSnapshot(value: unknown, path: string): TimelineSnapshot {
  const fields = readFields(value, path, [
    ...['kind', 'projectId', 'sequenceId', 'sequenceName', 'trackIndex', 'start', 'end'],
    ...['inPoint', 'outPoint', 'ticksPerFrame', 'itemId', 'mediaPath', 'speed', 'isReversed'],
  ]);
  const id = (key: string): string => fields.text(key, { max: maxText });
  return {
    kind: fields.oneOf('kind', ['timeline']),
    projectId: id('projectId'),
    sequenceId: id('sequenceId'),
    sequenceName: id('sequenceName'),
    trackIndex: fields.integer('trackIndex', 0, 10_000),
    start: readTicks(fields, 'start'),
    end: readTicks(fields, 'end'),
    inPoint: readTicks(fields, 'inPoint'),
    outPoint: readTicks(fields, 'outPoint'),
    ticksPerFrame: readTicks(fields, 'ticksPerFrame'),
    itemId: id('itemId'),
    mediaPath: id('mediaPath'),
    speed: fields.number('speed', -Number.MAX_VALUE, Number.MAX_VALUE),
    isReversed: fields.flag('isReversed'),
  };
}

function readTicks(fields: FieldReader, key: string): string {
  const ticks = fields.text(key, { min: 1, max: 30 });
  if (/^-?\d+$/.test(ticks)) return ticks;
  throw new FieldError(`${fields.path}.${key}`, 'must be a whole number of ticks.');
}
