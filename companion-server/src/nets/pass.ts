// One evaluation of the UNet over some frames, as data. Its graph, the graph's inputs, and the cost of the evaluation are
// derived from it.

/**
 * What a pass computes of each frame, always in this order in a batch. `source` sees the source's latents and prompt;
 * `negative` and `target` see the edit's latents, each with its own prompt.
 */
export type Branch = 'source' | 'negative' | 'target';

/** What Plug-and-Play (arXiv 2211.12572) copies from the source's branch to the others. */
export interface Injection {
  /** Queries and keys of the decoder's self-attention. */
  readonly attention: boolean;
  /** Features of one residual block of the decoder. */
  readonly features: boolean;
}

export interface Pass {
  readonly branches: readonly Branch[];
  /**
   * The kind of self-attention. `self`: as in the network, each frame attends to itself. `extended`: the
   * edit's branches attend to all frames of the pass at once (arXiv 2307.10373, section 4.1), the source's to its own frame.
   * `propagated`: no attention; each token takes the attention's output of its nearest neighbours in two keyframes, blended
   * by distance (section 4.2).
   */
  readonly attention: 'self' | 'extended' | 'propagated';
  /**
   * Where the nearest neighbours of the frames' source tokens come from: `searched` in this pass among the keyframes'
   * source tokens, or `given`. null where none are used.
   */
  readonly correspondences: 'searched' | 'given' | null;
  readonly injection: Injection;
  /** Branches to whose way down ControlNets add their residuals, branches of the edit only; none when left out. */
  readonly controlled?: readonly Branch[];
  readonly emits: Emissions;
}

/** What a pass returns. */
export interface Emissions {
  /** Of the edit's branches; of the source where it is the only one. */
  readonly prediction: boolean;
  /** The source's normalised tokens, in which other frames search. */
  readonly sourceTokens: boolean;
  /** Branches whose attention's output is returned, for other frames to take. */
  readonly attention: readonly Branch[];
  /** The nearest neighbours that were searched. */
  readonly correspondences: boolean;
  /** How much the source's tokens look at words of its prompt, which the pass is told; not returned when left out. */
  readonly words?: boolean;
}

export const noInjection: Injection = { attention: false, features: false };

export const predictionAlone: Emissions = {
  prediction: true,
  sourceTokens: false,
  attention: [],
  correspondences: false,
};

/** The network as it was trained, over the source's latents and prompt. */
export const plainPass: Pass = {
  branches: ['source'],
  attention: 'self',
  correspondences: null,
  injection: noInjection,
  emits: predictionAlone,
};

/** Branches of the edit. */
export function editBranchesOf({ branches }: Pick<Pass, 'branches'>): readonly Branch[] {
  return branches.filter((branch) => branch !== 'source');
}

/** Branches whose prediction the pass returns. */
export function predictedBranchesOf(pass: Pass): readonly Branch[] {
  if (!pass.emits.prediction) return [];
  const edits = editBranchesOf(pass);
  return edits.length === 0 ? pass.branches : edits;
}

/** Evaluations of the UNet on one latent. */
export function evaluationsOf({ branches }: Pick<Pass, 'branches'>, frames: number): number {
  return branches.length * frames;
}

/** How many frames go through one pass at a time, if the frames of the pass do not depend on each other. */
export interface PassLimits {
  /** Most frames. */
  readonly chunkSize: number;
  /**
   * Most latents, a frame counted once in each branch. More are slower on a CPU: an operator's result is then so large
   * that the system allocates new pages for it every time.
   */
  readonly maxLatents: number;
}

/** At least one. */
export function framesAtOnce({ branches }: Pick<Pass, 'branches'>, { chunkSize, maxLatents }: PassLimits): number {
  return Math.max(1, Math.min(chunkSize, Math.floor(maxLatents / branches.length)));
}

/** Whether the frames of a pass depend on each other. */
export function seesAllFrames({ attention }: Pass): boolean {
  return attention === 'extended';
}

/** A readable name; passes that need different graphs have different names. */
export function nameOf({ branches, attention, correspondences, injection, controlled = [], emits }: Pass): string {
  return [
    `${attention} attention of ${branches.join(', ')}`,
    ...(correspondences === null ? [] : [`correspondences ${correspondences}`]),
    ...(injection.attention ? ['attention injected'] : []),
    ...(injection.features ? ['features injected'] : []),
    ...(controlled.length === 0 ? [] : [`controlled ${controlled.join(', ')}`]),
    ...(emits.prediction ? [] : ['no prediction']),
    ...(emits.sourceTokens ? ['returns source tokens'] : []),
    ...(emits.attention.length === 0 ? [] : [`returns attention of ${emits.attention.join(', ')}`]),
    ...(emits.correspondences ? ['returns correspondences'] : []),
    ...(emits.words === true ? ['returns attention to words'] : []),
  ].join('; ');
}
