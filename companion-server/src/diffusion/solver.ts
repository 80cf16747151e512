// How a step down is made and which timesteps are walked, by the scheduler that a checkpoint names. All solvers are the
// ones without fresh noise: DDIM, Euler in the space of sigmas (which takes the same steps, see ddim.ts), LCM
// (arXiv 2310.04378) and TCD (arXiv 2402.19159) with gamma, which diffusers calls eta, 0.

import { EditError } from '../errors.ts';

export type Solver =
  /** A step goes T / steps timesteps down. */
  | { readonly kind: 'ddim' }
  /** A step goes to the next timestep of the schedule, the last one to the clean sample. */
  | { readonly kind: 'euler' }
  /** Timesteps are chosen among `originalSteps` evenly spaced ones. A step goes to the next of them, the last one to timestep 0. */
  | { readonly kind: 'tcd'; readonly originalSteps: number }
  /** The same timesteps. A step goes to the clean sample, and new noise brings that to the next timestep. */
  | { readonly kind: 'lcm'; readonly originalSteps: number; readonly timestepScaling: number };

export const ddim: Solver = { kind: 'ddim' };

/** The timesteps that the networks were distilled on, where the file does not say. */
const usualOriginalSteps = 50;
const usualTimestepScaling = 10;

/** What LCM's boundary scalings take for the deviation of the data. */
export const lcmSigmaData = 0.5;

/**
 * The solver of a scheduler_config.json. Every class that is not named here is read as DDIM, on the file's own timesteps:
 * PNDM, DPM-Solver and others lead to the same samples in other steps. Euler's classes are read as Euler only with
 * trailing timesteps, where few-step models have them; with others they interpolate between timesteps, for no gain here.
 * Throws EditError('model-damaged').
 * @param className of diffusers' scheduler, undefined where the file has none
 * @param spacing the file's timestep_spacing
 */
export function parseSolver(fields: Readonly<Record<string, unknown>>, className: unknown, spacing: string): Solver {
  switch (className) {
    case 'LCMScheduler':
      return {
        kind: 'lcm',
        originalSteps: countOf(fields, 'original_inference_steps', usualOriginalSteps),
        timestepScaling: positiveOf(fields, 'timestep_scaling', usualTimestepScaling),
      };
    case 'TCDScheduler':
      return { kind: 'tcd', originalSteps: countOf(fields, 'original_inference_steps', usualOriginalSteps) };
    case 'EulerDiscreteScheduler':
    case 'EulerAncestralDiscreteScheduler':
      return spacing === 'trailing' ? { kind: 'euler' } : ddim;
    default:
      return ddim;
  }
}

/** The solver of LCM or TCD as distilled on the usual timesteps. */
export function distilledSolver(kind: 'lcm' | 'tcd'): Solver {
  const originalSteps = usualOriginalSteps;
  return kind === 'tcd' ? { kind, originalSteps } : { kind, originalSteps, timestepScaling: usualTimestepScaling };
}

function countOf(fields: Readonly<Record<string, unknown>>, name: string, absent: number): number {
  const value = positiveOf(fields, name, absent);
  if (Number.isInteger(value)) return value;
  throw damaged(`${name} must be a whole number`, value);
}

function positiveOf(fields: Readonly<Record<string, unknown>>, name: string, absent: number): number {
  const value = fields[name] ?? absent;
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
    throw damaged(`${name} must be a number above 0`, value);
  }
  return value;
}

function damaged(rule: string, value: unknown): EditError {
  return new EditError('model-damaged', `scheduler_config.json: ${rule}, got ${JSON.stringify(value)}.`, {
    hint: 'Download the scheduler folder of the checkpoint again.',
  });
}
