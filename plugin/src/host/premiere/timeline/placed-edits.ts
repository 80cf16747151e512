// Which edits were made in a sequence, and how. The records are in the sequence's Properties, so that they travel with
// the project and are undone with the placing. They are also in the panel's own folder, so that a version that was undone
// can still be brought back. The edits on the timeline are not recorded here: placed-versions.ts reads the timeline.

import { flag, integer, list, number, object, oneOf, parse, text, where } from '../../../../../protocol/fields.ts';
import { editVersion, withVersionsOfToday } from '../../edit-versions.ts';
import type { PlacedEdit, EditVersion } from '../../edits.ts';
import type { HostStorage } from '../../host.ts';
import type { TimelineSnapshot } from '../../selection.ts';
import type { Action, Properties, Sequence, Surroundings } from '../api.ts';

/** An edit of a clip on a timeline, without what only the timeline knows. */
export interface StoredEdit extends Omit<PlacedEdit, 'placed'> {
  readonly original: TimelineSnapshot;
  readonly place: NonNullable<PlacedEdit['place']>;
}

const propertyName = 'tokenflow.edits';
const maxEdits = 10_000;
const maxVersions = 1_000;
const maxText = 100_000;

export interface EditRecords {
  /** The edits of a sequence, the oldest first. A record that cannot be read is left out and logged. */
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

  async function readProperty(sequence: Sequence): Promise<readonly StoredEdit[]> {
    if (!hasProperties) return [];
    const properties = await ppro.Properties.getProperties(sequence);
    // getValue throws for a missing key.
    return properties.hasValue(propertyName) ? read(properties.getValue(propertyName)) : [];
  }

  function read(text: string): readonly StoredEdit[] {
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

const ticks = where(text({ min: 1, max: 30 }), (value) =>
  /^-?\d+$/.test(value) ? undefined : 'must be a whole number of ticks.',
);
const name = text({ max: maxText });
const trackIndex = integer(0, 10_000);

const timelineSnapshot = object({
  kind: oneOf(['timeline']),
  projectId: name,
  sequenceId: name,
  sequenceName: name,
  trackIndex,
  start: ticks,
  end: ticks,
  inPoint: ticks,
  outPoint: ticks,
  ticksPerFrame: ticks,
  itemId: name,
  mediaPath: name,
  speed: number(-Number.MAX_VALUE, Number.MAX_VALUE),
  isReversed: flag,
});

const storedEdit = object({
  editId: text({ min: 1, max: 100 }),
  original: timelineSnapshot,
  originalName: name,
  place: object({ sequenceId: text({ max: 200 }), trackIndex, start: ticks, end: ticks }),
  versions: list(editVersion, maxVersions),
});

const editRecord = object({ edits: list(storedEdit, maxEdits) });

function ofToday(record: unknown): unknown {
  if (typeof record !== 'object' || record === null || !('edits' in record) || !Array.isArray(record.edits))
    return record;
  return { ...record, edits: record.edits.map(withVersionsOfToday) };
}

/** Throws FieldError, or SyntaxError for text that is not JSON. */
export function parseStoredEdits(text: string): readonly StoredEdit[] {
  return parse(editRecord, ofToday(JSON.parse(text)), 'record').edits;
}

/** Reads a snapshot that was kept as JSON. Throws FieldError. */
export function parseTimelineSnapshot(value: unknown, path: string): TimelineSnapshot {
  return parse(timelineSnapshot, value, path);
}
