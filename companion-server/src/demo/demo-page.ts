// The page that `npm run demo` writes: one file that needs no server and no network.

import { encodePng } from '../media/encode/png.ts';
import type { Rgb24Frame } from '../media/frame.ts';
import { playerScript } from './demo-player.ts';
import type { DemoFindings } from './findings.ts';
import { secondLine, summaryOf, tableHead, tableRow, timesOf } from './findings-text.ts';

export interface DemoPage {
  readonly findings: DemoFindings;
  /** An MP4 with the films edge to edge, in the findings' order, the second edit last. */
  readonly film: Uint8Array;
}

/** The whole page as HTML. Pictures and film are part of it. */
export function demoPage({ findings, film }: DemoPage): string {
  const { comparison, second } = findings;
  const { films, row, sample } = comparison;
  const labels = [...films.map(({ label }) => label), ...(second === null ? [] : ['TokenFlow, another prompt'])];
  const { width, height, fps, frames } = sample;
  const facts = { labels, width, height, fps, frames };
  const figure = (picture: Rgb24Frame, label: string, kind: string) =>
    `<figure class="${kind}"><img alt="${kind}: ${escape(label)}" src="${dataUrl(encodePng(picture), 'image/png')}"><figcaption>${escape(label)}</figcaption></figure>`;
  const canvas = (label: string, i: number) =>
    `<figure><canvas data-film="${i}" width="${width}" height="${height}" role="img" aria-label="${escape(label)}"></canvas><figcaption>${escape(label)}</figcaption></figure>`;
  const choice = (name: string, chosen: number) =>
    `<select id="${name}" aria-label="${name === 'wipe-left' ? 'Left of the line' : 'Right of the line'}">${labels.map((label, i) => `<option value="${i}"${i === chosen ? ' selected' : ''}>${escape(label)}</option>`).join('')}</select>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>TokenFlow: ${escape(summaryOf(findings))}</title>
<style>${style}</style>
<main>
<h1>${escape(summaryOf(findings))}</h1>
<p>${escape(timesOf(findings))}</p>
<video id="film" muted loop playsinline preload="auto" hidden src="${dataUrl(film, 'video/mp4')}"></video>
<section aria-label="The clips in step" class="films">${films.map(({ label }, i) => canvas(label, i)).join('')}</section>
<div class="transport">
<button id="play" type="button">Play</button>
<input id="position" type="range" min="0" max="${frames - 1}" step="1" value="0" aria-label="Frame">
<output id="frame">1 / ${frames}</output>
<label>Speed <select id="speed"><option value="1">1</option><option value="0.5">½</option><option value="0.25">¼</option></select></label>
</div>
<h2>Wipe</h2>
<p class="choices">${choice('wipe-left', Math.min(1, labels.length - 1))} <span aria-hidden="true">|</span> ${choice('wipe-right', Math.min(2, labels.length - 1))}</p>
<div class="wipe"><canvas id="wipe" width="${width}" height="${height}" role="img" aria-label="Two clips, divided by a line"></canvas><i id="line"></i>
<input id="divider" type="range" min="0" max="1000" value="500" aria-label="Where the line is"></div>
<h2>One row of pixels over time</h2>
<p>Row ${row} of every frame, the first at the top. A smooth line is steady; a torn one jumps from frame to frame.</p>
<section class="films">${films.map(({ slice, label }) => figure(slice, label, 'slice')).join('')}</section>
<h2>Flicker</h2>
<p>What changes from frame to frame although the clip only moved: black is steady, bright boils. Grey is not known.</p>
<section class="films">${films.map(({ flicker, label }) => figure(flicker, label, 'map')).join('')}</section>
<h2>Figures</h2>
<table><thead><tr>${tableHead.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${films
    .map(
      (film) =>
        `<tr>${tableRow(film)
          .map((text, i) => (i === 0 ? `<th scope="row">${escape(text)}</th>` : `<td>${text}</td>`))
          .join('')}</tr>`,
    )
    .join('')}</tbody></table>
<p>In percent of the whole range of brightness, lower is steadier. Warp error: what changes along the exact motion of the clip.
Flicker: what changes at a place, motion included. The time of an edit is that from the request to the file.</p>
${
  second === null
    ? ''
    : `<h2>Another prompt</h2>
<p>${escape(secondLine(second))}.</p>
<section class="films">${canvas('TokenFlow, another prompt', films.length)}</section>`
}
</main>
<script type="application/json" id="facts">${JSON.stringify(facts).replaceAll('<', '\\u003c')}</script>
<script>${playerScript}</script>
</html>
`;
}

function dataUrl(bytes: Uint8Array, type: string): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (sign) => names[sign] ?? sign);
}

const style = `
:root { color-scheme: dark; }
body { margin: 0; background: #141417; color: #ececef; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 32px 0 4px; }
p { color: #a8a8b0; margin: 0 0 12px; max-width: 75ch; }
.films { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; }
figure { margin: 0; }
figcaption { color: #a8a8b0; }
canvas, .slice img, .map img { display: block; width: 100%; border-radius: 4px; background: #000; }
.slice img { aspect-ratio: 2; image-rendering: pixelated; }
.map img { image-rendering: pixelated; }
.transport { display: flex; gap: 12px; align-items: center; margin: 12px 0; flex-wrap: wrap; }
.transport input { flex: 1; min-width: 160px; }
button, select { font: inherit; color: inherit; background: #26262b; border: 1px solid #45454d; border-radius: 4px; padding: 4px 12px; }
:focus-visible { outline: 2px solid #818cf8; outline-offset: 2px; }
output { font-variant-numeric: tabular-nums; min-width: 5ch; }
.wipe { position: relative; max-width: 640px; }
.wipe input { display: block; width: 100%; margin: 8px 0 0; }
#line { position: absolute; top: 0; bottom: 32px; left: 50%; width: 2px; background: #fff; pointer-events: none; }
table { border-collapse: collapse; margin: 8px 0; }
th, td { text-align: left; padding: 4px 24px 4px 0; border-bottom: 1px solid #2f2f36; font-weight: normal; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) { .films { grid-template-columns: 1fr; } }
`;
