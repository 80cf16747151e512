// Edits of the rendered scene whose right result at full size is known, because it is rendered as well. What the model
// would make of them at its own size is what its VAE makes of them.

import { defaultSample, renderSampleFrame, toScene } from '../../companion-server/src/demo/sample-frame.ts';
import { layerAt, momentAt, type Layer } from '../../companion-server/src/demo/scene.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';

type Colour = readonly [red: number, green: number, blue: number];

export interface KnownEdit {
  readonly name: string;
  readonly target: Rgb24Frame;
}

const moment = 5;
const movedTo = 7;

/** The scene at `edge` x `edge` pixels. */
export function knownScene(edge: number, hard: boolean): Rgb24Frame {
  return renderSampleFrame(moment, { ...defaultSample, width: edge, height: edge, hard });
}

/** What the edits of `knownScene` should give. */
export function knownEdits(edge: number, hard: boolean): readonly KnownEdit[] {
  const options = { ...defaultSample, width: edge, height: edge, hard };
  const source = knownScene(edge, hard);
  const paint = (name: string, colourOf: (colour: Colour, layer: Layer, x: number, y: number) => Colour): KnownEdit => {
    const rgb = new Uint8ClampedArray(source.rgb);
    for (let i = 0; i < edge * edge; i++) {
      const { x, y } = toScene((i % edge) + 0.5, Math.floor(i / edge) + 0.5, options);
      const layer = layerAt(x, y, momentAt(moment, options), options);
      const [red = 0, green = 0, blue = 0] = source.rgb.subarray(3 * i, 3 * i + 3);
      rgb.set(colourOf([red, green, blue], layer, x, y), 3 * i);
    }
    return { name, target: { ...source, rgb: new Uint8Array(rgb.buffer) } };
  };
  return [
    paint('another colour', ([r, g, b], layer) => (layer === 'ball' ? [b, g, r] : [r, g, b])),
    paint('another light', ([r, g, b]) => [0.4 * r, 0.45 * g, 0.6 * b + 20]),
    paint('another ground', (colour, layer, x, y) => {
      if (layer !== 'ground') return colour;
      const stripe = Math.sin(40 * x + 25 * y) > 0 ? 200 : 120;
      return [stripe, 0.8 * stripe, 0.5 * stripe];
    }),
    { name: 'another place', target: renderSampleFrame(movedTo, options) },
  ];
}
