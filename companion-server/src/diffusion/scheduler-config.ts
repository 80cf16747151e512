// scheduler_config.json -> the numbers that a noise schedule is made of. The files of diffusers' DDIM, PNDM,
// LMS, Euler, DPM-Solver, LCM, TCD... schedulers all carry them; what a file leaves out has the default of diffusers'
// DDIMScheduler. `clip_sample` and `thresholding` are not read: they are meant for pixels, not for latents.

import { EditError } from '../errors.ts';
import { parseSolver, type Solver } from './solver.ts';

const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const;
const predictionTypes = ['epsilon', 'v_prediction', 'sample'] as const;
const timestepSpacings = ['leading', 'trailing', 'linspace'] as const;

/** What the network predicts: the noise, the velocity (arXiv 2202.00512), or the clean sample. */
export type PredictionType = (typeof predictionTypes)[number];

export interface SchedulerConfig {
  /** T: training timesteps are 0..T-1. */
  readonly trainTimesteps: number;
  /** Given betas, or how they are made. */
  readonly betas:
    | { readonly schedule: 'given'; readonly values: readonly number[] }
    | {
        readonly schedule: (typeof betaSchedules)[number];
        readonly start: number;
        readonly end: number;
      };
  readonly rescaleBetasZeroSnr: boolean;
  readonly setAlphaToOne: boolean;
  readonly stepsOffset: number;
  readonly predictionType: PredictionType;
  readonly timestepSpacing: (typeof timestepSpacings)[number];
  readonly solver: Solver;
}

/** More training timesteps than this are taken for a damaged file. */
const maxTrainTimesteps = 100_000;

/**
 * Reads the parsed JSON of scheduler_config.json. Throws EditError: 'model-unsupported' for a schedule that is
 * not known here, 'model-damaged' for a value of the wrong kind.
 */
export function parseSchedulerConfig(json: unknown): SchedulerConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw damaged('the file must hold a JSON object', json);
  }
  const fields = json as Record<string, unknown>;
  const className = fields['_class_name'];
  refuseFlowMatching(Array.isArray(className) ? className.at(-1) : className);
  const trainTimesteps = integerField(fields, 'num_train_timesteps', 1000, 1, maxTrainTimesteps);
  const timestepSpacing = choiceField(fields, 'timestep_spacing', timestepSpacings, 'leading');
  const config: SchedulerConfig = {
    trainTimesteps,
    betas: parseBetas(fields, trainTimesteps),
    rescaleBetasZeroSnr: booleanField(fields, 'rescale_betas_zero_snr', false),
    setAlphaToOne: booleanField(fields, 'set_alpha_to_one', true),
    stepsOffset: integerField(fields, 'steps_offset', 0, 0, trainTimesteps - 1),
    predictionType: choiceField(fields, 'prediction_type', predictionTypes, 'epsilon'),
    timestepSpacing,
    solver: parseSolver(fields, fields['_class_name'], timestepSpacing),
  };
  if (config.rescaleBetasZeroSnr && config.predictionType === 'epsilon') {
    throw new EditError(
      'model-unsupported',
      'scheduler_config.json: rescale_betas_zero_snr needs prediction_type "v_prediction", got "epsilon": pure noise says nothing about the sample.',
    );
  }
  return config;
}

function parseBetas(fields: Record<string, unknown>, trainTimesteps: number): SchedulerConfig['betas'] {
  const given = fields['trained_betas'] ?? undefined;
  if (given !== undefined) {
    const isBeta = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < 1;
    if (!Array.isArray(given) || given.length !== trainTimesteps || !given.every(isBeta)) {
      throw damaged(`trained_betas must be ${trainTimesteps} numbers between 0 and 1`, given);
    }
    return { schedule: 'given', values: given };
  }
  const start = betaField(fields, 'beta_start', 0.0001);
  const end = betaField(fields, 'beta_end', 0.02);
  return { schedule: choiceField(fields, 'beta_schedule', betaSchedules, 'linear'), start, end };
}

function refuseFlowMatching(className: unknown): void {
  if (typeof className === 'string' && className.startsWith('FlowMatch')) {
    throw new EditError(
      'model-unsupported',
      `scheduler_config.json: ${className} belongs to flow-matching models (SD3, Flux); Stable Diffusion 1.x and 2.x have diffusion schedules.`,
    );
  }
}

function betaField(fields: Record<string, unknown>, name: string, absent: number): number {
  const value = fields[name] ?? absent;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) {
    throw damaged(`${name} must be a number between 0 and 1`, value);
  }
  return value;
}

function integerField(fields: Record<string, unknown>, name: string, absent: number, min: number, max: number): number {
  const value = fields[name] ?? absent;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw damaged(`${name} must be a whole number in ${min}..${max}`, value);
  }
  return value;
}

function booleanField(fields: Record<string, unknown>, name: string, absent: boolean): boolean {
  const value = fields[name] ?? absent;
  if (typeof value !== 'boolean') throw damaged(`${name} must be true or false`, value);
  return value;
}

function choiceField<T extends string>(
  fields: Record<string, unknown>,
  name: string,
  choices: readonly T[],
  absent: T,
): T {
  const value = fields[name] ?? absent;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) {
    throw new EditError(
      'model-unsupported',
      `scheduler_config.json: ${name} must be one of ${choices.join(', ')}, got ${shortJson(value)}.`,
    );
  }
  return choice;
}

function damaged(rule: string, value: unknown): EditError {
  return new EditError('model-damaged', `scheduler_config.json: ${rule}, got ${shortJson(value)}.`, {
    hint: 'Download the scheduler folder of the checkpoint again.',
  });
}

function shortJson(value: unknown): string {
  return ((JSON.stringify(value) as string | undefined) ?? 'undefined').slice(0, 80);
}
