// What an edit is asked to do. Shared by the panel, the wire, the command line and the engine.

/** How the source's structure is kept: Plug-and-Play feature injection, SDEdit, or neither. */
export type Technique = 'pnp' | 'sdedit' | 'none';

/**
 * How keyframe tokens reach the other frames. `paper`: nearest keyframe before and after, true distances
 * (arXiv 2307.10373, section 4.2). `reference`: as the official code, own and previous keyframe. `per-frame`:
 * no propagation and no joint attention, the baseline that TokenFlow is compared with.
 */
export type Propagation = 'paper' | 'reference' | 'per-frame';

/** How much work is spent. `reference`: 500 inversion and 50 sampling steps, as the official code. */
export type ScheduleName = 'default' | 'reference';

export type OutputCodec = 'prores' | 'h264';

export interface EditSettings {
  /** What the clip should become. Not empty. */
  readonly prompt: string;
  /** What the clip shows now; improves the inversion. May be empty. */
  readonly sourcePrompt: string;
  /** What to avoid. May be empty. */
  readonly negativePrompt: string;
  readonly technique: Technique;
  readonly propagation: Propagation;
  /** 0 keeps the structure most, 1 follows the prompt most. */
  readonly strength: number;
  /** Classifier-free guidance scale, 1..30; 1 means no guidance. */
  readonly guidance: number;
  /** Sampling steps, 1..1000. */
  readonly steps: number;
  /** Inversion steps, a multiple of `steps`, up to 1000. */
  readonly inversionSteps: number;
  /** One keyframe is drawn from each run of this many frames, 1..64. */
  readonly keyframeInterval: number;
  /** 0..2^32-1. Equal seeds on the same device give equal frames. */
  readonly seed: number;
  /** Working size in pixels, or null for the largest that fits the model's training size. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** First second of the clip to edit, and the second to stop before; null for the clip's own ends. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
  readonly codec: OutputCodec;
}
