// Names the kind of a file that is not a clip, from its first bytes: users drop playlists and pictures.

import { open } from 'node:fs/promises';

export type FileKind = 'playlist' | 'picture';

/** The number of bytes that are read. */
const headBytes = 512;

const playlists = /^\s*(#EXTM3U|ffconcat |\[playlist\]|<\?xml[^>]*>\s*<(MPD|smil|ASX|playlist)\b|<(MPD|smil|ASX)\b)/i;

/** Signatures at the start; `latin1`. */
const pictures: readonly RegExp[] = [
  /^\x89PNG\r\n/,
  /^\xff\xd8\xff/,
  /^BM[^]{4}\0\0\0\0/,
  /^(II\*\0|MM\0\*)/,
  /^RIFF[^]{4}WEBP/,
  /^8BPS/,
  /^v\/1\x01/,
  /^[^]{4}ftyp(heic|heix|mif1|avif)/,
  /^\xff\x0a|^\0\0\0\x0cJXL /,
  /^\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)?<svg\b/i,
];

/** Null for anything else. */
export async function kindOfFile(file: string): Promise<FileKind | null> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (playlists.test(head)) return 'playlist';
    return pictures.some((signature) => signature.test(head)) ? 'picture' : null;
  } finally {
    await handle.close();
  }
}
