// Safetensors files for tests, right or wrong on purpose.

/**
 * The bytes of a file.
 * @param header an object, or the exact text of the JSON
 * @param headerLength what the length field says; the truth when absent
 */
export function safetensorsBytes(header: unknown, data: Uint8Array, headerLength?: bigint): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerLength ?? BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** A file of F16 tensors with the given shapes; element i of each is i / 8. */
export function halfFileBytes(shapes: Readonly<Record<string, readonly number[]>>): Uint8Array {
  return fileBytes('F16', shapes, (i) => [halfOfEighths(i) & 255, halfOfEighths(i) >> 8]);
}

/** A file of tensors of `dtype` whose elements are made by `element`, little-endian bytes each. */
export function fileBytes(
  dtype: string,
  shapes: Readonly<Record<string, readonly number[]>>,
  element: (index: number) => readonly number[],
): Uint8Array {
  const bytes: number[] = [];
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, shape] of Object.entries(shapes)) {
    const begin = bytes.length;
    const size = shape.reduce((product, dim) => product * dim, 1);
    for (let i = 0; i < size; i++) bytes.push(...element(i));
    header[name] = { dtype, shape, data_offsets: [begin, bytes.length] };
  }
  return safetensorsBytes(header, Uint8Array.from(bytes));
}

/** The float16 bit pattern of i / 8, exact for i in 0..2047. */
function halfOfEighths(i: number): number {
  if (i === 0) return 0;
  const exponent = Math.floor(Math.log2(i));
  return ((exponent - 3 + 15) << 10) | ((i / 2 ** exponent - 1) * 1024);
}
