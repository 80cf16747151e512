// The vocabulary of the embedded demo model (models/demo/README.md). It knows no other words, so its prompts are built
// from these parts, and the panel marks other words.

/** Id of the embedded model. */
export const demoModel = 'demo';

export const demoParts = {
  style: ['a watercolor painting of', 'a neon sign of'],
  colour: ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink'],
  object: ['ball', 'cube', 'star', 'car', 'heart'],
  place: ['on grass', 'on sand', 'in the snow', 'on the sea', 'in the city', 'in space'],
} as const;
export type DemoPart = keyof typeof demoParts;

/** All words for each part; the first of a group is the one that is written. */
const spellings: Readonly<Record<DemoPart, readonly (readonly string[])[]>> = {
  style: [
    ['a watercolor painting of', 'a watercolor of', 'a painting of'],
    ['a neon sign of', 'a neon picture of', 'a neon image of'],
    ['', 'a photo of'],
  ],
  colour: demoParts.colour.map((word) => [word]),
  object: demoParts.object.map((word) => [word]),
  place: [
    ['on grass', 'on the grass', 'in a meadow'],
    ['on sand', 'on the sand', 'in the desert'],
    ['in the snow', 'on the snow', 'on snow'],
    ['on the sea', 'in the sea', 'on the water'],
    ['in the city', 'in a city', 'on a city street'],
    ['in space', 'in outer space', 'among stars'],
  ],
};

export interface DemoPrompt {
  readonly style: string | null;
  readonly colour: string | null;
  readonly object: string | null;
  readonly place: string | null;
  /** Words that the model has never seen. */
  readonly unknown: readonly string[];
}

export function readDemoPrompt(prompt: string): DemoPrompt {
  let rest = ` ${prompt.toLowerCase().replaceAll(/[.,!]/g, ' ').replaceAll(/\s+/g, ' ')} `;
  const take = (part: DemoPart): string | null => {
    const found = spellings[part]
      .flatMap((group) => group.map((spelling) => ({ spelling, canonical: group[0] ?? '' })))
      .filter(({ spelling }) => spelling !== '' && rest.includes(` ${spelling} `))
      .sort((a, b) => b.spelling.length - a.spelling.length)[0];
    if (found === undefined) return null;
    rest = rest.replace(` ${found.spelling} `, ' ');
    return found.canonical === '' ? null : found.canonical;
  };
  const style = take('style');
  const place = take('place');
  const colour = take('colour');
  const object = take('object');
  const unknown = rest.split(' ').filter((word) => !['', 'a', 'an'].includes(word));
  return { style, colour, object, place, unknown };
}

/** The sentence of the parts; an object stands in where there is none yet. */
export function writeDemoPrompt({ style, colour, object, place }: Omit<DemoPrompt, 'unknown'>): string {
  const thing = [colour, object ?? 'ball'].filter((word) => word !== null).join(' ');
  const article = /^[aeiou]/.test(thing) ? 'an' : 'a';
  return [style, article, thing, place].filter((part) => part !== null && part !== '').join(' ');
}

/** `prompt` with `word` as its `part`; without that part when the word was there already (but a thing stays). */
export function withDemoPart(prompt: string, part: DemoPart, word: string): string {
  const parts = readDemoPrompt(prompt);
  const isOn = parts[part] === word && part !== 'object';
  return writeDemoPrompt({ ...parts, [part]: isOn ? null : word });
}
