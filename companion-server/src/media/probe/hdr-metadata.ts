// The static HDR metadata of a clip: the display that it was graded on and its brightest light. SMPTE ST 2086 and CTA-861.3.

import { runFfprobe } from '../ffmpeg/ffprobe.ts';

export interface HdrMetadata {
  /** Chromaticity x, y of the display's primaries and white point, in units of 0.00002; luminance in 0.0001 cd/m2. */
  readonly display: {
    readonly red: Chromaticity;
    readonly green: Chromaticity;
    readonly blue: Chromaticity;
    readonly white: Chromaticity;
    readonly mostLuminance: number;
    readonly leastLuminance: number;
  } | null;
  /** The brightest pixel and the brightest mean of a frame, in cd/m2. */
  readonly light: { readonly mostContent: number; readonly mostAverage: number } | null;
}

type Chromaticity = readonly [x: number, y: number];

export type SideData = Readonly<Record<string, unknown>>;

/** From ffprobe's side data of a stream or a frame; null where there is none of it. */
export function parseHdrMetadata(sideData: readonly SideData[]): HdrMetadata | null {
  const named = (name: RegExp) =>
    sideData.find(({ side_data_type: type }) => typeof type === 'string' && name.test(type));
  const display = parseDisplay(named(/^Mastering display metadata/i));
  const light = parseLight(named(/^Content light level metadata/i));
  return display === null && light === null ? null : { display, light };
}

/** As the first frame from the file's beginning on has it. Throws as `runFfprobe` does. */
export async function readHdrMetadata(
  file: string,
  streamIndex: number,
  options: { readonly silenceMs: number; readonly signal?: AbortSignal | undefined },
): Promise<HdrMetadata | null> {
  let json = '';
  const onOutput = (text: string): void => {
    if (json.length < maxCharacters) json += text;
  };
  const frames = ['-show_frames', '-read_intervals', '%+#1', '-show_entries', 'frame=side_data_list'];
  await runFfprobe(file, ['-select_streams', String(streamIndex), ...frames, '-of', 'json'], { ...options, onOutput });
  try {
    const document = JSON.parse(json) as { frames?: { side_data_list?: SideData[] }[] };
    return parseHdrMetadata(document.frames?.[0]?.side_data_list ?? []);
  } catch (error) {
    // Too long to be read whole.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const maxCharacters = 1024 * 1024;

function parseDisplay(data: SideData | undefined): HdrMetadata['display'] {
  if (data === undefined) return null;
  const pair = (name: string): Chromaticity => [inUnits(data[`${name}_x`], 50_000), inUnits(data[`${name}_y`], 50_000)];
  const display = {
    red: pair('red'),
    green: pair('green'),
    blue: pair('blue'),
    white: pair('white_point'),
    mostLuminance: inUnits(data['max_luminance'], 10_000),
    leastLuminance: inUnits(data['min_luminance'], 10_000),
  };
  const { red, green, blue, white } = display;
  const numbers = [...red, ...green, ...blue, ...white, display.mostLuminance, display.leastLuminance];
  return numbers.every((value) => Number.isSafeInteger(value) && value >= 0) ? display : null;
}

function parseLight(data: SideData | undefined): HdrMetadata['light'] {
  const [mostContent, mostAverage] = [Number(data?.['max_content']), Number(data?.['max_average'])];
  const isKnown = [mostContent, mostAverage].every((value) => Number.isInteger(value) && value >= 0 && value < 65_536);
  return isKnown && mostContent + mostAverage > 0 ? { mostContent, mostAverage } : null;
}

/** `34000/50000` -> 34000. */
function inUnits(value: unknown, perUnit: number): number {
  if (typeof value !== 'string') return NaN;
  const [numerator, denominator = '1'] = value.split('/');
  return Math.round((Number(numerator) / Number(denominator)) * perUnit);
}
