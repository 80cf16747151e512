// Models of few steps: distilled so that 4 to 8 steps are enough, most of them without guidance. What tells them apart from
// others is the class of their scheduler, its timesteps, and the names that their authors give them. Weights look the same.

import type { SchedulerConfig } from '../diffusion/scheduler-config.ts';
import { ddim, distilledSolver } from '../diffusion/solver.ts';
import type { EditDefaults, ModelOutline } from './family.ts';

export interface FewStepModel {
  /** For people: `LCM`, `Turbo`... */
  readonly title: string;
  /** The checkpoint's schedule, with the timesteps and steps that the model was distilled for. */
  readonly scheduler: SchedulerConfig;
  readonly defaults: EditDefaults;
}

type NamedThing = 'checkpoint' | 'lora';

interface Kind {
  readonly title: string;
  /** Words of a name that say so. */
  readonly words: readonly string[];
  /**
   * Where those words have another meaning as well (`hyper-realism`, a LoRA of lightning): the name must also have a number of
   * steps, or a word that begins with `sd`.
   */
  readonly isAmbiguous: (of: NamedThing) => boolean;
  readonly defaults: EditDefaults;
  readonly adapt: (scheduler: SchedulerConfig) => SchedulerConfig;
}

/** Guidance is part of what these models learned; a further one burns colours. */
const unguided = { guidance: 1, steps: 4 } as const;

const lcm: Kind = {
  title: 'LCM',
  words: ['lcm'],
  isAmbiguous: () => false,
  defaults: unguided,
  adapt: (config) => ({ ...config, solver: config.solver.kind === 'lcm' ? config.solver : distilledSolver('lcm') }),
};

const tcd: Kind = {
  title: 'TCD',
  words: ['tcd'],
  isAmbiguous: () => false,
  defaults: unguided,
  adapt: (config) => ({ ...config, solver: config.solver.kind === 'tcd' ? config.solver : distilledSolver('tcd') }),
};

/** SD-Turbo, SDXL-Lightning, Hyper-SD. */
const trailing = (title: string, words: readonly string[], defaults: EditDefaults = unguided): Kind => ({
  title,
  words,
  isAmbiguous: (of) => of === 'lora' || words.includes('hyper'),
  defaults,
  adapt: (config) => ({ ...config, timestepSpacing: 'trailing', solver: { kind: 'euler' } }),
});

const turbo = trailing('Turbo', ['turbo']);

/** The first whose words are all in a name is taken. Hyper-SD's files for guidance have `CFG` in their names. */
const namedKinds: readonly Kind[] = [
  trailing('Hyper-SD with guidance', ['hyper', 'cfg'], { guidance: 5, steps: 8 }),
  trailing('Hyper-SD', ['hyper']),
  trailing('Lightning', ['lightning']),
  turbo,
  lcm,
  tcd,
];

/**
 * The model of few steps that a checkpoint is, or null. The scheduler decides before names do: LCM's and TCD's classes
 * belong to such models alone, and Euler with trailing timesteps and without zero terminal SNR is what they are saved with.
 * A number of steps in a name (`4step`, `8-steps`) becomes the default.
 * @param names of the checkpoint, or of LoRA in it
 */
export function fewStepModelOf(
  scheduler: SchedulerConfig,
  names: readonly string[],
  of: NamedThing = 'checkpoint',
): FewStepModel | null {
  const named = names.map(wordsOf);
  const byName = namedKinds.find((kind) => named.some((words) => isNamed(words, kind, of)));
  const kind = kindBySolver(scheduler, byName) ?? byName;
  if (kind === undefined) return null;
  const steps = named.map(stepsIn).find((count) => count !== null) ?? kind.defaults.steps;
  return { title: kind.title, scheduler: kind.adapt(scheduler), defaults: { ...kind.defaults, steps } };
}

/**
 * The outline of a checkpoint of any family, with schedule and defaults of a model of few steps if it is one.
 * @param dir of the checkpoint
 * @param loras names of what is merged into it: one of few steps makes any checkpoint such a model
 */
export function adaptedToFewSteps<Outline extends Pick<ModelOutline, 'scheduler' | 'defaults'>>(
  outline: Outline,
  { dir, loras }: { readonly dir: string; readonly loras: readonly string[] },
): Outline {
  const own = fewStepModelOf(outline.scheduler, namesOfFolder(dir));
  const merged = loras.length === 0 ? null : fewStepModelOf({ ...outline.scheduler, solver: ddim }, loras, 'lora');
  const found = merged ?? own;
  if (found === null) return outline;
  const fewSteps = merged === null ? 'checkpoint' : 'lora';
  return { ...outline, scheduler: found.scheduler, defaults: { ...found.defaults, fewSteps } };
}

function isNamed(words: readonly string[], kind: Kind, of: NamedThing): boolean {
  if (!kind.words.every((word) => words.includes(word))) return false;
  return !kind.isAmbiguous(of) || stepsIn(words) !== null || words.some((word) => word.startsWith('sd'));
}

function kindBySolver({ solver, rescaleBetasZeroSnr }: SchedulerConfig, byName: Kind | undefined): Kind | undefined {
  switch (solver.kind) {
    case 'lcm':
      return lcm;
    case 'tcd':
      return tcd;
    case 'euler':
      return rescaleBetasZeroSnr ? undefined : (byName ?? turbo);
    case 'ddim':
      return undefined;
  }
}

/** `DreamShaperXL_Turbo-4step` -> dream, shaper, xl, turbo, 4, step */
function wordsOf(name: string): readonly string[] {
  const apart = name.replaceAll(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4');
  return apart.toLowerCase().match(/[a-z]+|[0-9]+/g) ?? [];
}

const mostNamedSteps = 16;

function stepsIn(words: readonly string[]): number | null {
  const at = words.findIndex((word, i) => /^steps?$/.test(word) && /^[0-9]+$/.test(words[i - 1] ?? ''));
  const count = Number(words[at - 1]);
  return at > 0 && count >= 1 && count <= mostNamedSteps ? count : null;
}

/** The names by which people know a checkpoint in `dir`: the folder's, or the model's in a hub cache (`models--org--name/snapshots/HASH`). */
export function namesOfFolder(dir: string): readonly string[] {
  const parts = dir.split(/[\\/]/).filter((part) => part !== '');
  const own = parts.at(-1) ?? '';
  return parts.at(-2) === 'snapshots' ? [parts.at(-3) ?? own] : [own];
}
