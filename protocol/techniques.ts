// The techniques of editing, as users choose them: how the source's structure is kept. What each does is in
// companion-server/src/techniques; the command line, the panel and the documentation read this list.

export interface TechniqueInfo {
  /** On the wire, on the command line and in kept settings. */
  readonly name: string;
  readonly title: string;
  /** One sentence for the panel. */
  readonly hint: string;
  /** The usual strength, 0..1. */
  readonly strength: number;
  /** Whether it may begin from the clip with noise added to it, instead of the clip's inversion (`noise`). */
  readonly choosesInitialNoise: boolean;
}

export const techniqueInfos: readonly [TechniqueInfo, ...TechniqueInfo[]] = [
  {
    name: 'pnp',
    title: 'Plug-and-Play',
    hint: 'Keeps the shapes of the clip. The usual choice.',
    strength: 0.5,
    choosesInitialNoise: false,
  },
  {
    name: 'sdedit',
    title: 'SDEdit',
    hint: 'Keeps colours and rough layout.',
    strength: 0.7,
    choosesInitialNoise: true,
  },
  {
    name: 'none',
    title: 'Free',
    hint: 'Keeps only the motion that TokenFlow propagates.',
    strength: 0.5,
    choosesInitialNoise: false,
  },
];

export const techniqueNames: readonly string[] = techniqueInfos.map(({ name }) => name);
export const usualTechnique = techniqueInfos[0].name;

/** The entry of a technique. For one that is not in the list (of a test): its name and the usual strength. */
export function techniqueInfo(name: string): TechniqueInfo {
  const known = techniqueInfos.find((info) => info.name === name);
  return known ?? { name, title: name, hint: '', strength: techniqueInfos[0].strength, choosesInitialNoise: false };
}
