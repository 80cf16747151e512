// A host in memory: a selection that tests change, edits that are records only, files that are counted.

import type { PlacedEdit, PlaceRequest, WrittenFacts } from '../../host/edits.ts';
import { abilityNames, type Host, type ResultWriter } from '../../host/host.ts';
import { HostError } from '../../host/problems.ts';
import type { SelectedClip, SelectionReading } from '../../host/selection.ts';

export const clipBytes = Uint8Array.from({ length: 300 }, (_, at) => at & 255);

export interface FakeHost extends Host {
  /** What happened, in order. */
  readonly log: string[];
  readonly placed: PlaceRequest[];
  /** What the next placing is refused with, unless it is to be done anyway. */
  refusal: HostError | null;
  readonly records: PlacedEdit[];
  /** What the host reads otherwise of an imported result. */
  misreads: (written: WrittenFacts) => readonly string[];
  /** What taking a sample clip is refused with. */
  sampleRefusal: HostError | null;
  /** The next export fails so. */
  refuseExport(error: HostError): void;
  /** What is kept of the panel. */
  readonly texts: Map<string, string>;
  /** What the person picks where a file is asked for. */
  pick: { readonly name: string; readonly text: string } | null;
  /** Whether the system lets the panel start the app. */
  canStart: boolean;
  /** Whether the clip of an earlier edit can be selected. */
  canSelect: boolean;
  /** Whether the page still has the file that is selected. */
  hasFile: boolean;
  select(selection: SelectionReading): void;
  saveResult(resultId: string): Promise<boolean>;
}

const anyClip = {
  frames: null,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['source'],
  freeTrackIndex: null,
  edit: null,
} as const satisfies Partial<SelectedClip>;

export function createFakeHost(
  first: SelectionReading,
  texts: Map<string, string>,
  isPage = first.clips[0]?.snapshot.kind === 'file',
): FakeHost {
  const log: string[] = [];
  const placed: PlaceRequest[] = [];
  const records: PlacedEdit[] = [];
  const listeners = new Set<() => void>();
  /** Results that are here as files. */
  const files = new Set<string>();
  let selection = first;
  let exportRefusal: HostError | null = null;
  const done = Promise.resolve();

  function change(editId: string, part: Partial<PlacedEdit>): Promise<PlacedEdit> {
    const at = records.findIndex((record) => record.editId === editId);
    const found = records[at];
    if (found === undefined) return Promise.reject(new HostError('edit-missing', editId));
    const next = { ...found, ...part };
    records[at] = next;
    return Promise.resolve(next);
  }

  function place(request: PlaceRequest): Promise<PlacedEdit> {
    if (host.refusal !== null && !request.evenIfChanged) return Promise.reject(host.refusal);
    placed.push(request);
    const { original, originalName, recipe, editId, result } = request;
    const earlier = records.find((record) => record.editId === editId);
    const version = (earlier?.versions.length ?? 0) + 1;
    const made = { version, recipe, ...result };
    if (earlier !== undefined) {
      return change(earlier.editId, { versions: [...earlier.versions, made], placed: version });
    }
    const record: PlacedEdit = {
      editId: `e${records.length + 1}`,
      original,
      originalName,
      place: null,
      placed: 1,
      versions: [made],
    };
    records.push(record);
    return Promise.resolve(record);
  }

  const host: FakeHost = {
    log,
    placed,
    records,
    texts,
    refusal: null,
    misreads: () => [],
    sampleRefusal: null,
    pick: null,
    canStart: true,
    canSelect: true,
    hasFile: true,
    kind: isPage ? 'browser' : 'premiere',
    product: 'P',
    abilities: Object.fromEntries(
      abilityNames.map((name) => [
        name,
        { name, isThere: !(isPage && name === 'timeline'), fallback: null, detail: '' },
      ]),
    ) as Host['abilities'],
    refuseExport(error) {
      exportRefusal = error;
    },
    select(next) {
      selection = next;
      for (const listener of listeners) listener();
    },
    saveResult(resultId) {
      log.push(`save ${resultId} ${files.has(resultId)}`);
      return Promise.resolve(files.has(resultId));
    },
    selection: {
      read: () => Promise.resolve(selection),
      select(snapshot) {
        if (!host.canSelect) return Promise.resolve(false);
        const key = snapshot.kind === 'file' ? snapshot.fileId : snapshot.itemId;
        const name = snapshot.kind === 'file' ? snapshot.fileName : snapshot.mediaPath;
        host.select({ ...selection, clips: [{ ...anyClip, key, name, snapshot }], empty: null });
        return Promise.resolve(true);
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    clips: {
      export() {
        const refused = exportRefusal;
        exportRefusal = null;
        if (refused !== null) return Promise.reject(refused);
        if (!host.hasFile) return Promise.reject(new HostError('file-missing', 'The file is not there.'));
        log.push('exported');
        return Promise.resolve({
          sizeBytes: clipBytes.length,
          extension: 'mov',
          range: null,
          frames: 50,
          read: (offset, length) => Promise.resolve(clipBytes.slice(offset, offset + length)),
          dispose: () => {
            log.push('disposed');
            return done;
          },
        });
      },
      takeSample({ fileName, title, bytes }) {
        if (host.sampleRefusal !== null) return Promise.reject(host.sampleRefusal);
        log.push(`sample ${fileName}, ${title}, ${bytes.join(' ')}`);
        return done;
      },
      recover: () => Promise.resolve([]),
    },
    files: {
      openResult: ({ jobId }) => Promise.resolve(createWriter(jobId)),
      openText: () => Promise.resolve(host.pick),
      saveText(name, text) {
        log.push(`${name}: ${text}`);
        return Promise.resolve(true);
      },
      pickExportPreset: () => Promise.resolve(host.pick !== null),
    },
    timeline: {
      importResult({ location }) {
        files.add(location);
        return Promise.resolve({ resultId: location, path: location });
      },
      checkImport: (_result, written) => done.then(() => host.misreads(written)),
      place,
      edits: () => Promise.resolve([...records]),
      showVersion: (editId, version) => change(editId, { placed: version }),
      revert: (editId) => change(editId, { placed: null }),
      forgetVersion(editId, version) {
        const versions = records.find((one) => one.editId === editId)?.versions ?? [];
        return change(editId, { versions: versions.filter((one) => one.version !== version) });
      },
      setShown(editId, isShown) {
        log.push(`${editId} ${isShown ? 'shown' : 'hidden'}`);
        return done;
      },
      isShown: (editId) => Promise.resolve(log.filter((line) => line.startsWith(editId)).at(-1) !== `${editId} hidden`),
      openOriginal(editId) {
        log.push(`original of ${editId}`);
        return done;
      },
      playhead: () => Promise.resolve(null),
    },
    storage: {
      read: (key) => Promise.resolve(texts.get(key) ?? null),
      write(key, text) {
        if (text === null) texts.delete(key);
        else texts.set(key, text);
        return done;
      },
      readSecret: () => Promise.resolve(null),
      writeSecret: () => done,
    },
    theme: { current: () => 'dark', subscribe: () => () => undefined },
    shell: {
      subscribe: () => () => undefined,
      copyText: () => Promise.resolve(true),
      openLogFolder: () => Promise.resolve(false),
      startServer() {
        log.push('start asked');
        return Promise.resolve(host.canStart);
      },
      logFolder: null,
      log: (line) => log.push(line),
    },
    readServerNote: () => Promise.resolve(null),
  };

  function createWriter(jobId: string): ResultWriter {
    let receivedBytes = 0;
    return {
      get receivedBytes() {
        return receivedBytes;
      },
      write(_offset, piece) {
        receivedBytes += piece.length;
        return done;
      },
      read: () => Promise.reject(new Error('Nothing was there before.')),
      finish() {
        log.push(`wrote ${receivedBytes}`);
        return Promise.resolve({ location: jobId, name: 'r.mov', sizeBytes: receivedBytes });
      },
      pause: () => done,
      discard: () => done,
    };
  }
  return host;
}
