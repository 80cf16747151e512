// node scripts/letters.mjs: draws the letters of the demo's pictures with Chromium, into companion-server/src/demo/letters.ts.
// Needed again only for another font, size or sign. The font must be installed: DejaVu Sans (fonts-dejavu-core).

import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { deflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const family = 'DejaVu Sans';
const faces = {
  text: { size: 15, weight: 'normal' },
  strong: { size: 15, weight: 'bold' },
  title: { size: 24, weight: 'bold' },
};
const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
const signs = `${ascii}×–…“”`;

const file = new URL('../companion-server/src/demo/letters.ts', import.meta.url);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
try {
  const page = await browser.newPage();
  const drawn = await page.evaluate(
    ({ faces, family, signs }) =>
      Object.entries(faces).map(([name, { size, weight }]) => {
        const font = `${weight} ${size}px "${family}"`;
        if (!document.fonts.check(font)) throw new Error(`The font ${family} is not installed.`);
        const height = Math.ceil(size * 1.25);
        const context = new OffscreenCanvas(4 * size, height).getContext('2d');
        context.font = font;
        context.textBaseline = 'alphabetic';
        context.fillStyle = 'white';
        const widths = [];
        const coverage = [];
        for (const sign of signs) {
          const width = Math.round(context.measureText(sign).width);
          context.clearRect(0, 0, 4 * size, height);
          context.fillText(sign, 0, Math.round(size));
          const { data } = context.getImageData(0, 0, width, height);
          widths.push(width);
          for (let i = 3; i < data.length; i += 4) coverage.push(data[i]);
        }
        return { name, height, widths, coverage };
      }),
    { faces, family, signs },
  );
  const entries = drawn.map(
    ({ name, height, widths, coverage }) =>
      `${name}: { height: ${height}, widths: ${JSON.stringify(widths)}, coverage: '${deflateSync(Uint8Array.from(coverage), { level: 9 }).toString('base64')}' }`,
  );
  const source = `// Made by scripts/letters.mjs: the letters of ${family} (Copyright 2003 by Bitstream, Inc.; 2006 by Tavmjong Bah; free to use
// and to redistribute, https://dejavu-fonts.github.io/License.html) as pictures. Pictures with text need no font and no browser.

/** The signs that can be written; of each face in this order. */
export const signs = ${JSON.stringify(signs)};

/**
 * Of each face: the height of a line and the width of every sign, in pixels, and how much of every pixel of every sign is
 * ink, 0..255, row by row and sign after sign, deflated, in Base64.
 */
export const storedFaces = { ${entries.join(',\n')} } as const;
`;
  await writeFile(file, await format(source, { ...(await resolveConfig(file)), parser: 'typescript' }));
} finally {
  await browser.close();
}
