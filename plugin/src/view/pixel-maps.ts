// Difference and flicker of frames, pixel by pixel. Values are 0..255, four to a pixel: red, green, blue, opacity.

export type Pixels = Uint8ClampedArray<ArrayBuffer>;

/** Small differences are what one looks for. */
const differenceGain = 2;
const flickerGain = 6;

/** Grey levels: how far the edit is from the original. */
export function differenceMap(original: Pixels, edit: Pixels): Pixels {
  const map = new Uint8ClampedArray(original.length);
  for (let at = 0; at < map.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      const distance = Math.abs((original[at + channel] ?? 0) - (edit[at + channel] ?? 0));
      map[at + channel] = distance * differenceGain;
    }
    map[at + 3] = 255;
  }
  return map;
}

/**
 * Heat over a dim picture of the edit: how much more its brightness changes from the frame before than the original's
 * does. Motion changes both alike and stays cold.
 */
export function flickerMap(
  original: Pixels,
  edit: Pixels,
  originalBefore: Pixels,
  editBefore: Pixels,
): Pixels {
  const map = new Uint8ClampedArray(edit.length);
  for (let at = 0; at < map.length; at += 4) {
    const light = luma(edit, at);
    const own = Math.abs(light - luma(editBefore, at));
    const given = Math.abs(luma(original, at) - luma(originalBefore, at));
    const heat = Math.min(1, (Math.max(0, own - given) * flickerGain) / 255);
    const [red, green, blue] = heatColour(heat);
    const dim = light * 0.35 * (1 - heat);
    map[at] = dim + red * heat;
    map[at + 1] = dim + green * heat;
    map[at + 2] = dim + blue * heat;
    map[at + 3] = 255;
  }
  return map;
}

/** Violet, red, orange, yellow. */
function heatColour(heat: number): readonly [number, number, number] {
  return [255, Math.max(0, heat - 0.3) * 340, Math.max(0, 0.5 - heat) * 360];
}

/** ITU-R BT.709. */
function luma(pixels: Pixels, at: number): number {
  return (
    0.2126 * (pixels[at] ?? 0) + 0.7152 * (pixels[at + 1] ?? 0) + 0.0722 * (pixels[at + 2] ?? 0)
  );
}
