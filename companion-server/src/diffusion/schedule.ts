// A noise schedule: which timesteps are walked and how much of the signal is left at each. Numbers as diffusers'
// DDIMScheduler (arXiv 2010.02502), EulerDiscreteScheduler, LCMScheduler and TCDScheduler make them, but in float64.

import { EditError } from '../errors.ts';
import type { PredictionType, SchedulerConfig } from './scheduler-config.ts';
import type { Solver } from './solver.ts';

export interface Schedule {
  /** The timesteps of the sampling steps, from the noisiest down. DDIM inversion walks them upwards. */
  readonly timesteps: readonly number[];
  readonly predictionType: PredictionType;
  readonly solver: Solver;
  /** Share of the signal's variance that is left at timestep `t`, 0..T-1: the product of (1 - beta) up to t. */
  readonly alphaCumprod: (t: number) => number;
  /** The same below the lowest timestep: where sampling ends and inversion begins. */
  readonly finalAlphaCumprod: number;
  /** Where the sampling step at `t` leads to; negative when it leads to the clean sample. */
  readonly previousTimestep: (t: number) => number;
}

/**
 * Lays `steps` sampling steps over the training timesteps.
 * @param steps a whole number from 1 to the number of training timesteps
 * Throws EditError('invalid-request') when so many steps do not fit.
 */
export function createSchedule(config: SchedulerConfig, steps: number): Schedule {
  const { trainTimesteps, solver } = config;
  if (!Number.isInteger(steps) || steps < 1 || steps > trainTimesteps) {
    throw new EditError('invalid-request', `steps must be a whole number in 1..${trainTimesteps}, got ${steps}.`);
  }
  const alphasCumprod = cumulativeAlphas(config);
  const timesteps = spaceTimesteps(config, steps);
  const alphaCumprod = (t: number): number => {
    const alpha = alphasCumprod[t];
    if (alpha === undefined) {
      throw new RangeError(`alphaCumprod: timestep ${t} is outside 0..${trainTimesteps - 1}.`);
    }
    return alpha;
  };
  return {
    timesteps,
    predictionType: config.predictionType,
    solver,
    alphaCumprod,
    // Euler ends at sigma 0, LCM at its estimate of the clean sample, whatever the file says to DDIM.
    finalAlphaCumprod: solver.kind === 'euler' || solver.kind === 'lcm' || config.setAlphaToOne ? 1 : alphaCumprod(0),
    previousTimestep: previousOf(config, timesteps),
  };
}

function previousOf({ solver, trainTimesteps }: SchedulerConfig, timesteps: readonly number[]): (t: number) => number {
  const stride = Math.floor(trainTimesteps / timesteps.length);
  // Below a timestep that is not of the schedule, the next one down.
  const next = (t: number) => timesteps.find((timestep) => timestep < t);
  switch (solver.kind) {
    case 'ddim':
      return (t) => t - stride;
    case 'tcd':
      return (t) => next(t) ?? 0;
    case 'euler':
    case 'lcm':
      return (t) => next(t) ?? -1;
  }
}

function spaceTimesteps(config: SchedulerConfig, steps: number): number[] {
  const { solver } = config;
  return 'originalSteps' in solver
    ? distilledTimesteps(config.trainTimesteps, solver.originalSteps, steps)
    : spacedTimesteps(config, steps);
}

/** As evenly as whole numbers allow among the timesteps of the distillation, from the noisiest down. */
function distilledTimesteps(trainTimesteps: number, originalSteps: number, steps: number): number[] {
  const stride = Math.floor(trainTimesteps / originalSteps);
  if (steps > originalSteps || stride < 1) {
    throw new EditError(
      'invalid-request',
      `steps must be at most ${Math.min(originalSteps, trainTimesteps)} for this checkpoint, got ${steps}: it was distilled on so many timesteps.`,
    );
  }
  return Array.from({ length: steps }, (_, i) => {
    const place = Math.floor((i * originalSteps) / steps);
    return (originalSteps - place) * stride - 1;
  });
}

function spacedTimesteps(config: SchedulerConfig, steps: number): number[] {
  const { trainTimesteps, timestepSpacing, stepsOffset } = config;
  const up = Array.from({ length: steps }, (_, i) => i);
  switch (timestepSpacing) {
    case 'leading': {
      const stride = Math.floor(trainTimesteps / steps);
      const timesteps = up.map((i) => i * stride + stepsOffset).reverse();
      if ((timesteps[0] ?? 0) >= trainTimesteps) {
        throw new EditError(
          'invalid-request',
          `steps must be less than ${steps} for this checkpoint: the first step would be at timestep ${timesteps[0] ?? 0}, the last that was trained is ${trainTimesteps - 1}.`,
        );
      }
      return timesteps;
    }
    case 'trailing':
      return up.map((i) => roundHalfToEven(trainTimesteps - (i * trainTimesteps) / steps) - 1);
    case 'linspace': {
      const gap = steps === 1 ? 0 : (trainTimesteps - 1) / (steps - 1);
      return up.map((i) => roundHalfToEven(i * gap)).reverse();
    }
  }
}

/** Rounds as numpy does. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function cumulativeAlphas(config: SchedulerConfig): Float64Array {
  const alphas = Float64Array.from(betasOf(config), (beta) => 1 - beta);
  for (let t = 1; t < alphas.length; t++) alphas[t] = (alphas[t] ?? 1) * (alphas[t - 1] ?? 1);
  return config.rescaleBetasZeroSnr ? rescaleToZeroSnr(alphas) : alphas;
}

function betasOf({ betas, trainTimesteps: count }: SchedulerConfig): readonly number[] {
  const line = (from: number, to: number): number[] =>
    Array.from({ length: count }, (_, t) => from + ((to - from) * t) / Math.max(1, count - 1));
  switch (betas.schedule) {
    case 'given':
      return betas.values;
    case 'linear':
      return line(betas.start, betas.end);
    case 'scaled_linear':
      return line(Math.sqrt(betas.start), Math.sqrt(betas.end)).map((root) => root * root);
    case 'squaredcos_cap_v2': {
      // Nichol and Dhariwal, arXiv 2102.09672, equation 17, with the cap of 0.999.
      const alphaBar = (time: number) => Math.cos(((time + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
      return Array.from({ length: count }, (_, t) =>
        Math.min(1 - alphaBar((t + 1) / count) / alphaBar(t / count), 0.999),
      );
    }
  }
}

/** Shifts and scales the square roots so that the last becomes 0 and the first stays (arXiv 2305.08891, 3.1). */
function rescaleToZeroSnr(alphasCumprod: Float64Array): Float64Array {
  const roots = alphasCumprod.map(Math.sqrt);
  const first = roots[0] ?? 1;
  const last = roots.at(-1) ?? 0;
  return roots.map((root) => (((root - last) * first) / (first - last)) ** 2);
}
