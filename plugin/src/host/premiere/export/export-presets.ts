// Which encoding preset an export uses: the one that the user picked, else the best of the presets that come with
// Premiere. Presets are recognised only by their names and folders, because the format of .epr files is not published.

import { clipExtensions, type ClipExtension } from '../../../../../protocol/messages/clip-messages.ts';
import type { HostStorage } from '../../host.ts';
import { HostError } from '../../problems.ts';
import type { Sequence, Surroundings } from '../api.ts';
import { folderOf, joinPath, sizeOfFile } from '../open-file.ts';

export interface ExportPreset {
  readonly path: string;
  readonly extension: ClipExtension;
}

const pickedKey = 'export-preset';

/** Where programs of Adobe are installed, by platform. */
const programFolders: Readonly<Record<string, readonly string[]>> = {
  darwin: ['/Applications'],
  win32: ['C:\\Program Files\\Adobe'],
  win10: ['C:\\Program Files\\Adobe'],
};
const presetFolders = ['MediaIO', 'systempresets'];
const maxFolders = 200;

/** The first that fits is the best: intra-frame, then nearly lossless, then good, each at the size of the sequence. */
const wanted: readonly RegExp[] = [
  /prores.*422(?!.*(proxy|lt)).*hq/i,
  /prores.*422(?!.*(proxy|lt))/i,
  /match source.*(adaptive )?high bitrate/i,
  /match source.*high/i,
  /high quality.*match|match.*high quality/i,
];

/** Presets whose files cannot be read everywhere, or that change the picture, or that have no picture. */
const unwanted =
  /hevc|h\.?265|proxy|ingest|audio|wave?form|aac|mp3|preview|low|draft|stereo|vr\b|hdr|hlg|\bpq\b|image|sequence|jpeg|png|gif|alpha/i;

/** Remembers a preset that the user picked. */
export async function rememberPreset(storage: HostStorage, path: string): Promise<void> {
  await storage.write(pickedKey, path);
}

/** Throws HostError `preset-missing` when nothing was picked and nothing fits. */
export async function choosePreset(
  surroundings: Surroundings,
  storage: HostStorage,
  sequence: Sequence,
): Promise<ExportPreset> {
  const picked = await storage.read(pickedKey);
  if (picked !== null && (await sizeOfFile(surroundings.fs, picked)) !== null) {
    const preset = await readPreset(surroundings, sequence, picked);
    if (preset !== null) return preset;
  }
  for (const path of rankPresets(await listSystemPresets(surroundings))) {
    const preset = await readPreset(surroundings, sequence, path);
    if (preset !== null) return preset;
  }
  throw new HostError('preset-missing', 'No preset of the system fits, and none was picked.');
}

/** Asks Premiere which file type the preset makes; null when it is not a film that can be sent. */
async function readPreset({ ppro }: Surroundings, sequence: Sequence, path: string): Promise<ExportPreset | null> {
  const answer = await ppro.EncoderManager.getExportFileExtension(sequence, path).catch(() => '');
  const ending = answer.replace(/^\./, '').toLowerCase();
  const extension = clipExtensions.find((one) => one === ending);
  return extension === undefined ? null : { path, extension };
}

/** The presets to try, best first. */
export function rankPresets(paths: readonly string[]): string[] {
  const nameOf = (path: string): string => path.slice(folderOf(path).length + 1);
  const rankOf = (path: string): number => wanted.findIndex((rule) => rule.test(nameOf(path)));
  return paths
    .filter((path) => rankOf(path) >= 0 && !unwanted.test(nameOf(path)))
    .sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
}

/** Paths of every preset that comes with an Adobe program for film on this machine. */
export async function listSystemPresets(surroundings: Surroundings): Promise<string[]> {
  const { fs, platform } = surroundings;
  const found: string[] = [];
  for (const programs of programFolders[platform] ?? []) {
    const names = await listFolder(fs, programs);
    // Premiere's own before those of its encoder, newer before older.
    const adobe = names.filter((name) => /^Adobe (Premiere|Media Encoder)/.test(name));
    for (const name of adobe.sort(newestPremiereFirst)) {
      const inside = platform === 'darwin' ? [name, `${name}.app`, 'Contents'] : [name];
      const folder = joinPath(programs, ...inside, ...presetFolders);
      for (const exporter of (await listFolder(fs, folder)).slice(0, maxFolders)) {
        const presets = await listFolder(fs, joinPath(folder, exporter));
        found.push(
          ...presets
            .filter((preset) => preset.toLowerCase().endsWith('.epr'))
            .map((preset) => joinPath(folder, exporter, preset)),
        );
      }
    }
  }
  return found;
}

function newestPremiereFirst(a: string, b: string): number {
  const isPremiere = (name: string): number => (name.includes('Premiere') ? 0 : 1);
  return isPremiere(a) - isPremiere(b) || (a < b ? 1 : -1);
}

/** A folder that is missing or cannot be read counts as empty. */
async function listFolder(fs: Surroundings['fs'], folder: string): Promise<string[]> {
  try {
    return await fs.readdir(folder);
  } catch {
    return [];
  }
}
