import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecExtension, codecInfos, type OutputCodec } from '../../../../protocol/codecs.ts';
import { decodePlanes } from '../decode/frames.ts';
import { byteLength, toPlanes, yuvFormat, type PlanarFrame } from '../planes.ts';
import type { HdrMetadata } from '../probe/hdr-metadata.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, describeVideo, makeFolder } from '../testing/clips.ts';
import { rate } from '../testing/encode-frames.ts';
import { openEncoder } from './encode.ts';
import type { EncoderOptions } from './encoder-options.ts';
import { digitalSourceType } from './provenance.ts';

const run = promisify(execFile);

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const size = { width: 256, height: 144 };
const codecs = codecInfos.map(({ name }) => name);

/** Ten bits of 4:4:4 with alpha, the widest that the codecs are given. */
const format = yuvFormat('444', 10, true);

function frameOf(index: number): PlanarFrame {
  const planes = toPlanes(new Uint8Array(byteLength(format, size)), format, size);
  const alphaAt = (x: number) => (x < size.width / 2 ? 0 : 1023);
  const values = [(x: number) => 200 + 2 * x, () => 512, (x: number) => 400 + (x % 64), alphaAt] as const;
  for (const [k, plane] of planes.entries())
    plane.forEach((_, i) => (plane[i] = values[k]?.((i % size.width) + index) ?? 0));
  return { index, ...size, format, planes };
}

async function encode(name: string, codec: OutputCodec, options: Partial<EncoderOptions> = {}): Promise<string> {
  const file = path.join(folder.path, `${name}${codecExtension(codec)}`);
  const encoder = await openEncoder(file, {
    ...size,
    frameRate: rate(30_000, 1001),
    codec,
    colour: { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' },
    input: format,
    inputRange: 'tv',
    clipFormat: format,
    ...options,
  });
  for (let i = 0; i < 3; i++) await encoder.write(frameOf(i));
  await encoder.finish();
  return file;
}

const origin = {
  timecode: '01:00:59;28',
  reel: 'A001C003',
  createdAt: '2024-03-01T10:11:12.000Z',
  title: 'Märchen & <wolf>',
  location: '+48.1000+011.5000/',
};
const provenance = {
  tool: 'TokenFlow 1.2.3',
  model: 'a-model',
  technique: 'pnp',
  prompt: 'a <silver> wolf & "moon"',
};
const hdr: HdrMetadata = {
  display: {
    red: [34_000, 16_000],
    green: [13_250, 34_500],
    blue: [7_500, 3_000],
    white: [15_635, 16_450],
    mostLuminance: 10_000_000,
    leastLuminance: 1,
  },
  light: { mostContent: 1000, mostAverage: 400 },
};

const expected: Readonly<Record<OutputCodec, readonly [codec: string, tag: string, pixelFormat: string]>> = {
  'prores-lt': ['prores', 'apcs', 'yuv422p10le'],
  'prores-422': ['prores', 'apcn', 'yuv422p10le'],
  prores: ['prores', 'apch', 'yuv422p10le'],
  'prores-4444': ['prores', 'ap4h', 'yuva444p12le'],
  'prores-xq': ['prores', 'ap4x', 'yuva444p12le'],
  'dnxhr-hqx': ['dnxhd', 'AVdh', 'yuv422p10le'],
  'dnxhr-444': ['dnxhd', 'AVdh', 'yuv444p10le'],
  h264: ['h264', 'avc1', 'yuv420p'],
  h265: ['hevc', 'hvc1', 'yuv420p10le'],
  ffv1: ['ffv1', 'FFV1', 'yuva444p10le'],
};

describe('every codec of the table', () => {
  test.each(codecs)('%s is written as editors expect it, with timecode, reel, date, title and place', async (codec) => {
    const file = await encode(`all-${codec}`, codec, { origin, provenance });
    const [name, tag, pixelFormat] = expected[codec];
    expect(await describeVideo(file)).toMatchObject({
      codec_name: name,
      codec_tag_string: expect.stringMatching(codec === 'ffv1' ? /./ : new RegExp(`^${tag}$`)) as string,
      // Decoders differ in the bits that they say ProRes 4444 has.
      pix_fmt: expect.stringMatching(new RegExp(`^${pixelFormat.replace(/1[02]le$/, '1[02]le')}$`)) as string,
      nb_read_frames: '3',
    });
    const clip = await probeClip(file);
    // MP4 has no place for a reel, nor has MKV.
    const reel = codecExtension(codec) === '.mov' ? origin.reel : clip.origin.reel;
    const location = codecExtension(codec) === '.mkv' ? clip.origin.location : origin.location;
    expect(clip.origin).toEqual({ ...origin, reel, location });
  });

  test.each(codecs)('%s says that it was edited by AI', async (codec) => {
    const file = await encode(`mark-${codec}`, codec, { provenance });
    const text = await readFile(file, 'utf8');
    expect(text).toContain(digitalSourceType);
    expect(text).toContain('TokenFlow 1.2.3, a-model');
    const hasXmp = codecExtension(codec) !== '.mkv';
    expect(text.includes('a &lt;silver&gt; wolf &amp; "moon"')).toBe(hasXmp);
    const plain = await readFile(await encode(`plain-${codec}`, codec), 'utf8');
    expect(plain).not.toContain(digitalSourceType);
  });

  test.each(codecs)('%s keeps alpha if the table says so', async (codec) => {
    const clip = await probeClip(await encode(`alpha-${codec}`, codec));
    const { hasAlpha } = codecInfos.find(({ name }) => name === codec) ?? {};
    expect(clip.hasAlpha).toBe(hasAlpha);
    const [first] = await collect(decodePlanes(clip, { endFrame: 1 }));
    const alpha = first?.planes[3];
    if (hasAlpha !== true) {
      expect(alpha).toBeUndefined();
      return;
    }
    const most = 2 ** (first?.format.bits ?? 0) - 1;
    expect([alpha?.[4], alpha?.[size.width - 4]]).toEqual([0, most]);
  });

  test('a timecode counts on in the result of every rate', async () => {
    for (const [frameRate, timecode] of [
      [rate(24_000, 1001), '10:00:00:23'],
      [rate(25), '10:00:00:24'],
      [rate(50), '10:00:00:49'],
      [rate(60_000, 1001), '00:00:59;59'],
    ] as const) {
      const file = await encode('rate', 'prores', { frameRate, origin: { ...origin, timecode } });
      expect((await probeClip(file)).origin.timecode).toBe(timecode);
    }
  });

  test('H.265 carries the metadata of HDR10, in the stream', async () => {
    const colour = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' } as const;
    const clip = await probeClip(await encode('hdr', 'h265', { hdr, colour }));
    expect(clip.hdr).toEqual(hdr);
    expect(clip.colour).toEqual(colour);
    expect((await probeClip(await encode('sdr', 'h265'))).hdr).toBeNull();
  });
});

/** A program that reads files by code of its own; a test machine may lack it. */
const exiftool = await run('exiftool', ['-ver']).then(
  () => true,
  () => false,
);

describe.each(codecs)('%s says the same to other readers than ffprobe', (codec) => {
  const ending = codecExtension(codec);
  const isMkv = ending === '.mkv';
  const colour = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' } as const;
  const written = () => encode(`readers-${codec}`, codec, { origin, provenance, colour });

  test.skipIf(!exiftool)('exiftool: mark, tool, prompt, title, date, place, colour', async () => {
    const file = await written();
    const { stdout } = await run('exiftool', ['-json', '-api', 'LargeFileSupport=1', file]);
    const [tags] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(tags).toMatchObject({ DigitalSourceType: digitalSourceType, Title: origin.title, ImageWidth: size.width });
    if (isMkv) {
      const { timecode: Timecode, reel: ReelName, location: Location } = origin;
      expect(tags).toMatchObject({ Timecode, ReelName, Location, Software: 'TokenFlow 1.2.3, a-model' });
      return;
    }
    expect(tags).toMatchObject({
      CreatorTool: 'TokenFlow 1.2.3',
      CreateDate: '2024:03:01 10:11:12',
      AIPromptInformation: provenance.prompt,
      CompressorID: expected[codec][1],
      GPSLongitude: expect.stringContaining('11 deg 30') as string,
    });
    // It does not read the colours of DNxHR.
    if (codec.startsWith('dnxhr')) return;
    expect(String(tags?.['ColorPrimaries'])).toContain('2020');
    expect(String(tags?.['TransferCharacteristics'])).toContain('2084');
  });

  test('mediabunny: codec, size, alpha, colour, title, mark, place', async () => {
    const input = new Input({ source: new FilePathSource(await written()), formats: ALL_FORMATS });
    const track = await input.getPrimaryVideoTrack();
    const { title, raw = {} } = await input.getMetadataTags();
    expect(await track?.getDisplayWidth()).toBe(size.width);
    if (isMkv) {
      expect(raw).toMatchObject({ DIGITAL_SOURCE_TYPE: digitalSourceType, TIMECODE: origin.timecode });
      expect(raw).toMatchObject({ LOCATION: origin.location });
    } else {
      expect(await track?.getInternalCodecId()).toBe(expected[codec][1]);
      expect(title).toBe(origin.title);
      // It knows no alpha of FFV1.
      const { hasAlpha } = codecInfos.find(({ name }) => name === codec) ?? {};
      expect(await track?.canBeTransparent()).toBe(hasAlpha);
    }
    if (ending === '.mov') {
      expect(Buffer.from(raw['XMP_'] as Uint8Array).toString()).toContain(digitalSourceType);
      expect(raw['©xyz']).toBe(origin.location);
    }
    expect(await track?.getColorSpace()).toMatchObject(
      // DNxHR's header has a word for Rec. 709 and one for BT.2020, none for PQ.
      codec.startsWith('dnxhr')
        ? { primaries: 'bt2020' }
        : { primaries: 'bt2020', transfer: 'pq', matrix: 'bt2020-ncl' },
    );
  });
});
