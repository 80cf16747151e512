// `cache`: what is kept only to be faster.

import { cacheDirOf, dataDirOf } from '../../app/config.ts';
import { clearKeptFiles, listKeptFiles, type KeptFiles } from '../../doctor/kept-files.ts';
import { EditError } from '../../errors.ts';
import { defineCommand } from '../command.ts';

const actions = ['list', 'clear'] as const;

export const cacheCommand = defineCommand({
  name: 'cache',
  usage: '[list | clear] [options]',
  summary: 'List or remove what is kept only to be faster: inverted clips, copies of weights, videos.',
  options: {
    inversions: { kind: 'flag', help: 'Only inverted clips.' },
    weights: { kind: 'flag', help: 'Only copies of weights: in another number format, or with LoRA merged.' },
    videos: { kind: 'flag', help: 'Only videos of results and their originals, for play in a browser.' },
    json: { kind: 'flag', help: 'Print one JSON object.' },
  },
  notes: [
    'An inverted clip is used again when the same frames of the same clip are edited by another prompt, seed, strength, guidance or technique, with a server or without. They take 10 GB at most, or half of what the disk has left; the longest unused go first.',
    'Nothing that cannot be made again is removed. Edits that run are not disturbed.',
  ],
  async run({ values, positionals }, { env, stdout }) {
    const [action = 'list', ...rest] = positionals;
    if (!actions.some((known) => known === action) || rest.length > 0) {
      throw new EditError('invalid-request', `cache takes list or clear, got '${positionals.join(' ')}'.`);
    }
    const folders = { dataDir: dataDirOf(env), cacheDir: cacheDirOf(env) };
    const all = ['inversions', 'weights', 'videos'] as const;
    const named = all.filter((kind) => values[kind]);
    const kinds = named.length === 0 ? all : named;
    const print = (value: object, text: string): void =>
      stdout.write(values.json ? `${JSON.stringify(value)}\n` : text);
    if (action === 'list') {
      const kept = await listKeptFiles(folders);
      print(Object.fromEntries(kinds.map((kind) => [kind, kept[kind]])), formatKept(kept, kinds));
      return;
    }
    for (const kind of kinds) {
      const { count, sizeBytes } = await clearKeptFiles(folders, kind);
      print({ kind, count, sizeBytes }, `Removed ${count} ${names[kind]}, ${formatSize(sizeBytes)}.\n`);
    }
  },
});

const names = { inversions: 'inverted clips', weights: 'copies of weights', videos: 'videos' } as const;

function formatKept(kept: KeptFiles, kinds: readonly (keyof KeptFiles)[]): string {
  const texts = {
    inversions: kept.inversions.map(
      ({ usedAt, sizeBytes, model, startFrame, endFrame, sourcePrompt }) =>
        `  ${formatSize(sizeBytes).padStart(9)}  used ${usedAt}  ${model}, frames ${startFrame} to ${endFrame}, "${sourcePrompt.slice(0, 40)}"\n`,
    ),
    weights: kept.weights.map(({ name, sizeBytes }) => `  ${formatSize(sizeBytes).padStart(9)}  ${name}\n`),
    videos: kept.videos.map(
      ({ jobId, name, sizeBytes }) => `  ${formatSize(sizeBytes).padStart(9)}  ${name} of job ${jobId.slice(0, 8)}\n`,
    ),
  };
  return kinds
    .map((kind) => {
      const sizeBytes = kept[kind].reduce((sum, entry) => sum + entry.sizeBytes, 0);
      return `${kept[kind].length} ${names[kind]}, ${formatSize(sizeBytes)}\n${texts[kind].join('')}`;
    })
    .join('');
}

function formatSize(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
