import { statfs } from 'node:fs/promises';

/** Bytes that this user may still write on the disk of the folder, which must be there. */
export async function freeBytesAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
