// The sentences and figures of the demo, as sheet, page and terminal show them. Pure: values in, text out.

import type { ComparedFilm } from './comparison.ts';
import type { DemoFindings, SecondEdit } from './findings.ts';

export function summaryOf({ caption, prompt }: DemoFindings): string {
  return `“${caption}” becomes “${prompt}”`;
}

/** How long each edit took. */
export function timesOf({ comparison: { films } }: DemoFindings): string {
  const edits = films.flatMap(({ label, seconds }) => (seconds === null ? [] : [`${label} ${secondsText(seconds)}`]));
  return `${edits.join(', ')}, each with its own inversion of the clip.`;
}

export function figuresOf({ metrics: { objectWarpError, warpError, flicker } }: ComparedFilm): string {
  return `warp error ${ofBrightness(warpError)}, on the object ${ofBrightness(objectWarpError)}, flicker ${ofBrightness(flicker)}`;
}

export function secondLine({ prompt, seconds }: SecondEdit): string {
  return `“${prompt}” in ${secondsText(seconds)}: the inversion is used again`;
}

/** A row per film: label, warp error, the same on the object, flicker, time. */
export const tableHead = ['', 'warp error', 'on the object', 'flicker', 'time'] as const;

export function tableRow({ label, metrics, seconds }: ComparedFilm): readonly string[] {
  const { warpError, objectWarpError, flicker } = metrics;
  const figures = [warpError, objectWarpError, flicker].map(ofBrightness);
  return [label, ...figures, seconds === null ? '' : secondsText(seconds)];
}

/** The table for a terminal, columns in line. */
export function formatTable(films: readonly ComparedFilm[]): string {
  const lines = [tableHead, ...films.map(tableRow)];
  const widths = tableHead.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

export function secondsText(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

/** 0..1 in percent of the whole range of brightness. */
function ofBrightness(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
