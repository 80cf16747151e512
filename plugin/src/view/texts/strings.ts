// Every sentence of the panel, a file for each page. Another language is another object of the same type, chosen in
// `textsFor`; nothing outside these files puts words together.

import type { ProblemCode } from '../../state/problem.ts';
import type { Page } from '../../state/panel-state.ts';
import { problemTexts, type ProblemText } from './problem-strings.ts';
import { count } from './count.ts';
import { linkTexts } from './link-strings.ts';
import { editTexts } from './edit-strings.ts';
import { regionTexts } from './region-strings.ts';
import { controlTexts } from './control-strings.ts';
import { advancedTexts } from './advanced-strings.ts';
import { modelTexts } from './model-strings.ts';
import { taskTexts } from './task-strings.ts';
import { compareTexts } from './compare-strings.ts';
import { versionTexts } from './version-strings.ts';
import { overlayTexts } from './overlay-strings.ts';

export const english = {
  product: 'TokenFlow',
  tagline: 'Say what a clip should become.',
  pageNames: 'Pages',
  pages: { edit: 'Edit', compare: 'Compare', versions: 'Versions' } satisfies Record<Page, string>,

  ...linkTexts,
  ...editTexts,
  ...regionTexts,
  ...advancedTexts,
  ...controlTexts,
  ...modelTexts,
  ...taskTexts,
  ...compareTexts,
  ...versionTexts,
  ...overlayTexts,

  /** In units of 1000, as disks are sold. */
  fileSize: (bytes: number) => {
    if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
    return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} KB`;
  },

  problems: problemTexts as Readonly<Record<ProblemCode, ProblemText>>,
  copyDetails: 'Copy details',

  /** A length of time, as a person says it. */
  duration(seconds: number): string {
    if (seconds < 1) return 'a second';
    if (seconds < 90) return count(Math.round(seconds), 'second', 'seconds');
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) return count(minutes, 'minute', 'minutes');
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  },
  /** A position in a clip: `0:07.25`. */
  position(seconds: number): string {
    const hundredths = Math.round(seconds * 100);
    const rest = String(hundredths % 6000).padStart(4, '0');
    return `${Math.floor(hundredths / 6000)}:${rest.slice(0, 2)}.${rest.slice(2)}`;
  },
};

export type Texts = typeof english;

const languages: Readonly<Record<string, Texts>> = { en: english };

/** The texts of a language as `de` or `pt-BR`; English where there are none. */
export function textsFor(language: string): Texts {
  return languages[language] ?? languages[language.split('-')[0] ?? ''] ?? english;
}
