// The APIs that this folder uses: types of Premiere's module, and the used parts of UXP's modules. Adobe's UXP
// typings have callbacks where the documentation has promises, so these are narrower types of our own.
//
// Enumerations of Premiere exist at run time only as `ppro.Constants`; never write their values as literals.

export type {
  Action,
  ClipProjectItem,
  CompoundAction,
  EncoderManager,
  FolderItem,
  premierepro as PremiereModule,
  Project,
  ProjectItem,
  Properties,
  Sequence,
  TickTime,
  TrackItemSelection,
  AudioClipTrackItem,
  VideoClipTrackItem,
  VideoTrack,
} from '@adobe/premierepro';
import type { premierepro } from '@adobe/premierepro';

/** UXP's `fs`. Paths are native, or begin with `plugin-data:/` or `plugin:/`. */
export interface UxpFs {
  readFile(path: string, options: { encoding: 'utf-8' }): Promise<string | ArrayBuffer>;
  writeFile(path: string, data: string, options: { encoding: 'utf-8'; flag?: 'w' | 'a' }): Promise<number>;
  open(path: string, flag: 'r' | 'r+' | 'w+'): Promise<number>;
  close(fd: number): Promise<unknown>;
  read(
    fd: number,
    buffer: ArrayBuffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  write(
    fd: number,
    buffer: ArrayBuffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  /** `isSymbolicLink` is not declared for every version. */
  lstat(path: string): Promise<{ readonly size: number; isDirectory(): boolean; isSymbolicLink?(): boolean }>;
  rename(from: string, to: string): Promise<unknown>;
  unlink(path: string): Promise<unknown>;
  mkdir(path: string, options: { recursive: boolean }): Promise<unknown>;
  readdir(path: string): Promise<string[]>;
}

export interface UxpFile {
  readonly name: string;
  readonly nativePath: string;
  read(): Promise<string | ArrayBuffer>;
  write(text: string): Promise<unknown>;
}

/** UXP's `uxp`. What may be absent is optional, and probe.ts looks for it. */
export interface UxpModule {
  readonly entrypoints: { setup(entrypoints: object): void };
  readonly host: { readonly name: string; readonly version: string };
  readonly storage: {
    readonly localFileSystem: {
      getDataFolder(): Promise<{ readonly nativePath: string }>;
      getFileForOpening(options: { types: string[] }): Promise<UxpFile | null>;
      getFileForSaving(name: string, options: { types: string[] }): Promise<UxpFile | null>;
    };
    readonly secureStorage?: {
      setItem(key: string, value: string): Promise<void>;
      getItem(key: string): Promise<Uint8Array | null>;
      removeItem(key: string): Promise<void>;
    };
  };
  readonly shell?: {
    openPath(path: string, developerText: string): Promise<string>;
    openExternal(address: string, developerText: string): Promise<string>;
  };
}

/** The globals of UXP that browsers do not have, and those that may be absent. */
export interface UxpGlobals {
  readonly theme:
    | {
        getCurrent(): string;
        readonly onUpdated: { addListener(listener: (theme: string) => void): void };
      }
    | undefined;
  readonly clipboard: { setContent(content: Record<string, string>): Promise<unknown> } | undefined;
}

/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number;
  wait(ms: number): Promise<void>;
  /** Calls `task` once after `ms`, unless the returned function is called before. */
  after(ms: number, task: () => void): () => void;
}

/** Everything that the panel gets from outside while it runs in Premiere. */
export interface Surroundings {
  readonly ppro: premierepro;
  readonly uxp: UxpModule;
  readonly fs: UxpFs;
  readonly globals: UxpGlobals;
  readonly clock: Clock;
  /** `darwin`, `win32` or `win10`. */
  readonly platform: string;
  /** The user's home folder; null where UXP does not tell. */
  readonly home: string | null;
}
