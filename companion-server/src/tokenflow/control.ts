// What the sampler needs of ControlNets (arXiv 2302.05543). The real ones run ONNX graphs (engine/model/controlnets.ts).

import type { Branch } from '../nets/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BranchConditioning, BranchResiduals } from './denoiser.ts';
import type { ControlledPasses } from './step-passes.ts';

export interface Control {
  /** In which passes of a sampling step they take part; null for none. */
  passesAt(step: number): ControlledPasses | null;
  /** What they add to the branches of some frames. */
  residuals(asked: ControlInputs): Promise<BranchResiduals>;
}

export interface ControlInputs {
  readonly step: number;
  readonly timestep: number;
  /** Counted among the frames that are edited. */
  readonly frames: readonly number[];
  /** The edit's latents of these frames [N, C, h, w]. */
  readonly latents: Tensor;
  /** Branches to which residuals are added. */
  readonly branches: readonly Branch[];
  readonly conditioning: BranchConditioning;
}
