// The embedded model with its LoRA of few steps: how its clips are best inverted, against the fast and the draft pipeline
// of the model itself.

import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { InversionMethod } from '../../companion-server/src/tokenflow/inversion.ts';
import { benchFolder } from '../folder.ts';
import { reported } from '../rows.ts';
import { contest, describeOutcome, type Contestant } from './contest.ts';
import type { Figure } from './figure.ts';

const lora = path.join(import.meta.dirname, '..', '..', 'models', 'demo', 'loras', 'demo-lcm-lora.safetensors');

type Solver = 'lcm' | 'tcd';

interface Way {
  readonly solver: Solver;
  readonly inversion: InversionMethod['name'];
  /** Forwards of the inversion per step. */
  readonly forwards: number;
}

/** A fixed point is one of a step without fresh noise: TCD's. */
const ways: readonly Way[] = [
  { solver: 'lcm', inversion: 'noised', forwards: 1 },
  { solver: 'tcd', inversion: 'noised', forwards: 1 },
  { solver: 'tcd', inversion: 'fixed-point', forwards: 2 },
];

export const fewSteps: Figure = {
  name: 'few-steps',
  async measure(context) {
    const files = { lcm: lora, tcd: path.join(benchFolder(), 'demo-tcd-lora.safetensors') };
    // The name decides which solver is used.
    await copyFile(files.lcm, files.tcd);
    const students = [4, 8].flatMap((steps) => ways.map((way) => student(way, steps, files[way.solver])));
    const outcomes = await contest(context, [
      { label: 'the model, fast pipeline', settings: {} },
      { label: 'the model, draft pipeline', settings: { pipeline: 'draft' } },
      ...students,
    ]);
    return outcomes.map((outcome) => {
      const value = describeOutcome(outcome, outcomes[0] ?? outcome);
      context.log(`${outcome.label}: ${value}`);
      return reported(outcome.label, value);
    });
  },
};

function student({ solver, inversion, forwards }: Way, steps: number, file: string): Contestant {
  const chosen = { name: path.basename(file, '.safetensors'), strength: 1 };
  return {
    label: `${steps} steps, ${solver.toUpperCase()}, ${inversion}, ${forwards} forwards per step`,
    settings: { loras: [chosen], steps, inversionSteps: forwards * steps },
    measured: { inversion, loras: [{ ...chosen, file }] },
  };
}
