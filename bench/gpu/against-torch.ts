// One forward of ours and one of PyTorch's in turns, on the same card in the same minutes.

import { interleave, median, timed } from '../interleave.ts';
import type { TorchRequest } from '../torch.ts';
import type { SectionContext } from './section.ts';

export interface Comparison {
  /** Seconds of our very first run, which compiles what the device runs. */
  readonly first: number;
  /** Median seconds of one run, ours and PyTorch's; null where PyTorch is not there. */
  readonly seconds: number;
  readonly torchSeconds: number | null;
  /** Ours over PyTorch's, the median over the rounds; null where PyTorch is not there. */
  readonly ratio: number | null;
}

/** `request` asks PyTorch for what `run` does. */
export async function againstTorch(
  context: SectionContext,
  request: TorchRequest,
  run: () => Promise<unknown>,
  rounds: number,
): Promise<Comparison> {
  const ours = () => timed(run);
  const first = await ours();
  const hasTorch = (await context.torch(request)) !== null;
  const theirs = async () => (await context.torch(request)) ?? NaN;
  const contest = await interleave(hasTorch ? [ours, theirs] : [ours], rounds);
  const [seconds = NaN, torchSeconds = null] = contest.seconds.map(median);
  return { first, seconds, torchSeconds, ratio: hasTorch ? contest.ratio : null };
}
