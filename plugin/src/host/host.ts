// The interface between the panel and its host program: Premiere, or a web browser. Everything that the panel knows
// about the host is in this interface and the types beside it (selection.ts, edits.ts, ticks.ts, problems.ts).
//
// Promises are rejected with HostError or CanceledError only. Listeners are called one at a time, never during a call
// into the host, and what they throw goes to the log. Nothing here blocks the host's own thread for long.

import type { ClipExtension } from '../../../protocol/messages/clip-messages.ts';
import type { ServerNote } from '../../../protocol/identity.ts';
import type { Signal } from '../../../protocol/errors.ts';
import type { PlacedEdit, ImportedResult, PlaceRequest, ResultFile, WrittenFacts } from './edits.ts';
import type { ClipSnapshot, ExportMode, SelectionReading } from './selection.ts';
import type { Ticks } from './ticks.ts';

export type Unsubscribe = () => void;

/** The installed app answers to this address: the system starts it, in the background. */
export const startAddress = 'tokenflow://start';

export interface Host {
  readonly kind: 'premiere' | 'browser';
  /** Name and version of the program, for diagnostics. */
  readonly product: string;
  /** What this host can do, found out when it was made. */
  readonly abilities: Abilities;
  readonly selection: HostSelection;
  readonly clips: HostClips;
  readonly timeline: HostTimeline;
  readonly files: HostFiles;
  readonly storage: HostStorage;
  readonly theme: HostTheme;
  readonly shell: HostShell;
  /** What the running server of this user has left for its panels; null where nothing can be read. Never rejected. */
  readServerNote(): Promise<ServerNote | null>;
}

/** `fallback` is what happens instead; null when nothing does, and the panel hides the function. */
export interface Ability {
  readonly name: AbilityName;
  readonly isThere: boolean;
  readonly fallback: Fallback | null;
  /** For diagnostics: which functions were looked for, and which are missing. */
  readonly detail: string;
}

export const abilityNames = [
  'timeline', // there is one: place, compare, revert
  'selection-events', // else: a Refresh button
  'rendered-export', // with effects, from a cloned sequence
  'export-events', // else: watching the file grow
  'source-export',
  'system-presets', // else: a file picker
  'sequence-records', // recipes kept in the sequence; else: in the panel's own folder
  'source-monitor', // original beside the Program monitor
  'secure-storage', // else: the panel's own folder
  'folder-opening',
  'theme-events',
  'video', // H.264 plays in the panel; else: pictures, one after the other
] as const;
export type AbilityName = (typeof abilityNames)[number];

export type Fallback =
  | 'refresh-button'
  | 'source-export'
  | 'rendered-export'
  | 'watch-file'
  | 'pick-preset'
  | 'panel-folder'
  | 'show-path'
  | 'at-next-start'
  | 'pictures';

export type Abilities = Readonly<Record<AbilityName, Ability>>;

export interface HostSelection {
  /** Reads the selection again. Never rejected because of the selection: the reading has the reasons. */
  read(): Promise<SelectionReading>;
  /** Selects the clip of an earlier edit, to edit it again. False where the user has to do it. */
  select(snapshot: ClipSnapshot): Promise<boolean>;
  /** Called when the selection may have changed, not more than a few times per second. */
  subscribe(listener: () => void): Unsubscribe;
}

/** A clip that is ready to be sent. */
export interface ExportedClip {
  readonly sizeBytes: number;
  readonly extension: ClipExtension | null;
  /** The part of it to edit, for `settings`; null for all of it. */
  readonly range: { readonly startSeconds: number; readonly endSeconds: number } | null;
  /** Frames that the edit must have; null where only the server can count them. */
  readonly frames: number | null;
  /** `length` bytes from `offset` on; fewer only at the end. Reads do not overlap. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Closes the file, and removes it if it was made for this. Safe to call twice. */
  dispose(): Promise<void>;
}

/** A small clip that comes with a model. */
export interface SampleClip {
  /** A plain name with its ending, for example `ball-grass.mp4`. */
  readonly fileName: string;
  /** For users. */
  readonly title: string;
  readonly bytes: Uint8Array;
}

export interface HostClips {
  /**
   * Makes a file of exactly the selected piece. At the end the timeline is as before, also after a failure.
   * `onProgress` gets 0..1, or null while only the file's growth is known.
   */
  export(
    snapshot: ClipSnapshot,
    options: {
      readonly mode: ExportMode;
      readonly onProgress?: (progress: number | null) => void;
      readonly signal?: Signal;
    },
  ): Promise<ExportedClip>;
  /**
   * Makes a clip of these bytes the selected one: the page's file, or a clip on a sequence of its own in the project. The
   * user's own sequences stay as they are.
   */
  takeSample(sample: SampleClip): Promise<void>;
  /** Cleans up after a crash (cloned sequences, in and out points). Returns sentences for the log about what it did. */
  recover(): Promise<readonly string[]>;
}

export interface HostTimeline {
  /** Imports a result into the project, into the bin `TokenFlow`. Not undoable; does not change the timeline. */
  importResult(file: ResultFile, signal?: Signal): Promise<ImportedResult>;
  /**
   * What the host reads of an imported result otherwise than it was written, in sentences for the log; none where it agrees
   * or has no project.
   */
  checkImport(result: ImportedResult, written: WrittenFacts): Promise<readonly string[]>;
  /**
   * Puts a result above its original, or replaces the visible version, in one undo step; nothing is
   * placed when the timeline has changed there ('timeline-changed').
   */
  place(request: PlaceRequest): Promise<PlacedEdit>;
  /** Puts a version of an edit back to its position on the timeline, in one undo step. */
  showVersion(editId: string, version: number): Promise<PlacedEdit>;
  /** Shows the edited clip or what is below it. Undoable. */
  setShown(editId: string, isShown: boolean): Promise<void>;
  isShown(editId: string): Promise<boolean>;
  /** Removes the edited clip from the timeline, in one undo step. The record keeps its versions. */
  revert(editId: string): Promise<PlacedEdit>;
  /**
   * Takes a version off the timeline and out of the project, and deletes its file. The record of the edit goes with its last
   * version: the answer has none then.
   */
  forgetVersion(editId: string, version: number): Promise<PlacedEdit>;
  /** The edits of the active sequence. */
  edits(): Promise<readonly PlacedEdit[]>;
  /** Opens the original in the Source monitor, at the playhead's frame. */
  openOriginal(editId: string): Promise<void>;
  /** Position of the playhead; null where there is no sequence. */
  playhead(): Promise<Ticks | null>;
}

/** A result that is being downloaded. Chunks come in order, or again from `receivedBytes` on. */
export interface ResultWriter {
  /** Bytes that are there, also from an earlier attempt; grows with every write. */
  readonly receivedBytes: number;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was written; for the hash of a resumed download. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Gives the file its name. No write after this. */
  finish(): Promise<ResultFile>;
  /** Closes the file and keeps the part, to continue later. */
  pause(): Promise<void>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

export interface HostFiles {
  /** Opens the file for a job's result, next to the project. The same job gets its earlier part again. */
  openResult(name: {
    readonly jobId: string;
    readonly clipName: string;
    /** With its dot, for example `.mov`. */
    readonly extension: string;
  }): Promise<ResultWriter>;
  /** Asks for a text file, for example presets; null when the user picks none. */
  openText(extension: string): Promise<{ readonly name: string; readonly text: string } | null>;
  /** Asks where to save; false when the user cancels. */
  saveText(suggestedName: string, text: string): Promise<boolean>;
  /** Asks for an encoding preset and remembers it; false when the user picks none. */
  pickExportPreset(): Promise<boolean>;
}

/** Small texts that outlive the program. Keys are of letters, digits, `-` and `.`. */
export interface HostStorage {
  read(key: string): Promise<string | null>;
  /** Null removes it. A reader sees the old text or the new one, whole. */
  write(key: string, text: string | null): Promise<void>;
  /** The same for secrets, in the system's secure storage if the host has one. */
  readSecret(key: string): Promise<string | null>;
  writeSecret(key: string, text: string | null): Promise<void>;
}

/** Whether a page may tell of finished edits while it is not looked at; `unasked`: the user can be asked. */
export type Notifications = 'unavailable' | 'unasked' | 'allowed' | 'refused';

export type Theme = 'light' | 'dark';

export interface HostTheme {
  current(): Theme;
  subscribe(listener: (theme: Theme) => void): Unsubscribe;
}

export const panelCommands = ['edit-selection', 're-pair', 'diagnostics', 'open-log', 'about'] as const;
export type PanelCommand = (typeof panelCommands)[number];

export interface HostShell {
  /** Commands of the host's menus. */
  subscribe(listener: (command: PanelCommand) => void): Unsubscribe;
  /** False when the host refuses; then the text should be shown for copying by hand. */
  copyText(text: string): Promise<boolean>;
  /** Opens the folder of the panel's log; false when the host refuses. */
  openLogFolder(): Promise<boolean>;
  /** The log's folder, to show where it cannot be opened; null where there is none. */
  readonly logFolder: string | null;
  /**
   * Asks the system to start the background app, by the address that it has registered (`startAddress`). False when the
   * host refuses; true says only that the system was asked.
   */
  startServer(): Promise<boolean>;
  /** Adds a line to the panel's log. Never throws. */
  log(line: string): void;
}
