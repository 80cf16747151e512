// ControlNets of an edit: each sees the edit's latents and its control picture, and the UNet gets the sum of what they
// return (arXiv 2302.05543; several at once and guess mode as diffusers' StableDiffusionControlNetPipeline has them).

import type { LatentSize } from '../../nets/denoising-network.ts';
import type { ControlNetwork } from '../../nets/controlnet.ts';
import type { Branch } from '../../nets/pass.ts';
import type { GraphOptions } from '../../onnx/builder.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Session } from '../../onnx/session.ts';
import type { TensorInfo } from '../../tensor/stored-tensor.ts';
import { concatRows, sliceRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import type { Control, ControlInputs } from '../../tokenflow/control.ts';
import type { BranchResiduals } from '../../tokenflow/denoiser.ts';
import type { ControlledPasses } from '../../tokenflow/step-passes.ts';

/** How a ControlNet takes part in an edit. */
export interface ControlStrength {
  /** By which its residuals are multiplied; 1 as it was trained. */
  readonly scale: number;
  /** Shares of all sampling steps, 0..1, between which it takes part. */
  readonly start: number;
  readonly end: number;
  /** Controls the target branch only, and coarse levels more than fine ones: the picture speaks louder than the prompt. */
  readonly guess: boolean;
}

/** A ControlNet of which only the header was read. */
export interface ControlNetOutline {
  readonly network: ControlNetwork;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** The same as it takes part in an edit: what an edit will take is counted from these. */
export interface ControlOutline extends ControlNetOutline {
  readonly strength: ControlStrength;
}

export interface OpenedNet {
  readonly network: ControlNetwork;
  readonly graph: Omit<GraphOptions, 'name'>;
  readonly strength: ControlStrength;
  /** [N, 3, H, W] in 0..1, of frames that are counted among those that are edited. */
  readonly pictures: (frames: readonly number[]) => Promise<Tensor>;
}

export interface ControlNetsOptions {
  readonly nets: readonly OpenedNet[];
  readonly size: LatentSize;
  /** Sampling steps in all. */
  readonly steps: number;
  readonly frames: ControlledPasses['frames'];
  /** Most frames of one run. */
  readonly chunkSize: number;
  readonly createSession: (make: () => Graph) => Promise<Session>;
  /** Called after every run; may throw to end the edit. */
  readonly onForward?: () => void;
}

/** Runs the ControlNets' graphs. Sessions are made when first needed. Call `release` when done. */
export class ControlNets implements Control {
  private readonly options: ControlNetsOptions;
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(options: ControlNetsOptions) {
    this.options = options;
  }

  passesAt(step: number): ControlledPasses | null {
    const { nets, steps, frames } = this.options;
    return controlledPasses(
      nets.map(({ strength, network }) => ({ ...strength, targetOnly: controlsTargetOnly(strength, network) })),
      { step, steps, frames },
    );
  }

  async residuals({
    step,
    timestep,
    frames,
    latents,
    branches,
    conditioning,
  }: ControlInputs): Promise<BranchResiduals> {
    const { nets, steps } = this.options;
    const sums = new Map<Branch, Tensor[]>();
    for (const [index, net] of nets.entries()) {
      if (!takesPartAt(step, steps, net.strength)) continue;
      const isTargetOnly = controlsTargetOnly(net.strength, net.network);
      const own = isTargetOnly ? branches.filter((branch) => branch === 'target') : branches;
      if (own.length === 0) continue;
      const pictures = await net.pictures(frames);
      const told = net.network.feeds(
        timestep,
        own.map((branch) => conditioning[branch]),
      );
      const added = await this.run(index, own, { latents, pictures, told });
      own.forEach((branch, i) => addTo(sums, branch, added[i] ?? []));
    }
    return withZeros(sums, branches);
  }

  /** Never fails because of a session that could not be loaded: that was reported when it was needed. */
  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release();
  }

  /** Residuals per branch, each [N, C, h, w]. */
  private async run(
    index: number,
    branches: readonly Branch[],
    { latents, pictures, told }: { latents: Tensor; pictures: Tensor; told: Readonly<Record<string, Tensor>> },
  ): Promise<readonly (readonly Tensor[])[]> {
    const { chunkSize, onForward } = this.options;
    const net = this.options.nets[index] as OpenedNet;
    const { residuals } = net.network;
    const session = await this.session(index, branches.length);
    const scales = tensor([residuals], Float32Array.from(scalesOf(net.strength, net.network)));
    const count = latents.dims[0] ?? 0;
    const chunks: Tensor[][][] = [];
    for (let first = 0; first < count; first += chunkSize) {
      const last = Math.min(count, first + chunkSize);
      const found = await session.run({
        latents: sliceRows(latents, first, last),
        picture: sliceRows(pictures, first, last),
        scales,
        ...told,
      });
      onForward?.();
      const rows = last - first;
      chunks.push(
        branches.map((_, branch) =>
          Array.from({ length: residuals }, (__, i) => {
            const value = found[`residual.${i}`];
            if (value === undefined) throw new TypeError(`The ControlNet returned no residual ${i}.`);
            return sliceRows(value, branch * rows, (branch + 1) * rows);
          }),
        ),
      );
    }
    return branches.map((_, branch) =>
      Array.from({ length: residuals }, (__, i) => concatRows(chunks.map((chunk) => chunk[branch]?.[i] as Tensor))),
    );
  }

  private session(index: number, branches: number): Promise<Session> {
    const key = `${index} ${branches}`;
    const known = this.sessions.get(key);
    if (known !== undefined) return known;
    const { nets, size, createSession } = this.options;
    const { network, graph } = nets[index] as OpenedNet;
    const name = `ControlNet ${index + 1} of ${branches} branches`;
    const made = createSession(() => network.build(branches, size, { ...graph, name }));
    this.sessions.set(key, made);
    return made;
  }
}

/** A net that pools its residuals was trained to be left out of the negative branch. */
export function controlsTargetOnly(
  { guess }: Pick<ControlStrength, 'guess'>,
  { config }: Pick<ControlNetwork, 'config'>,
): boolean {
  return guess || config.poolsResiduals;
}

/** As diffusers reckons: a step takes part if all of it lies between start and end. */
export function takesPartAt(
  step: number,
  steps: number,
  { start, end }: Pick<ControlStrength, 'start' | 'end'>,
): boolean {
  return step / steps >= start && (step + 1) / steps <= end;
}

/** The passes of a step in which ControlNets take part. */
export function controlledPasses(
  nets: readonly (Pick<ControlStrength, 'start' | 'end'> & { readonly targetOnly: boolean })[],
  { step, steps, frames }: { readonly step: number; readonly steps: number } & Pick<ControlledPasses, 'frames'>,
): ControlledPasses | null {
  const present = nets.filter((net) => takesPartAt(step, steps, net));
  return present.length === 0 ? null : { frames, targetOnly: present.every(({ targetOnly }) => targetOnly) };
}

/** In guess mode from a tenth at the finest level to the whole in the middle, by equal factors. */
function scalesOf({ scale, guess }: ControlStrength, { residuals, config }: ControlNetwork): readonly number[] {
  const isGraded = guess && !config.poolsResiduals;
  return Array.from({ length: residuals }, (_, i) => (isGraded ? scale * 10 ** (i / (residuals - 1) - 1) : scale));
}

function addTo(sums: Map<Branch, Tensor[]>, branch: Branch, added: readonly Tensor[]): void {
  const before = sums.get(branch);
  sums.set(branch, before === undefined ? [...added] : before.map((sum, i) => plus(sum, added[i] as Tensor)));
}

function plus(a: Tensor, b: Tensor): Tensor {
  const sum = tensor(a.dims);
  for (let i = 0; i < sum.data.length; i++) sum.data[i] = (a.data[i] as number) + (b.data[i] as number);
  return sum;
}

/** A branch that no net of the step controls gets zeros. */
function withZeros(sums: ReadonlyMap<Branch, readonly Tensor[]>, branches: readonly Branch[]): BranchResiduals {
  const [example = []] = sums.values();
  return Object.fromEntries(
    branches.map((branch) => [branch, sums.get(branch) ?? example.map(({ dims }) => tensor(dims))]),
  );
}
