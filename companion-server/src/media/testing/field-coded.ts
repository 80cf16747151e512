// H.264 whose fields are pictures of their own, as AVCHD cameras write it (picture-adaptive frame/field coding). No encoder
// that ffmpeg comes with does this, so the stream is written here: grey I_PCM macroblocks, which need no compression.
// Source: ITU-T H.264 (08/2021), 7.3.2.1 (parameter sets), 7.3.3 (slice header), 7.3.5 (macroblocks).

/** How a picture is stored: its two fields as pictures of their own, or both in one picture. */
export type PictureCoding = 'fields' | 'frame';

export interface FieldCodedOptions {
  /** Multiples of 32, in pixels. */
  readonly width: number;
  readonly height: number;
  /** One per frame. */
  readonly coding: readonly PictureCoding[];
  /** Frames per second; two fields each. */
  readonly rate: number;
  /** Frames from one IDR picture to the next. */
  readonly gop: number;
  /** Luma of frame i, 16..235. */
  readonly luma: (frame: number) => number;
}

/** An Annex B byte stream. */
export function fieldCodedH264(options: FieldCodedOptions): Buffer {
  const units = [nalUnit(3, 7, sequenceParameters(options)), nalUnit(3, 8, pictureParameters())];
  options.coding.forEach((coding, frame) => {
    const fields = coding === 'fields' ? ([0, 1] as const) : ([null] as const);
    for (const field of fields) {
      const isIdr = frame % options.gop === 0 && field !== 1;
      units.push(nalUnit(3, isIdr ? 5 : 1, slice(options, frame, field, isIdr)));
    }
  });
  return Buffer.concat(units);
}

class Bits {
  private readonly bytes: number[] = [];
  private current = 0;
  private filled = 0;

  /** Unsigned, most significant bit first. */
  u(count: number, value: number): this {
    for (let i = count - 1; i >= 0; i--) {
      this.current = (this.current << 1) | (Math.floor(value / 2 ** i) & 1);
      if (++this.filled === 8) this.flush();
    }
    return this;
  }

  /** Exp-Golomb. */
  ue(...values: readonly number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1));
      this.u(length, 0).u(length + 1, value + 1);
    }
    return this;
  }

  align(): this {
    while (this.filled > 0) this.u(1, 0);
    return this;
  }

  /** Ends the payload with a stop bit. */
  end(): number[] {
    this.u(1, 1).align();
    return this.bytes;
  }

  private flush(): void {
    this.bytes.push(this.current);
    [this.current, this.filled] = [0, 0];
  }
}

const frameNumBits = 4;
const orderBits = 8;

function sequenceParameters({ width, height, rate }: FieldCodedOptions): number[] {
  const bits = new Bits().u(8, 77).u(8, 0).u(8, 30); // Main profile, level 3.0
  bits.ue(0, frameNumBits - 4, 0, orderBits - 4, 1).u(1, 0);
  bits.ue(width / 16 - 1, height / 32 - 1);
  bits.u(1, 0).u(1, 0).u(1, 1).u(1, 0); // fields allowed, no adaptive macroblocks, direct 8x8, no cropping
  bits
    .u(1, 1)
    .u(4, 0)
    .u(1, 1)
    .u(32, 1)
    .u(32, 2 * rate)
    .u(1, 1); // timing: a tick is a field
  bits.u(3, 0).u(1, 1).u(1, 1).ue(0, 0, 10, 10, 0, 1); // no reordering
  return bits.end();
}

function pictureParameters(): number[] {
  return new Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0b100).end();
}

/** `field`: 0 the top one, 1 the bottom one, null both in one picture. */
function slice(
  { width, height, gop, luma }: FieldCodedOptions,
  frame: number,
  field: 0 | 1 | null,
  isIdr: boolean,
): number[] {
  const inGop = frame % gop;
  const bits = new Bits().ue(0, 7, 0).u(frameNumBits, inGop % 2 ** frameNumBits);
  bits.u(1, field === null ? 0 : 1);
  if (field !== null) bits.u(1, field);
  if (isIdr) bits.ue((frame / gop) % 2);
  bits.u(orderBits, (2 * inGop + (field ?? 0)) % 2 ** orderBits);
  bits.u(isIdr ? 2 : 1, 0).ue(0, 1);
  const macroblocks = ((width / 16) * (height / 16)) / (field === null ? 1 : 2);
  for (let i = 0; i < macroblocks; i++) {
    bits.ue(25).align();
    for (let sample = 0; sample < 256; sample++) bits.u(8, luma(frame));
    for (let sample = 0; sample < 128; sample++) bits.u(8, 128);
  }
  return bits.end();
}

/** With a start code, and with the bytes that keep another from appearing inside. */
function nalUnit(refIdc: number, type: number, payload: readonly number[]): Buffer {
  const bytes = [0, 0, 0, 1, (refIdc << 5) | type];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(bytes);
}
