// What the library speaks of: places, the folders in them, and the files that lie there.

import type { ModelSource } from '../../../../protocol/model-info.ts';

/** The machine that is looked at. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The user's own folder. */
  readonly home: string;
}

/**
 * What a program keeps in a folder: whole checkpoints, LoRAs, VAEs, embeddings (textual inversion), ControlNets, or networks without
 * the other parts of a checkpoint. `any`: it may be each of them. `repository`: the same, of a hub, which may be without
 * models of pictures, and of which not all files may be there.
 */
export type FolderRole =
  'checkpoints' | 'loras' | 'vaes' | 'embeddings' | 'controlnets' | 'networks' | 'any' | 'repository';

/** A folder to look into. */
export interface PlaceFolder {
  readonly source: ModelSource;
  /** Absolute. */
  readonly dir: string;
  /** For users: below the place, with forward slashes; empty for the place itself. */
  readonly label: string;
  readonly role: FolderRole;
  /** What its only file is called, where that is not the name of the file. */
  readonly named?: string;
  /** `owner/name`, where the folder is one repository of a hub. */
  readonly repository?: string;
}

/** A program that keeps models: where it does, and how its folders are arranged. */
export interface PlaceKind {
  readonly source: Exclude<ModelSource, 'embedded' | 'downloaded' | 'added' | 'folder'>;
  /** For users. */
  readonly title: string;
  /** Absolute paths where it is installed, or keeps its models, unless its user chose another one. */
  usualRoots(machine: Machine): readonly string[];
  /**
   * The folders to look into when `root` is a place of this program, whether they exist or not; null when it is none.
   * `complain` takes a sentence about what cannot be read.
   */
  foldersOf(root: string, machine: Machine, complain: Complain): Promise<readonly PlaceFolder[] | null>;
}

/** Takes a sentence for the user. It has no absolute path. */
export type Complain = (notice: string) => void;

/** A file of weights, or the folder of a checkpoint in diffusers layout. */
export interface FoundFile {
  /** Absolute, as it was found. */
  readonly path: string;
  /** Absolute, without symbolic links: the same for two ways to one file. */
  readonly realPath: string;
  readonly isFolder: boolean;
  /** Of the file, or of all files of the folder. */
  readonly sizeBytes: number;
  /** Of the newest change, in milliseconds since 1970. */
  readonly changedMs: number;
  readonly role: FolderRole;
}

export const modelKinds = ['checkpoint', 'lora', 'vae', 'embedding', 'controlnet'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What a file is. */
export interface FoundKind {
  /** Null for what is no model of pictures, for example a language model: it is not listed. */
  readonly kind: ModelKind | null;
  /** The family of models that it is of, or that it is for; null when unknown. */
  readonly family: string | null;
  /** Why it cannot be used, in one sentence; null when it can. */
  readonly problem: string | null;
  /** Whether the problem is gone once another checkpoint gives the parts that the file lacks. */
  readonly lacksParts?: boolean | undefined;
}

/** Looks at the header of a file, or at the small files and headers of a folder. Throws only what is no fault of the file. */
export type KindOf = (file: FoundFile) => Promise<FoundKind>;
