// Difference and flicker of two clips' frames, pixel by pixel. Pixels are red, green and blue in 0..255, three to a pixel.

/** Enlarges differences, because small ones must be visible. */
const differenceGain = 2;
const flickerGain = 6;
/** Brightness of the picture under the heat map. */
const dimming = 0.35;

/** How far the edit is from the original, channel by channel; black where they are equal. */
export function differenceMap(original: Uint8Array, edit: Uint8Array): Uint8Array {
  const map = new Uint8Array(edit.length);
  for (let at = 0; at < map.length; at += 1) {
    const distance = Math.abs((original[at] ?? 0) - (edit[at] ?? 0));
    map[at] = Math.min(255, distance * differenceGain);
  }
  return map;
}

/** A frame, and the one before it. */
export interface Step {
  readonly before: Uint8Array;
  readonly now: Uint8Array;
}

/**
 * Heat over a dim picture of the edit: how much more its brightness changes from the frame before than the original's
 * does. Motion changes both alike and stays cold.
 */
export function flickerMap(original: Step, edit: Step): Uint8Array {
  const map = new Uint8Array(edit.now.length);
  for (let at = 0; at < map.length; at += 3) {
    const light = luma(edit.now, at);
    const own = Math.abs(light - luma(edit.before, at));
    const given = Math.abs(luma(original.now, at) - luma(original.before, at));
    const heat = Math.min(1, (Math.max(0, own - given) * flickerGain) / 255);
    const dim = light * dimming * (1 - heat);
    // Violet, red, orange, yellow. Written out: an array for each pixel would take most of the time.
    map[at] = Math.min(255, dim + 255 * heat);
    map[at + 1] = Math.min(255, dim + Math.max(0, heat - 0.3) * 340 * heat);
    map[at + 2] = Math.min(255, dim + Math.max(0, 0.5 - heat) * 360 * heat);
  }
  return map;
}

/** ITU-R BT.709. */
function luma(pixels: Uint8Array, at: number): number {
  return 0.2126 * (pixels[at] ?? 0) + 0.7152 * (pixels[at + 1] ?? 0) + 0.0722 * (pixels[at + 2] ?? 0);
}
