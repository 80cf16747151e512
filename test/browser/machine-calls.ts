// The machine under a simulated Premiere that runs in a page, as calls that cross from the page to Node: bytes as base64,
// ticks as text.

import type { RenderRequest, SimMachine } from '../premiere-sim/sim-machine.ts';

/** What the page may call. Types only reach the page; see page-machine.ts for the other end. */
export type MachineCalls = ReturnType<typeof createMachineCalls>;

export function createMachineCalls(machine: SimMachine) {
  const { fs } = machine;
  return {
    async probe(path: string) {
      const { frames, hasAudio, ticksPerFrame, start } = await machine.probe(path);
      return { frames, hasAudio, ticksPerFrame: String(ticksPerFrame), start: String(start) };
    },
    render: (request: RenderRequest) => machine.render(request),
    reveal: (from: string, to: string, share: number) => machine.reveal(from, to, share),
    async readText(path: string) {
      const text = await fs.readFile(path, { encoding: 'utf-8' });
      if (typeof text !== 'string') throw new Error(`${path} was read as bytes.`);
      return text;
    },
    writeText: (path: string, text: string, flag: 'w' | 'a') => fs.writeFile(path, text, { encoding: 'utf-8', flag }),
    open: (path: string, flag: 'r' | 'r+' | 'w+') => fs.open(path, flag),
    async close(fd: number) {
      await fs.close(fd);
    },
    async read(fd: number, length: number, position: number) {
      const buffer = new ArrayBuffer(length);
      const { bytesRead } = await fs.read(fd, buffer, 0, length, position);
      return Buffer.from(buffer, 0, bytesRead).toString('base64');
    },
    async write(fd: number, base64: string, position: number) {
      const bytes = new Uint8Array(Buffer.from(base64, 'base64')).buffer;
      return (await fs.write(fd, bytes, 0, bytes.byteLength, position)).bytesWritten;
    },
    async stat(path: string) {
      const found = await fs.lstat(path);
      return { size: found.size, isFolder: found.isDirectory(), isLink: found.isSymbolicLink?.() === true };
    },
    async rename(from: string, to: string) {
      await fs.rename(from, to);
    },
    async unlink(path: string) {
      await fs.unlink(path);
    },
    async makeFolder(path: string) {
      await fs.mkdir(path, { recursive: true });
    },
    list: (path: string) => fs.readdir(path),
  };
}
